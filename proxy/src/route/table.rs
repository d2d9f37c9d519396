//! From host and path to what was entered for a route.

use std::collections::HashMap;

use super::host;
use super::paths::Paths;
use crate::config::{HostPattern, Route, normalized_path};

/// Routes by host and path: an exact host over the longest wildcard, then an exact path over the longest
/// prefix.
///
/// The most specific pattern that matches a host owns it: if none of its paths match, the request has no
/// route, whatever a wildcard would say (docs/decisions/0011-a-host-has-one-owner.md).
///
/// Ordinary lookups (lower-case host, normal path) allocate nothing.
#[derive(Debug, Clone)]
pub struct RouteTable<T> {
    values: Vec<T>,
    exact: HashMap<String, Paths>,
    /// By suffix, without `*.`.
    wildcards: HashMap<String, Paths>,
}

impl<T> RouteTable<T> {
    /// The table of `routes`, each with the value that [`Self::find`] returns for it.
    pub fn new<'r>(routes: impl IntoIterator<Item = (&'r Route, T)>) -> Self {
        let mut table = Self {
            values: Vec::new(),
            exact: HashMap::new(),
            wildcards: HashMap::new(),
        };
        for (entry, (route, value)) in routes.into_iter().enumerate() {
            for host in &route.hosts {
                for path in &route.paths {
                    table.paths_of(host).insert(path, entry);
                }
            }
            table.values.push(value);
        }
        table
    }

    /// The value for a request. `host` is as the client sent it, in any case, with or without port and
    /// trailing dot; `path` is the path as it was sent, without the query.
    pub fn find(&self, host: &str, path: &str) -> Option<&T> {
        let host = host::normalized(host)?;
        let entry = self.owner(&host)?.find(&normalized_path(path))?;
        self.values.get(entry)
    }

    /// All values, in the order of their routes.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    fn owner(&self, host: &str) -> Option<&Paths> {
        let suffixes = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        let longest_wildcard = || suffixes.into_iter().find_map(|suffix| self.wildcards.get(suffix));
        self.exact.get(host).or_else(longest_wildcard)
    }

    fn paths_of(&mut self, host: &HostPattern) -> &mut Paths {
        match host {
            HostPattern::Exact(name) => self.exact.entry(name.clone()).or_default(),
            HostPattern::Wildcard(suffix) => self.wildcards.entry(suffix.clone()).or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::seq::IndexedRandom;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::config::PathMatch;
    use crate::config::testing::config;

    fn route(name: &str, hosts: &[HostPattern], paths: &[PathMatch]) -> Route {
        let config = config("[[routes]]\nname = \"x\"\nhosts = [\"x.test\"]\necho = true\n");
        let template = Route::clone(&config.routes[0]);
        Route {
            name: name.to_owned(),
            hosts: hosts.to_vec(),
            paths: paths.to_vec(),
            ..template
        }
    }

    fn exact(host: &str) -> HostPattern {
        HostPattern::Exact(host.to_owned())
    }

    fn wildcard(suffix: &str) -> HostPattern {
        HostPattern::Wildcard(suffix.to_owned())
    }

    fn prefix(path: &str) -> PathMatch {
        PathMatch::Prefix(path.to_owned())
    }

    fn exactly(path: &str) -> PathMatch {
        PathMatch::Exact(path.to_owned())
    }

    fn table(routes: &[Route]) -> RouteTable<&str> {
        RouteTable::new(routes.iter().map(|route| (route, route.name.as_str())))
    }

    #[test]
    fn the_most_specific_host_and_path_win() {
        let routes = [
            route("any", &[wildcard("example")], &[prefix("/")]),
            route("apps", &[wildcard("apps.example")], &[prefix("/")]),
            route("blog", &[exact("blog.apps.example")], &[prefix("/")]),
            route("api", &[exact("blog.apps.example")], &[prefix("/api")]),
            route("v2", &[exact("blog.apps.example")], &[prefix("/api/v2")]),
            route("ping", &[exact("blog.apps.example")], &[exactly("/api/v2/ping")]),
            route("v6", &[exact("[::1]")], &[prefix("/")]),
            route("deep", &[exact("deep.example")], &[prefix("/only/here")]),
        ];
        let table = table(&routes);
        for (host, path, expected) in [
            ("blog.apps.example", "/", Some("blog")),
            ("BLOG.apps.example.:8443", "/", Some("blog")),
            ("blog.apps.example", "/api", Some("api")),
            ("blog.apps.example", "/api/", Some("api")),
            ("blog.apps.example", "/apix", Some("blog")),
            ("blog.apps.example", "/api/v1", Some("api")),
            ("blog.apps.example", "/api/v2/x/y/z", Some("v2")),
            ("blog.apps.example", "/api/v2/ping", Some("ping")),
            ("blog.apps.example", "/api/v2/ping/", Some("v2")),
            ("blog.apps.example", "/%61pi//x/../v2/", Some("v2")),
            ("wiki.apps.example", "/api", Some("apps")),
            ("a.b.c.apps.example", "/", Some("apps")),
            ("apps.example", "/", Some("any")),
            ("example", "/", None),
            ("notexample", "/", None),
            ("other.test", "/", None),
            ("[0::1]:443", "/x", Some("v6")),
            // The exact host owns its name: no wildcard answers for the paths it lacks.
            ("deep.example", "/only/here/too", Some("deep")),
            ("deep.example", "/only", None),
            ("deep.example", "/", None),
            ("blog.apps.example", "*", None),
            ("blog.apps.example", "", None),
            ("", "/", None),
        ] {
            assert_eq!(table.find(host, path).copied(), expected, "{host} {path}");
        }
        assert_eq!(table.values().count(), routes.len());
    }

    /// What the table's documentation says, word for word and slowly.
    fn oracle<'r>(routes: &'r [Route], host: &str, path: &str) -> Option<&'r str> {
        let specificity = |pattern: &HostPattern| match pattern {
            HostPattern::Exact(name) if name == host => Some((1, name.len())),
            HostPattern::Wildcard(suffix) if host.ends_with(&format!(".{suffix}")) => Some((0, suffix.len())),
            _ => None,
        };
        let weight = |condition: &PathMatch| match condition {
            PathMatch::Exact(exact) if exact == path => Some((1, exact.len())),
            PathMatch::Prefix(prefix) if prefix == "/" || prefix == path => Some((0, prefix.len())),
            PathMatch::Prefix(prefix) if path.starts_with(&format!("{prefix}/")) => Some((0, prefix.len())),
            _ => None,
        };
        let best = routes
            .iter()
            .flat_map(|route| &route.hosts)
            .filter_map(specificity)
            .max()?;
        routes
            .iter()
            .filter(|route| {
                route
                    .hosts
                    .iter()
                    .filter_map(specificity)
                    .any(|found| found == best)
            })
            .flat_map(|route| {
                route
                    .paths
                    .iter()
                    .filter_map(weight)
                    .map(|weight| (weight, route.name.as_str()))
            })
            .max_by_key(|(weight, _)| *weight)
            .map(|(_, name)| name)
    }

    #[test]
    fn the_table_agrees_with_the_slow_definition() {
        const LABELS: &[&str] = &["a", "b", "example"];
        const SEGMENTS: &[&str] = &["x", "y", "xy"];
        let mut random = StdRng::seed_from_u64(3);
        for _ in 0..150 {
            let mut taken = std::collections::HashSet::new();
            let routes: Vec<Route> = (0..random.random_range(1..12))
                .filter_map(|index| {
                    let name = words(&mut random, LABELS, 1..4, ".");
                    let host = if random.random() {
                        exact(&name)
                    } else {
                        wildcard(&name)
                    };
                    let text = format!("/{}", words(&mut random, SEGMENTS, 0..4, "/"));
                    let path = if random.random() {
                        exactly(&text)
                    } else {
                        prefix(&text)
                    };
                    let free = taken.insert((host.clone(), path.clone()));
                    free.then(|| route(&index.to_string(), &[host], &[path]))
                })
                .collect();
            let table = table(&routes);
            for _ in 0..100 {
                let host = words(&mut random, LABELS, 1..5, ".");
                let path = format!("/{}", words(&mut random, SEGMENTS, 0..5, "/"));
                let expected = oracle(&routes, &host, &path);
                assert_eq!(
                    table.find(&host, &path).copied(),
                    expected,
                    "{host} {path} in {routes:#?}"
                );
            }
        }
    }

    fn words(random: &mut StdRng, from: &[&str], count: std::ops::Range<usize>, between: &str) -> String {
        let count = random.random_range(count);
        (0..count)
            .filter_map(|_| from.choose(random).copied())
            .collect::<Vec<_>>()
            .join(between)
    }

    #[test]
    fn a_path_full_of_slashes_is_looked_up_quickly() {
        let routes = [route("a", &[exact("a.example")], &[prefix("/"), prefix("/x/y")])];
        let table = table(&routes);
        let path = "/x".repeat(1 << 20);
        let begin = std::time::Instant::now();
        assert_eq!(table.find("a.example", &path), Some(&"a"));
        // Quadratic, this would take minutes.
        assert!(begin.elapsed().as_secs() < 5);
    }
}
