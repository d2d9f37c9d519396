//! A backend as Pingora connects to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pingora_core::protocols::tls::CaType;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::utils::tls::{WrappedX509, parse_x509};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::{Backend, Upstream};

/// What can be wrong with an upstream once its configuration is read.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The CA file cannot be used.
    #[error("{path}: CA certificates in PEM form expected: {reason}")]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// CA certificates to trust instead of the system's.
#[derive(Clone)]
pub struct Ca(Arc<CaType>);

impl Ca {
    /// Reads the CA file of an https upstream.
    pub fn read(path: &Path) -> Result<Self, UpstreamError> {
        let failed = |reason: String| UpstreamError::Ca {
            path: path.to_owned(),
            reason,
        };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let mut certificates = Vec::new();
        for der in CertificateDer::pem_slice_iter(&pem) {
            let der = der.map_err(|error| failed(error.to_string()))?;
            // Checked here, as Pingora's own parser panics on anything that is not X.509.
            X509Certificate::from_der(&der).map_err(|error| failed(error.to_string()))?;
            certificates.push(WrappedX509::new(der.to_vec(), parse_x509));
        }
        if certificates.is_empty() {
            return Err(failed("the file holds no CERTIFICATE block".to_owned()));
        }
        Ok(Self(certificates.into()))
    }
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ca({} certificates)", self.0.len())
    }
}

/// The peer for one attempt at one address of a backend.
pub fn peer(upstream: &Upstream, backend: &Backend, address: SocketAddr, ca: Option<&Ca>) -> HttpPeer {
    let server_name = upstream
        .tls
        .server_name
        .clone()
        .unwrap_or_else(|| backend.host.clone());
    let mut peer = HttpPeer::new(address, backend.tls, server_name);
    let options = &mut peer.options;
    options.connection_timeout = Some(upstream.connect_timeout);
    options.total_connection_timeout = Some(upstream.connect_timeout);
    // Pingora has one read timeout for the first byte and for the pauses after it: this is the one for
    // pauses; the flow holds the first byte to its own deadline.
    options.read_timeout = Some(upstream.idle_timeout.max(upstream.first_byte_timeout));
    options.write_timeout = Some(upstream.idle_timeout);
    options.idle_timeout = Some(upstream.idle_timeout);
    options.verify_cert = upstream.tls.verify;
    options.verify_hostname = upstream.tls.verify;
    options.ca = ca.map(|ca| Arc::clone(&ca.0));
    peer
}
