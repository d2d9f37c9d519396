//! Routes: unique names, no request that two routes claim, one upstream each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::matching::Claims;
use super::waf::Policies;
use super::{access, client_certificate, filters, headers, health, services, upstream};
use crate::config::decode::At;
use crate::config::errors::{Place, Problem, Report};
use crate::config::raw::{self, Target, Timeouts};
use crate::config::ready::{
    CertificateFiles, HostPattern, Route, Scheme, Upstream, UpstreamTarget, UpstreamTls, WafMode,
    WeightedBackend,
};

/// What routes have where they say nothing themselves.
pub(super) struct Defaults {
    pub(super) timeouts: Timeouts,
    pub(super) balancing: raw::Balancing,
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
            upstream::check_queue(&raw.balancing, &defaults.balancing, report);
            let upstream = Said {
                target: raw.target,
                timeouts: raw.timeouts.or(defaults.timeouts),
                host: raw.host,
                tls: raw.tls,
                balancing: raw.balancing.or(&defaults.balancing),
                sticky: raw.sticky,
                health: raw.health,
            };
            let upstream = upstream.build(report);
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

/// What the file says about a route's upstream.
struct Said {
    target: Target,
    timeouts: Timeouts,
    host: Option<Option<String>>,
    tls: Option<At<raw::UpstreamTls>>,
    balancing: raw::Balancing,
    sticky: Option<At<raw::Sticky>>,
    health: Option<raw::Health>,
}

impl Said {
    fn build(self, report: &Report) -> Upstream {
        let target = match self.target {
            Target::Echo => UpstreamTarget::Echo,
            Target::Elsewhere => UpstreamTarget::Elsewhere,
            Target::Backends(backends) => UpstreamTarget::Backends(weighted(backends, report)),
        };
        let raw = self.balancing;
        let grpc = self.health.as_ref().and_then(|raw| raw.grpc.as_ref());
        if let (Some(at), UpstreamTarget::Backends(backends)) = (grpc, &target)
            && let Some(plain) = backends
                .iter()
                .find(|weighted| weighted.backend.scheme == Scheme::Http)
        {
            let reason = format!(
                "gRPC needs HTTP/2, and {} speaks HTTP/1.1: h2c:// or https://",
                plain.backend
            );
            report.problem(&at.place, Problem::Contradiction(reason));
        }
        let health = self.health.map(|raw| health::health(raw, report));
        Upstream {
            target,
            connect_timeout: self.timeouts.connect.unwrap_or(Duration::from_secs(5)),
            first_byte_timeout: self.timeouts.first_byte.unwrap_or(Duration::from_secs(60)),
            idle_timeout: self.timeouts.idle.unwrap_or(Duration::from_secs(300)),
            keepalive_timeout: raw.keepalive_timeout.unwrap_or(Duration::from_secs(60)),
            max_response_head: raw.max_response_head.unwrap_or(64 << 10),
            http2: raw.http2.unwrap_or(false),
            upgrades: raw
                .upgrades
                .clone()
                .unwrap_or_else(|| vec!["websocket".to_owned()]),
            retries: upstream::retries(raw.retries.clone()),
            host: self.host.flatten(),
            tls: tls(self.tls.map(|tls| tls.value)),
            balancing: upstream::balancing(raw, self.sticky, health, report),
        }
    }
}

fn tls(raw: Option<raw::UpstreamTls>) -> UpstreamTls {
    let Some(raw) = raw else {
        return UpstreamTls {
            verify: true,
            ca: None,
            server_name: None,
            certificate: None,
        };
    };
    let files = raw.certificate.zip(raw.key);
    UpstreamTls {
        verify: raw.verify.unwrap_or(true),
        ca: raw.ca,
        server_name: raw.server_name,
        certificate: files.map(|(certificate, key)| CertificateFiles { certificate, key }),
    }
}

/// No backend twice.
fn weighted(raw: Vec<raw::WeightedBackend>, report: &Report) -> Vec<WeightedBackend> {
    let mut seen = HashMap::new();
    let mut backends = Vec::with_capacity(raw.len());
    for raw in raw {
        let At {
            value: backend,
            place,
        } = raw.backend;
        let what = || format!("the backend {backend}");
        if unique(&mut seen, backend.clone(), &place, what, report) {
            let weight = raw.weight.unwrap_or(1);
            backends.push(WeightedBackend { backend, weight });
        }
    }
    backends
}

/// Options that cannot have an effect are slips of the pen.
fn check_effects(route: &raw::Route, report: &Report) {
    let https = match &route.target {
        Target::Backends(backends) => backends.iter().any(|raw| raw.backend.value.tls()),
        Target::Echo | Target::Elsewhere => false,
    };
    if let (Some(tls), false) = (&route.tls, https) {
        let reason = "`tls` has no effect: no backend of this route is https";
        report.problem(&tls.place, Problem::Contradiction(reason.to_owned()));
    }
    if let Target::Backends(backends) = &route.target
        && backends.iter().all(|raw| raw.weight == Some(0))
        && let Some(first) = backends.first()
    {
        let reason = "no backend of this route has a weight: nothing would be served";
        report.problem(&first.backend.place, Problem::Contradiction(reason.to_owned()));
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
