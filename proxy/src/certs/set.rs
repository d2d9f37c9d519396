//! A set of certificates and the choice among them by name. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::sign::CertifiedKey;

/// One certificate and the names it is for.
#[derive(Debug, Clone)]
pub struct Entry {
    /// DNS names of the leaf, lower case; wildcards as `*.example.com`.
    pub names: Vec<String>,
    /// End of validity, seconds since 1970.
    pub not_after: i64,
    /// Where it came from, for logs.
    pub origin: String,
    /// Chain and key.
    pub key: Arc<CertifiedKey>,
}

/// Certificates by name. The first certificate that names a host answers for it.
#[derive(Debug, Default)]
pub struct CertificateSet {
    entries: Vec<Entry>,
    exact: HashMap<String, usize>,
    wildcard: HashMap<String, usize>,
    reject_unknown: bool,
}

impl CertificateSet {
    /// A set; with `reject_unknown` a name that no certificate carries gets none.
    pub fn new(entries: Vec<Entry>, reject_unknown: bool) -> Self {
        let mut set = Self {
            reject_unknown,
            ..Self::default()
        };
        for (index, entry) in entries.iter().enumerate() {
            for name in &entry.names {
                match name.strip_prefix("*.") {
                    Some(suffix) => set.wildcard.entry(suffix.to_owned()).or_insert(index),
                    None => set.exact.entry(name.clone()).or_insert(index),
                };
            }
        }
        set.entries = entries;
        set
    }

    /// The certificate for an SNI: its own name, else the wildcard of its parent (RFC 9525: one label),
    /// else the first certificate unless unknown names are rejected. No SNI counts as unknown.
    pub fn find(&self, sni: Option<&str>) -> Option<&Entry> {
        sni.and_then(|name| self.find_named(name))
            .or_else(|| self.fallback())
    }

    /// All certificates.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a name that no certificate carries gets none.
    pub fn rejects_unknown(&self) -> bool {
        self.reject_unknown
    }

    fn find_named(&self, name: &str) -> Option<&Entry> {
        let name = name.to_ascii_lowercase();
        let index = self.exact.get(&name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.wildcard.get(parent)
        })?;
        self.entries.get(*index)
    }

    fn fallback(&self) -> Option<&Entry> {
        if self.reject_unknown {
            None
        } else {
            self.entries.first()
        }
    }
}
