//! Where canaries are sent: anywhere, and once to each place that an exclusion names. What is taken away
//! there only must leave as much protection as what is taken away everywhere.

use std::collections::BTreeSet;

use crate::config::{Exclusion, HostPattern, PathMatch};

const HOST: &str = "canary.example";

/// A host, a path and a method, where a condition names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    host: Option<String>,
    /// The path of the requests; none for each canary's own.
    pub(super) path: Option<String>,
    method: Option<String>,
}

impl Place {
    /// The places of these exclusions, each once.
    pub(super) fn of(exclusions: &[Exclusion]) -> BTreeSet<Self> {
        let mut places: BTreeSet<Self> = exclusions.iter().flat_map(places).collect();
        places.remove(&Self::default());
        places
    }

    /// The host of the requests.
    pub(super) fn host(&self) -> &str {
        self.host.as_deref().unwrap_or(HOST)
    }

    /// Whether no path and no method limits it.
    pub(super) fn is_a_whole_host(&self) -> bool {
        self.path.is_none() && self.method.is_none()
    }

    /// The method for a canary; none if the place's own cannot carry it.
    pub(super) fn method<'a>(&'a self, usual: &'a str, without_body: bool) -> Option<&'a str> {
        let Some(method) = self.method.as_deref() else {
            return Some(usual);
        };
        (matches!(method, "GET" | "HEAD") == without_body).then_some(method)
    }
}

fn places(exclusion: &Exclusion) -> Vec<Place> {
    let path = exclusion.path.as_ref().map(|path| match path {
        PathMatch::Exact(path) => path.clone(),
        PathMatch::Prefix(path) => format!("{}/canary", path.trim_end_matches('/')),
    });
    let mut places = Vec::new();
    for host in each(exclusion.hosts.iter().map(host)) {
        for method in each(exclusion.methods.iter().cloned()) {
            places.push(Place {
                host: host.clone(),
                path: path.clone(),
                method,
            });
        }
    }
    places
}

fn host(pattern: &HostPattern) -> String {
    match pattern {
        HostPattern::Exact(name) => name.clone(),
        HostPattern::Wildcard(suffix) => format!("canary.{suffix}"),
    }
}

/// All of them, or one time none.
fn each(named: impl ExactSizeIterator<Item = String>) -> Vec<Option<String>> {
    if named.len() == 0 {
        vec![None]
    } else {
        named.map(Some).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ExcludedRules;

    fn exclusion(hosts: &[HostPattern], path: Option<PathMatch>, methods: &[&str]) -> Exclusion {
        Exclusion {
            rules: ExcludedRules::Ids(vec![(942_100, 942_100)]),
            targets: Vec::new(),
            hosts: hosts.to_vec(),
            path,
            methods: methods.iter().map(ToString::to_string).collect(),
            reason: "a test".to_owned(),
        }
    }

    #[test]
    fn each_condition_is_one_place() {
        let api = || Some(PathMatch::Prefix("/api".to_owned()));
        let hosts = [
            HostPattern::Exact("a.example".to_owned()),
            HostPattern::Wildcard("b.example".to_owned()),
        ];
        let places = Place::of(&[
            exclusion(&[], None, &[]),
            exclusion(&[], api(), &[]),
            exclusion(&[], api(), &[]),
            exclusion(&hosts, Some(PathMatch::Exact("/x".to_owned())), &[]),
            exclusion(&[], None, &["GET", "PUT"]),
        ]);
        let told: Vec<String> = places
            .iter()
            .map(|place| format!("{:?} {} {:?}", place.method, place.host(), place.path))
            .collect();
        assert_eq!(
            told,
            [
                "Some(\"GET\") canary.example None",
                "Some(\"PUT\") canary.example None",
                "None canary.example Some(\"/api/canary\")",
                "None a.example Some(\"/x\")",
                "None canary.b.example Some(\"/x\")",
            ]
        );
    }

    #[test]
    fn a_method_carries_what_it_can() {
        let place = |method: &str| Place {
            method: Some(method.to_owned()),
            ..Place::default()
        };
        assert_eq!(Place::default().method("POST", false), Some("POST"));
        assert_eq!(place("GET").method("POST", false), None);
        assert_eq!(place("PUT").method("POST", false), Some("PUT"));
        assert_eq!(place("PUT").method("GET", true), None);
    }
}
