//! The live certificate set behind rustls: swapped in one step, read by each handshake.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::CertificateSet;

/// The handle that publishes certificate sets.
#[derive(Debug, Clone)]
pub struct CertificateStore {
    current: Arc<ArcSwap<CertificateSet>>,
}

impl CertificateStore {
    /// A store that serves `set`.
    pub fn new(set: CertificateSet) -> Self {
        Self {
            current: Arc::new(ArcSwap::from_pointee(set)),
        }
    }

    /// The next handshake sees `set`; connections keep what they have.
    pub fn publish(&self, set: CertificateSet) {
        self.current.store(Arc::new(set));
    }

    /// The set as it is now.
    pub fn current(&self) -> Arc<CertificateSet> {
        self.current.load_full()
    }

    /// What rustls asks.
    pub fn resolver(&self) -> Arc<SniResolver> {
        Arc::new(SniResolver { store: self.clone() })
    }
}

/// Answers rustls' question for a certificate.
#[derive(Debug)]
pub struct SniResolver {
    store: CertificateStore,
}

impl ResolvesServerCert for SniResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.store
            .current
            .load()
            .find(hello.server_name())
            .map(|entry| Arc::clone(&entry.key))
    }
}
