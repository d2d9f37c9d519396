//! Why an access policy cannot be put into force.

use std::path::PathBuf;

/// Why an access policy cannot be put into force.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The database of countries.
    #[error("{path}: a database in MaxMind's format (.mmdb) with countries expected: {source}")]
    Countries {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: maxminddb::MaxMindDbError,
    },
    /// A database of something else.
    #[error("{path}: this database tells no countries: one such as GeoLite2-Country is expected")]
    NoCountries {
        /// The file.
        path: PathBuf,
    },
    /// The CA of an auth service.
    #[error("{path}: CA certificates in PEM form expected: {reason}")]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The client that asks an auth service.
    #[error("forward_auth: no HTTP client can be had: {0}")]
    Client(reqwest::Error),
}
