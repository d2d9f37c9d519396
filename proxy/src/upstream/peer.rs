//! A backend as Pingora connects to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pingora_core::protocols::tls::CaType;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::utils::tls::{WrappedX509, parse_x509};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Endpoint, StickyKeyError};
use crate::config::Upstream;

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
    /// Clients cannot be kept with a backend.
    #[error(transparent)]
    Sticky(#[from] StickyKeyError),
}

/// CA certificates to trust instead of the system's.
#[derive(Clone)]
pub struct Ca {
    certificates: Arc<CaType>,
    /// Tells these certificates from others.
    key: u64,
}

impl Ca {
    /// Reads the CA file of an https upstream.
    pub fn read(path: &Path) -> Result<Self, UpstreamError> {
        let failed = |reason: String| UpstreamError::Ca {
            path: path.to_owned(),
            reason,
        };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let mut certificates = Vec::new();
        let mut hash = Sha256::new();
        for der in CertificateDer::pem_slice_iter(&pem) {
            let der = der.map_err(|error| failed(error.to_string()))?;
            // Checked here, as Pingora's own parser panics on anything that is not X.509.
            X509Certificate::from_der(&der).map_err(|error| failed(error.to_string()))?;
            hash.update(&der);
            certificates.push(WrappedX509::new(der.to_vec(), parse_x509));
        }
        if certificates.is_empty() {
            return Err(failed("the file holds no CERTIFICATE block".to_owned()));
        }
        let mut first = [0; 8];
        first
            .iter_mut()
            .zip(hash.finalize())
            .for_each(|(byte, hashed)| *byte = hashed);
        Ok(Self {
            certificates: certificates.into(),
            key: u64::from_be_bytes(first),
        })
    }
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ca({} certificates)", self.certificates.len())
    }
}

/// The peer for one attempt at one address of a backend.
pub fn peer(upstream: &Upstream, endpoint: &Endpoint, ca: Option<&Ca>) -> HttpPeer {
    let backend = endpoint.backend();
    let server_name = upstream
        .tls
        .server_name
        .clone()
        .unwrap_or_else(|| backend.host.clone());
    let mut peer = HttpPeer::new(endpoint.address(), backend.tls(), server_name);
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
    options.ca = ca.map(|ca| Arc::clone(&ca.certificates));
    // The pool does not tell CAs apart by itself: a connection that was verified under one is none for a route
    // that trusts another.
    peer.group_key = ca.map_or(0, |ca| ca.key);
    peer
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Instant;

    use pingora_core::upstreams::peer::Peer;

    use super::*;
    use crate::config::testing::config;
    use crate::config::{Backend, Scheme};

    fn ca(folder: &tempfile::TempDir, name: &str) -> Ca {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, made.cert.pem()).unwrap();
        Ca::read(&path).unwrap()
    }

    #[test]
    fn connections_are_shared_only_under_the_same_trust() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (ca(&folder, "one"), ca(&folder, "other"));
        let reloaded = Ca::read(&folder.path().join("one")).unwrap();
        let config = config(
            "waf.mode = \"off\"\n[[routes]]\nname = \"app\"\nhosts = [\"app.example\"]\n\
             backends = [\"https://app.internal\"]\n",
        );
        let mut upstream = config.routes[0].upstream.clone();
        let backend = Backend {
            scheme: Scheme::Https,
            host: "app.internal".to_owned(),
            port: 443,
        };
        let address = SocketAddr::from(([192, 0, 2, 1], 443));
        let endpoint = Endpoint::new(&Arc::new(backend), address, Instant::now());
        let key = |upstream: &Upstream, ca| peer(upstream, &endpoint, ca).reuse_hash();
        let trusted = key(&upstream, Some(&one));
        assert_eq!(trusted, key(&upstream, Some(&reloaded)));
        assert_ne!(trusted, key(&upstream, Some(&other)));
        assert_ne!(trusted, key(&upstream, None));
        upstream.tls.verify = false;
        assert_ne!(trusted, key(&upstream, Some(&one)));
    }
}
