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

impl Entry {
    /// Whether it carries the name, or the wildcard of its parent (RFC 9525: one label).
    fn is_for(&self, host: &str) -> bool {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(wildcard) => parent.is_some_and(|parent| parent.eq_ignore_ascii_case(wildcard)),
            None => name.eq_ignore_ascii_case(host),
        })
    }
}

/// Certificates by name. The first certificate that names a host answers for it, unless it is over.
#[derive(Debug, Default)]
pub struct CertificateSet {
    entries: Vec<Entry>,
    proper: Names,
    standing_in: Names,
    reject_unknown: bool,
}

/// Whose certificates a name's are, by their places among the entries.
#[derive(Debug, Default)]
struct Names {
    exact: HashMap<String, Vec<usize>>,
    wildcard: HashMap<String, Vec<usize>>,
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
    /// else the first certificate unless unknown names are rejected. No SNI counts as unknown. One that is over `now`
    /// (seconds since 1970) comes behind every other that would do.
    pub fn find(&self, sni: Option<&str>, now: i64) -> Option<&Entry> {
        sni.and_then(|name| self.find_named(name, now))
            .or_else(|| self.fallback(now))
    }

    /// Whether a certificate that such an SNI may get is for `host` as well.
    pub fn covers(&self, sni: &str, host: &str) -> bool {
        let mut named = self.entries.iter().filter(|entry| entry.is_for(sni)).peekable();
        match named.peek() {
            Some(_) => named.any(|entry| entry.is_for(host)),
            None => self.entries.first().is_some_and(|entry| entry.is_for(host)),
        }
    }

    /// All certificates.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a name that no certificate carries gets none.
    pub fn rejects_unknown(&self) -> bool {
        self.reject_unknown
    }

    fn find_named(&self, name: &str, now: i64) -> Option<&Entry> {
        let name = name.to_ascii_lowercase();
        let proper = self.first(self.proper.places(&name), now);
        proper.or_else(|| self.first(self.standing_in.places(&name), now))
    }

    fn fallback(&self, now: i64) -> Option<&Entry> {
        match self.reject_unknown {
            true => None,
            false => self.first(0..self.entries.len(), now),
        }
    }

    /// The first that is not over; if all are, the first.
    fn first(&self, places: impl Iterator<Item = usize> + Clone, now: i64) -> Option<&Entry> {
        let mut entries = places.filter_map(|place| self.entries.get(place));
        let first = entries.next()?;
        match first.not_after > now {
            true => Some(first),
            false => Some(entries.find(|entry| entry.not_after > now).unwrap_or(first)),
        }
    }
}

impl Names {
    fn add(&mut self, name: &str, place: usize) {
        let (names, name) = match name.strip_prefix("*.") {
            Some(parent) => (&mut self.wildcard, parent),
            None => (&mut self.exact, name),
        };
        names.entry(name.to_owned()).or_default().push(place);
    }

    /// Those of the name itself, then those of its parent's wildcard.
    fn places(&self, name: &str) -> impl Iterator<Item = usize> + Clone {
        let wildcard = name
            .split_once('.')
            .and_then(|(_, parent)| self.wildcard.get(parent));
        let both = self.exact.get(name).into_iter().chain(wildcard);
        both.flatten().copied()
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
        let of = |name| set.find(Some(name), 0).unwrap().names[0].as_str();
        assert_eq!(of("home.example.com"), "example.com");
        assert_eq!(of("WWW.example.com"), "example.com");
        assert_eq!(of("app.home.example.com"), "home.example.com");
        assert_eq!(of("elsewhere.org"), "example.com");
    }

    #[test]
    fn certificates_that_are_over_answer_for_nothing_that_another_would() {
        const NOW: i64 = 1_000;
        let until = |not_after, entry| Entry { not_after, ..entry };
        let names = |names: &[&str]| entry(names, false);
        let entries = vec![
            until(NOW, names(&["www.example.com"])),
            until(NOW + 1, names(&["example.com", "*.example.com"])),
            until(NOW, names(&["old.example.org"])),
            until(NOW + 1, names(&["old.example.org"])),
            until(NOW, names(&["over.example.net"])),
        ];
        let set = CertificateSet::new(entries, false);
        let of = |name, now| {
            let found = set.find(Some(name), now).unwrap();
            (found.names[0].as_str(), found.not_after)
        };
        assert_eq!(of("www.example.com", NOW - 1).0, "www.example.com");
        assert_eq!(of("www.example.com", NOW).0, "example.com");
        assert_eq!(of("old.example.org", NOW), ("old.example.org", NOW + 1));
        // Better than none.
        assert_eq!(of("over.example.net", NOW), ("over.example.net", NOW));
        assert_eq!(of("elsewhere.test", NOW).0, "example.com");
        assert_eq!(of("www.example.com", NOW + 9).0, "www.example.com");
    }
}
