//! From a request to what was entered for its route.

use std::collections::HashMap;
use std::sync::Arc;

use super::host;
use super::paths::Paths;
use super::request::Asked;
use crate::config::{HostPattern, Route, normalized_path};

/// Routes by the Gateway API's precedence (HTTPRouteRule): an exact host over the longest wildcard; then an exact path
/// over a regular expression over the longest prefix; then a method, most headers, most query parameters; then the
/// order of the configuration. Where the API leaves it to implementations, expressions stand between exact paths and
/// prefixes and the longest text goes first, as with Envoy Gateway.
///
/// A route whose other conditions are not met leaves the request to the next path that matches.
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
            let conditions = Arc::new(route.conditions.clone());
            for host in &route.hosts {
                for path in &route.paths {
                    table.paths_of(host).insert(path, &conditions, entry);
                }
            }
            table.values.push(value);
        }
        table
    }

    /// The value for a request.
    pub fn find(&self, asked: &Asked<'_>) -> Option<&T> {
        let host = host::normalized(asked.host)?;
        let entry = self.owner(&host)?.find(&normalized_path(asked.path), asked)?;
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
mod tests;
