//! Access policies: defaults, and options held against one another.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;

use super::{auth, client_certificate};
use crate::config::errors::{Place, Problem, Report};
use crate::config::raw;
use crate::config::ready::{Access, AddressPolicy, AddressSet, KeyPart, RateLimit, Route, RouteAccess};

/// So many clients at once are more than a home has, and one MiB for each limit.
const BUCKETS: usize = 65_536;

/// `[access]`.
pub(super) fn access(raw: raw::Access) -> Access {
    Access {
        country_database: raw.country_database,
        rate_limit_buckets: raw.rate_limit_buckets.unwrap_or(BUCKETS),
    }
}

/// Countries are nothing without a database.
pub(super) fn needs_database(raw: &raw::Access, routes: &[Arc<Route>], report: &Report) {
    let asks = |route: &&Arc<Route>| {
        let policy = route.access.addresses.as_deref();
        policy.is_some_and(AddressPolicy::asks_for_countries)
    };
    if raw.names_database {
        return;
    }
    for route in routes.iter().filter(asks) {
        let reason = format!(
            "route `{}` goes by countries, and access.country_database names no database",
            route.name
        );
        report.problem(&raw.place, Problem::Contradiction(reason));
    }
}

/// All of a route that says who may use it.
pub(super) fn route_access(raw: raw::RouteAccess, report: &Report) -> RouteAccess {
    RouteAccess {
        addresses: addresses(raw.addresses),
        client_certificate: raw.client_certificate.map(client_certificate::client_certificate),
        rate_limits: rate_limits(raw.rate_limits, report),
        basic_auth: raw.basic_auth.map(|raw| auth::basic_auth(raw, report)),
        forward_auth: raw.forward_auth.map(auth::forward_auth),
    }
}

fn addresses(raw: raw::AddressLists) -> Option<Arc<AddressPolicy>> {
    let files: Vec<PathBuf> = [&raw.allow_files, &raw.deny_files]
        .into_iter()
        .flatten()
        .flatten()
        .map(|(file, _)| file.clone())
        .collect();
    let policy = AddressPolicy {
        allow: together(raw.allow, raw.allow_files),
        deny: together(raw.deny, raw.deny_files).unwrap_or_default(),
        allow_countries: raw.allow_countries,
        deny_countries: raw.deny_countries.unwrap_or_default(),
        files,
    };
    let asks = policy.allow.is_some()
        || policy.asks_for_countries()
        || !policy.deny.is_empty()
        // An empty file may fill.
        || !policy.files.is_empty();
    asks.then(|| Arc::new(policy))
}

fn together(written: Option<Vec<IpNet>>, files: Option<Vec<(PathBuf, AddressSet)>>) -> Option<AddressSet> {
    if written.is_none() && files.is_none() {
        return None;
    }
    let written = AddressSet::new(written.unwrap_or_default());
    let files = files.unwrap_or_default().into_iter();
    Some(files.fold(written, |all, (_, file)| all.and(file)))
}

fn rate_limits(raw: Vec<raw::RateLimit>, report: &Report) -> Vec<RateLimit> {
    let mut names: HashMap<String, Place> = HashMap::new();
    raw.into_iter()
        .map(|raw| {
            let place = raw.place.clone();
            let limit = rate_limit(raw);
            if let Some(first) = names.insert(limit.name.clone(), place.clone()) {
                let what = format!(
                    "the rate limit `{}` (another `name` tells them apart)",
                    limit.name
                );
                report.problem(&place, Problem::Duplicate { what, first });
            }
            limit
        })
        .collect()
}

fn rate_limit(raw: raw::RateLimit) -> RateLimit {
    let by = match raw.by {
        Some(by) => by.into_iter().map(|part| part.value).collect(),
        None => vec![KeyPart::Client],
    };
    RateLimit {
        name: raw.name.unwrap_or_else(|| "default".to_owned()),
        requests: raw.requests,
        per: raw.per,
        burst: raw.burst.unwrap_or(raw.requests),
        by,
        paths: raw.paths.unwrap_or_default(),
        methods: raw.methods.unwrap_or_default(),
        except: AddressSet::new(raw.except.unwrap_or_default()),
    }
}
