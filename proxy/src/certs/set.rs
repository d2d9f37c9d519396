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
    /// Self-signed, until there is a better one: it answers only for names that no other certificate carries.
    pub stand_in: bool,
}

/// Certificates by name. The first certificate that names a host answers for it.
#[derive(Debug, Default)]
pub struct CertificateSet {
    entries: Vec<Entry>,
    proper: Names,
    standing_in: Names,
    reject_unknown: bool,
}

/// Whose certificate a name's is, by its place among the entries.
#[derive(Debug, Default)]
struct Names {
    exact: HashMap<String, usize>,
    wildcard: HashMap<String, usize>,
}

impl CertificateSet {
    /// A set; with `reject_unknown` a name that no certificate carries gets none.
    pub fn new(mut entries: Vec<Entry>, reject_unknown: bool) -> Self {
        entries.sort_by_key(|entry| entry.stand_in);
        let mut set = Self {
            reject_unknown,
            ..Self::default()
        };
        for (place, entry) in entries.iter().enumerate() {
            let names = match entry.stand_in {
                true => &mut set.standing_in,
                false => &mut set.proper,
            };
            entry.names.iter().for_each(|name| names.add(name, place));
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

    /// Whether the certificate that such an SNI gets is for `host` as well.
    pub fn covers(&self, sni: &str, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        let is_it = |name: &String| match name.strip_prefix("*.") {
            Some(wildcard) => parent == Some(wildcard),
            None => *name == host,
        };
        self.find(Some(sni))
            .is_some_and(|entry| entry.names.iter().any(is_it))
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
        let place = self.proper.find(&name).or_else(|| self.standing_in.find(&name))?;
        self.entries.get(place)
    }

    fn fallback(&self) -> Option<&Entry> {
        if self.reject_unknown {
            None
        } else {
            self.entries.first()
        }
    }
}

impl Names {
    fn add(&mut self, name: &str, place: usize) {
        let (names, name) = match name.strip_prefix("*.") {
            Some(parent) => (&mut self.wildcard, parent),
            None => (&mut self.exact, name),
        };
        names.entry(name.to_owned()).or_insert(place);
    }

    fn find(&self, name: &str) -> Option<usize> {
        let exact = self.exact.get(name);
        let place = exact.or_else(|| self.wildcard.get(name.split_once('.')?.1));
        place.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::stand_in;

    fn entry(names: &[&str], standing_in: bool) -> Entry {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Entry {
            stand_in: standing_in,
            ..stand_in(&names).unwrap()
        }
    }

    #[test]
    fn certificates_a_stand_in_answers_only_for_names_that_no_other_carries() {
        let entries = vec![
            entry(&["home.example.com", "*.home.example.com"], true),
            entry(&["example.com", "*.example.com"], false),
        ];
        let set = CertificateSet::new(entries, false);
        let of = |name| set.find(Some(name)).unwrap().names[0].as_str();
        assert_eq!(of("home.example.com"), "example.com");
        assert_eq!(of("WWW.example.com"), "example.com");
        assert_eq!(of("app.home.example.com"), "home.example.com");
        assert_eq!(of("elsewhere.org"), "example.com");
    }
}
