//! Routes: unique names, no request that two routes claim, one upstream each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::matching::Claims;
use super::waf::Policies;
use super::{access, client_certificate, filters, headers, services};
use crate::config::decode::At;
use crate::config::errors::{Place, Problem, Report};
use crate::config::raw::{self, Target, Timeouts};
use crate::config::ready::{HostPattern, Route, Upstream, UpstreamTarget, UpstreamTls, WafMode};

/// What routes have where they say nothing themselves.
pub(super) struct Defaults {
    pub(super) timeouts: Timeouts,
    pub(super) security_headers: raw::SecurityHeaders,
}

/// The routes, in the order of the files.
pub(super) fn routes(
    raw: Vec<raw::Route>,
    defaults: &Defaults,
    policies: &mut Policies<'_>,
    report: &Report,
) -> Vec<Arc<Route>> {
    let mut claims = Claims::new(report);
    client_certificate::one_trust_for_each_host(&raw, report);
    raw.into_iter()
        .map(|raw| {
            let (paths, conditions) = claims.check(&raw);
            if raw.complete {
                check_effects(&raw, report);
            }
            let filters = filters::filters(raw.filters, &paths, report);
            let mut waf = policies.policy(raw.waf);
            if filters.redirect.is_some() {
                // Nothing of a request goes anywhere: there is nothing to judge, and no rules are needed.
                waf.mode = WafMode::Off;
            }
            let upstream = upstream(
                raw.target,
                raw.timeouts.or(defaults.timeouts),
                raw.host,
                raw.tls,
                report,
            );
            let hosts = raw.hosts.into_iter().map(|host| host.value).collect();
            Arc::new(Route {
                name: raw.name.value,
                hosts,
                paths,
                conditions,
                upstream,
                waf,
                dns: services::route_dns(raw.dns, report),
                filters,
                access: access::route_access(raw.access, report),
                security_headers: headers::security_headers(
                    raw.security_headers,
                    &defaults.security_headers,
                    report,
                ),
            })
        })
        .collect()
}

fn upstream(
    target: Target,
    timeouts: Timeouts,
    host: Option<Option<String>>,
    tls: Option<At<raw::UpstreamTls>>,
    report: &Report,
) -> Upstream {
    let target = match target {
        Target::Echo => UpstreamTarget::Echo,
        Target::Elsewhere => UpstreamTarget::Elsewhere,
        Target::Backends(backends) => {
            let distinct = distinct(&backends, |backend| format!("the backend {backend}"), report);
            UpstreamTarget::Backends(
                distinct
                    .into_iter()
                    .map(|backend| backend.value.clone())
                    .collect(),
            )
        }
    };
    let tls = tls.map(|tls| tls.value);
    Upstream {
        target,
        connect_timeout: timeouts.connect.unwrap_or(Duration::from_secs(5)),
        first_byte_timeout: timeouts.first_byte.unwrap_or(Duration::from_secs(60)),
        idle_timeout: timeouts.idle.unwrap_or(Duration::from_secs(300)),
        host: host.flatten(),
        tls: UpstreamTls {
            verify: tls.as_ref().and_then(|tls| tls.verify).unwrap_or(true),
            ca: tls.as_ref().and_then(|tls| tls.ca.clone()),
            server_name: tls.and_then(|tls| tls.server_name),
        },
    }
}

/// Options that cannot have an effect are slips of the pen.
fn check_effects(route: &raw::Route, report: &Report) {
    let https = match &route.target {
        Target::Backends(backends) => backends.iter().any(|backend| backend.value.tls),
        Target::Echo | Target::Elsewhere => false,
    };
    if let (Some(tls), false) = (&route.tls, https) {
        let reason = "`tls` has no effect: no backend of this route is https";
        report.problem(&tls.place, Problem::Contradiction(reason.to_owned()));
    }
    for exclusion in &route.waf.exclusions {
        for host in &exclusion.value.hosts {
            if !route.hosts.iter().any(|served| overlap(&served.value, host)) {
                let reason = format!("this exclusion never applies to `{host}`: the route does not serve it");
                report.problem(&exclusion.place, Problem::Contradiction(reason));
            }
        }
    }
}

impl Timeouts {
    fn or(self, defaults: Timeouts) -> Timeouts {
        Timeouts {
            connect: self.connect.or(defaults.connect),
            first_byte: self.first_byte.or(defaults.first_byte),
            idle: self.idle.or(defaults.idle),
        }
    }
}

/// The first of each value; what repeats one is reported.
pub(super) fn distinct<'v, T: Eq + Hash + Clone>(
    values: &'v [At<T>],
    name: impl Fn(&T) -> String,
    report: &Report,
) -> Vec<&'v At<T>> {
    let mut seen = HashMap::new();
    let is_new = |value: &&At<T>| {
        unique(
            &mut seen,
            value.value.clone(),
            &value.place,
            || name(&value.value),
            report,
        )
    };
    values.iter().filter(is_new).collect()
}

pub(super) fn unique<T: Eq + Hash>(
    seen: &mut HashMap<T, Place>,
    value: T,
    place: &Place,
    what: impl FnOnce() -> String,
    report: &Report,
) -> bool {
    match seen.entry(value) {
        Entry::Vacant(free) => {
            free.insert(place.clone());
            true
        }
        Entry::Occupied(taken) => {
            let first = taken.get().clone();
            report.problem(place, Problem::Duplicate { what: what(), first });
            false
        }
    }
}

/// Whether any hostname matches both.
fn overlap(one: &HostPattern, other: &HostPattern) -> bool {
    let below = |name: &str, suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
    match (one, other) {
        (HostPattern::Exact(one), HostPattern::Exact(other)) => one == other,
        (HostPattern::Exact(name), HostPattern::Wildcard(suffix))
        | (HostPattern::Wildcard(suffix), HostPattern::Exact(name)) => below(name, suffix),
        (HostPattern::Wildcard(one), HostPattern::Wildcard(other)) => {
            one == other || below(one, other) || below(other, one)
        }
    }
}
