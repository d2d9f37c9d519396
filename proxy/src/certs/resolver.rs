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

    /// Issued certificates, instead of those before. One that serves goes on, in the place of its stand-in if there is
    /// one, as long as `wanted` has its names and there is no other: it may only not be readable for a while.
    pub fn publish_issued(&self, issued: Vec<Entry>, wanted: &[Vec<String>]) {
        self.change(|parts| {
            let before = std::mem::replace(&mut parts.issued, issued);
            for names in wanted {
                let is_for = |entry: &Entry| {
                    entry.names.len() == names.len() && entry.names.iter().all(|name| names.contains(name))
                };
                let Some(served) = before.iter().find(|entry| !entry.stand_in && is_for(entry)) else {
                    continue;
                };
                match parts.issued.iter_mut().find(|entry| is_for(entry)) {
                    Some(entry) if entry.stand_in => entry.clone_from(served),
                    Some(_) => {}
                    None => parts.issued.push(served.clone()),
                }
            }
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
            .find(hello.server_name(), now())
            .map(|entry| Arc::clone(&entry.key))
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::stand_in;

    #[test]
    fn certificates_that_are_wanted_and_cannot_be_read_go_on_serving() {
        let names = ["example.com", "*.example.com"].map(str::to_owned);
        let standing_in = stand_in(&names).unwrap();
        let issued = Entry {
            // CAs have an order of their own.
            names: names.iter().rev().cloned().collect(),
            stand_in: false,
            origin: "issued".to_owned(),
            ..standing_in.clone()
        };
        let store = CertificateStore::new(CertificateSet::new(Vec::new(), false));
        let origins = || {
            let set = store.current();
            let origins = set.entries().iter().map(|entry| entry.origin.clone());
            origins.collect::<Vec<String>>()
        };
        let wanted = [names.to_vec()];
        store.publish_issued(vec![standing_in.clone()], &wanted);
        assert_eq!(origins(), [standing_in.origin.as_str()]);
        store.publish_issued(vec![issued], &wanted);
        store.publish_issued(vec![standing_in], &wanted);
        assert_eq!(origins(), ["issued"]);
        // Where nothing stands in.
        store.publish_issued(Vec::new(), &wanted);
        assert_eq!(origins(), ["issued"]);
        // A name that is no longer wanted goes.
        store.publish_issued(Vec::new(), &[]);
        assert_eq!(origins(), [""; 0]);
    }
}
