//! The live certificate set behind rustls: swapped in one step, read by each handshake.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{CertificateSet, Entry};

/// The handle that publishes certificates: those of files come with a configuration, those that were issued by
/// themselves. The next handshake sees what was published; connections keep what they have.
#[derive(Debug, Clone)]
pub struct CertificateStore {
    current: Arc<ArcSwap<CertificateSet>>,
    parts: Arc<Mutex<Parts>>,
}

/// What the set that serves is made of.
#[derive(Debug)]
struct Parts {
    files: CertificateSet,
    issued: Vec<Entry>,
}

impl CertificateStore {
    /// A store that serves `files`.
    pub fn new(files: CertificateSet) -> Self {
        let parts = Parts {
            files,
            issued: Vec::new(),
        };
        Self {
            current: Arc::new(ArcSwap::from_pointee(parts.together())),
            parts: Arc::new(Mutex::new(parts)),
        }
    }

    /// Certificates of files, instead of those before. Where a file and an issued certificate carry the same name the
    /// file answers: somebody wrote it down.
    pub fn publish(&self, files: CertificateSet) {
        self.change(|parts| parts.files = files);
    }

    /// Issued certificates, instead of those before. A stand-in takes no place of a certificate that serves: that one may
    /// only not be readable for a while.
    pub fn publish_issued(&self, issued: Vec<Entry>) {
        self.change(|parts| {
            let before = std::mem::take(&mut parts.issued);
            let served = |entry: &Entry| {
                let same = |known: &&Entry| !known.stand_in && known.names == entry.names;
                before.iter().find(same).cloned()
            };
            let keep = |entry: Entry| match entry.stand_in {
                true => served(&entry).unwrap_or(entry),
                false => entry,
            };
            parts.issued = issued.into_iter().map(keep).collect();
        });
    }

    /// The set as it is now.
    pub fn current(&self) -> Arc<CertificateSet> {
        self.current.load_full()
    }

    fn change(&self, change: impl FnOnce(&mut Parts)) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut parts);
        self.current.store(Arc::new(parts.together()));
    }

    /// What rustls asks.
    pub fn resolver(&self) -> Arc<SniResolver> {
        Arc::new(SniResolver { store: self.clone() })
    }
}

impl Parts {
    fn together(&self) -> CertificateSet {
        let all = self.files.entries().iter().chain(&self.issued);
        CertificateSet::new(all.cloned().collect(), self.files.rejects_unknown())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::stand_in;

    #[test]
    fn certificates_a_stand_in_takes_no_place_of_one_that_serves() {
        let standing_in = stand_in(&["example.com".to_owned()]).unwrap();
        let issued = Entry {
            stand_in: false,
            origin: "issued".to_owned(),
            ..standing_in.clone()
        };
        let store = CertificateStore::new(CertificateSet::new(Vec::new(), false));
        let origin = || store.current().entries()[0].origin.clone();
        store.publish_issued(vec![standing_in.clone()]);
        assert_eq!(origin(), standing_in.origin);
        store.publish_issued(vec![issued]);
        store.publish_issued(vec![standing_in]);
        assert_eq!(origin(), "issued");
        // A name that is no longer wanted goes.
        store.publish_issued(Vec::new());
        assert!(store.current().entries().is_empty());
    }
}
