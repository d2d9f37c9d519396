//! No request that two routes claim: neither has another's host, path and conditions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use super::routes::{distinct, unique};
use crate::config::decode::At;
use crate::config::errors::{Place, Problem, Report};
use crate::config::raw;
use crate::config::ready::{
    Conditions, HeaderMatch, HostPattern, PathMatch, QueryMatch, RoutePath, ValueMatch,
};

/// Who was first with a name, and with a host, a path and conditions.
pub(super) struct Claims<'r> {
    report: &'r Report,
    names: HashMap<String, Place>,
    requests: HashMap<Claim, (String, Place)>,
}

/// What one route takes. Methods are claimed one by one: of two routes that differ in nothing else, both cannot
/// have GET.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Claim {
    host: HostPattern,
    path: RoutePath,
    method: Option<String>,
    fields: Arc<(Vec<HeaderMatch>, Vec<QueryMatch>)>,
}

impl<'r> Claims<'r> {
    pub(super) fn new(report: &'r Report) -> Self {
        Self {
            report,
            names: HashMap::new(),
            requests: HashMap::new(),
        }
    }

    /// Enters the route's claims, reports those that stand already; returns its paths and conditions.
    pub(super) fn check(&mut self, route: &raw::Route) -> (Vec<RoutePath>, Conditions) {
        let what = || format!("the route name `{}`", route.name.value);
        unique(
            &mut self.names,
            route.name.value.clone(),
            &route.name.place,
            what,
            self.report,
        );
        let hosts = distinct(&route.hosts, |host| format!("the host `{host}`"), self.report);
        let everything = [At {
            value: PathMatch::Prefix("/".to_owned()).into(),
            place: route.name.place.clone(),
        }];
        let paths = distinct(
            route.paths.as_deref().unwrap_or(&everything),
            |path| format!("the path {path}"),
            self.report,
        );
        let conditions = self.conditions(&route.conditions);
        for host in hosts {
            for path in &paths {
                // Where the file names no path, the host is what the reader can change.
                let place = if route.paths.is_some() {
                    &path.place
                } else {
                    &host.place
                };
                self.claim(&route.name.value, &host.value, &path.value, &conditions, place);
            }
        }
        (paths.iter().map(|path| path.value.clone()).collect(), conditions)
    }

    fn conditions(&self, raw: &raw::Conditions) -> Conditions {
        let methods = raw.methods.as_deref().unwrap_or_default();
        let methods = distinct(methods, |method| format!("the method {method}"), self.report);
        let headers = by_name(
            &raw.headers,
            |header| header.name.to_string(),
            "header",
            self.report,
        );
        let query = by_name(&raw.query, |query| query.name.clone(), "parameter", self.report);
        let mut methods: Vec<String> = methods.iter().map(|method| method.value.clone()).collect();
        methods.sort();
        Conditions {
            methods,
            headers,
            query,
        }
    }

    fn claim(
        &mut self,
        route: &str,
        host: &HostPattern,
        path: &RoutePath,
        conditions: &Conditions,
        place: &Place,
    ) {
        let fields = Arc::new((conditions.headers.clone(), conditions.query.clone()));
        let methods: Vec<Option<&String>> = match conditions.methods.as_slice() {
            [] => vec![None],
            methods => methods.iter().map(Some).collect(),
        };
        for method in methods {
            let claim = Claim {
                host: host.clone(),
                path: path.clone(),
                method: method.cloned(),
                fields: Arc::clone(&fields),
            };
            match self.requests.entry(claim) {
                Entry::Vacant(free) => drop(free.insert((route.to_owned(), place.clone()))),
                Entry::Occupied(taken) => {
                    let (first_route, first) = taken.get();
                    let what = format!("{} (route `{first_route}`)", taken.key());
                    let first = first.clone();
                    self.report.problem(place, Problem::Duplicate { what, first });
                    return;
                }
            }
        }
    }
}

/// Sorted by name; a name that stands twice is reported.
fn by_name<T: Clone>(
    conditions: &[At<T>],
    name: impl Fn(&T) -> String,
    what: &str,
    report: &Report,
) -> Vec<T> {
    let mut seen = HashMap::new();
    let is_new = |condition: &&At<T>| {
        let name = name(&condition.value);
        let told = format!("the {what} `{name}`");
        unique(&mut seen, name, &condition.place, || told, report)
    };
    let kept = conditions.iter().filter(is_new);
    let mut kept: Vec<T> = kept.map(|condition| condition.value.clone()).collect();
    kept.sort_by_key(|condition| name(condition));
    kept
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host `{}` with the path {}", self.host, self.path)?;
        if let Some(method) = &self.method {
            write!(f, ", the method {method}")?;
        }
        for header in &self.fields.0 {
            write!(f, ", the header {}{}", header.name, Shown(&header.value))?;
        }
        for query in &self.fields.1 {
            write!(f, ", the parameter {}{}", query.name, Shown(&query.value))?;
        }
        Ok(())
    }
}

struct Shown<'v>(&'v ValueMatch);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ValueMatch::Present => Ok(()),
            ValueMatch::Exact(value) => write!(f, " \"{value}\""),
            ValueMatch::Regex(pattern) => write!(f, " /{}/", pattern.as_str()),
        }
    }
}
