//! What a TLS handshake told of its client.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use super::ClientTrust;

/// What a TLS handshake told of its client; kept with the connection's facts, in the `extension` of its TLS digest.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// The name that it asked for (SNI), in lower case.
    pub server_name: Option<Box<str>>,
    /// The certificates that it showed, its own first.
    pub certificates: Vec<CertificateDer<'static>>,
    /// What they were verified by; none where no certificate was asked for.
    pub trust: Option<Arc<ClientTrust>>,
}
