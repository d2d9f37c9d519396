//! Why a certificate cannot be served.

use std::path::PathBuf;

/// Why a certificate cannot be served; each names the file.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not PEM of the kind that is expected.
    #[error("{path}: {expected} in PEM form expected: {reason}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What should have been in it.
        expected: &'static str,
        /// The parser's words.
        reason: String,
    },
    /// Key and certificate do not belong together, or the key type is unknown.
    #[error("{certificate}: the key in {key} does not fit: {source}")]
    Key {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The cause.
        source: rustls::Error,
    },
    /// The leaf is not X.509, or names no host.
    #[error("{path}: {reason}")]
    Leaf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A self-signed certificate could not be made.
    #[error("self-signed certificate for {names}: {source}")]
    SelfSigned {
        /// The names asked for.
        names: String,
        /// The cause.
        source: rcgen::Error,
    },
}
