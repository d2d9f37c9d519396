//! Who a client says it is, if it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::Leaf;

/// The certificate that a client shows if a handshake asks for one, and whether one did.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    shown: Option<Arc<CertifiedKey>>,
    asked: Arc<AtomicBool>,
}

impl Identity {
    /// Shows this one.
    pub fn of(leaf: &Leaf) -> Self {
        let chain = CertificateDer::pem_slice_iter(leaf.certificate.as_bytes()).collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        Identity {
            shown: Some(Arc::new(CertifiedKey::new(chain.unwrap(), key))),
            asked: Arc::default(),
        }
    }

    /// Whether a handshake has asked since the last look.
    pub fn was_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.shown.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
