//! What the files say about clients' certificates.

use std::path::PathBuf;

use crate::config::errors::Place;
use crate::config::ready::ClientCertificateHeader;

/// A route's `client_certificate`.
#[derive(Debug)]
pub(in crate::config) struct ClientCertificate {
    pub(in crate::config) required: Option<bool>,
    pub(in crate::config) ca: PathBuf,
    pub(in crate::config) crl: Option<PathBuf>,
    pub(in crate::config) crl_expired: Option<bool>,
    pub(in crate::config) crl_chain: Option<bool>,
    pub(in crate::config) headers: Option<Vec<ClientCertificateHeader>>,
    pub(in crate::config) place: Place,
}
