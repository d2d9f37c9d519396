//! Prometheus metrics. Every name is listed with its meaning in docs/metrics.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::backends::BackendMetrics;
use super::heritage::Heritage;
use super::histogram::Histogram;

/// Labels of a finished request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route's name; empty where none matched.
    pub route: Arc<str>,
    /// The status sent; 0 if the client left before one.
    pub code: u16,
}

/// A route's label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabels {
    /// The route's name; empty where none matched.
    pub route: Arc<str>,
}

/// What the WAF made of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the label values are the names")]
pub enum WafOutcome {
    /// Nothing to object to.
    passed,
    /// Over the threshold, let through by mode DetectionOnly.
    detected,
    /// Answered with a refusal.
    blocked,
    /// The engine failed.
    failed,
}

/// Labels of a WAF verdict.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WafLabels {
    /// The route's name.
    pub route: Arc<str>,
    /// The verdict.
    pub outcome: WafOutcome,
}

/// Why the edge itself refused a request, before the WAF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the label values are the names")]
pub enum Refusal {
    /// The client is banned.
    banned,
    /// The client's address is not allowed.
    address,
    /// Its country is not allowed.
    country,
    /// The connection was made to another host, where no certificate is asked for.
    misdirected,
    /// The client showed no certificate.
    client_certificate,
    /// Too many requests.
    rate_limit,
    /// No password, or a wrong one.
    basic_auth,
    /// Too many wrong passwords.
    attempts,
    /// Too many passwords to verify at once.
    busy,
    /// The auth service refused it.
    forward_auth,
    /// The auth service could not be asked.
    auth_unavailable,
}

impl Refusal {
    /// The word, as labels and logs have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::banned => "banned",
            Self::address => "address",
            Self::country => "country",
            Self::misdirected => "misdirected",
            Self::client_certificate => "client_certificate",
            Self::rate_limit => "rate_limit",
            Self::basic_auth => "basic_auth",
            Self::attempts => "attempts",
            Self::busy => "busy",
            Self::forward_auth => "forward_auth",
            Self::auth_unavailable => "auth_unavailable",
        }
    }
}

/// Labels of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusalLabels {
    /// The route's name; empty before there is one.
    pub route: Arc<str>,
    /// Why.
    pub reason: Refusal,
}

/// How a shadow engine judged a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the label values are the names")]
pub enum ShadowResult {
    /// As ours.
    same,
    /// Otherwise.
    different,
    /// It failed.
    failed,
    /// It was not asked: too much waits for it already.
    skipped,
}

/// Labels of a shadow's judgement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShadowLabels {
    /// The route's name.
    pub route: Arc<str>,
    /// What came of it.
    pub result: ShadowResult,
}

/// What became of a copy for a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the label values are the names")]
pub enum MirrorResult {
    /// It was answered.
    sent,
    /// It was not.
    failed,
    /// It was left out: too many were on their way, or its body was too long.
    skipped,
}

/// Labels of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MirrorLabels {
    /// The route's name.
    pub route: Arc<str>,
    /// What became of it.
    pub result: MirrorResult,
}

/// How a reload went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the label values are the names")]
pub enum Outcome {
    /// It worked.
    success,
    /// It did not; what was there before stays.
    failure,
}

/// Labels of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReloadLabels {
    /// The result.
    pub result: Outcome,
}

/// Labels of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LogLabels {
    /// `access` or `audit`.
    pub log: &'static str,
}

/// A background service's label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ServiceLabels {
    /// Its name.
    pub service: &'static str,
}

/// Why something was refused before anybody heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ListenerLabels {
    /// One of a few words.
    pub reason: &'static str,
}

/// A worker's label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WorkerLabels {
    /// Its number, from 0.
    pub worker: usize,
}

/// A certificate's label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CertificateLabels {
    /// The first of its names.
    pub name: String,
}

/// All metrics of an edge.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// What edges before this one counted.
    pub(super) heritage: Heritage,
    /// Requests by route and status.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds from a request's head to the end of its answer.
    pub duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// WAF verdicts.
    pub waf: Family<WafLabels, Counter>,
    /// Requests whose body was inspected only in part, by policy.
    pub waf_partial: Family<RouteLabels, Counter>,
    /// Requests that came before, to the byte, and were harmless.
    pub waf_recalled: Family<RouteLabels, Counter>,
    /// Requests that a shadow engine was to judge as well.
    pub waf_shadow: Family<ShadowLabels, Counter>,
    /// Copies of requests for a mirror.
    pub mirrored: Family<MirrorLabels, Counter>,
    /// Requests that access policies refused.
    pub refusals: Family<RefusalLabels, Counter>,
    /// Clients that are banned now.
    pub bans: Gauge<i64, AtomicI64>,
    /// Bans ever imposed.
    pub bans_imposed: Counter,
    /// Failed attempts to reach a backend.
    pub upstream_failures: Family<RouteLabels, Counter>,
    /// Backends.
    pub backends: BackendMetrics,
    /// Connections open now.
    pub connections: Gauge<i64, AtomicI64>,
    /// Those of the public, by the worker that serves them.
    pub worker_connections: Family<WorkerLabels, Gauge<i64, AtomicI64>>,
    /// Connections ever accepted.
    pub connections_total: Counter,
    /// Connections that ended before HTTP.
    pub handshake_failures: Counter,
    /// Connections and requests that were refused at the listener.
    pub listener_refusals: Family<ListenerLabels, Counter>,
    /// Reloads by result.
    pub reloads: Family<ReloadLabels, Counter>,
    /// Whether the last reload worked: 1 or 0.
    pub reload_successful: Gauge<i64, AtomicI64>,
    /// The number of the configuration that serves.
    pub generation: Gauge<i64, AtomicI64>,
    /// Bytes of bodies held for inspection now.
    pub body_memory: Gauge<i64, AtomicI64>,
    /// Log lines dropped because the writer was behind.
    pub dropped_lines: Family<LogLabels, Gauge<u64, AtomicU64>>,
    /// Whether the last round of a background service had no trouble: 1 or 0.
    pub service_healthy: Family<ServiceLabels, Gauge<i64, AtomicI64>>,
    /// When a background service last had a round without trouble, in seconds since 1970; 0 if never.
    pub service_last_success: Family<ServiceLabels, Gauge<i64, AtomicI64>>,
    /// When a certificate that is served ends, in seconds since 1970.
    pub certificate_expiry: Family<CertificateLabels, Gauge<i64, AtomicI64>>,
}

/// From a cache hit to a slow report, in seconds.
const DURATION_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

fn duration_histogram() -> Histogram {
    Histogram::new(&DURATION_BUCKETS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("palisade"),
            heritage: Heritage::default(),
            requests: Family::default(),
            duration: Family::new_with_constructor(duration_histogram),
            waf: Family::default(),
            waf_partial: Family::default(),
            waf_recalled: Family::default(),
            waf_shadow: Family::default(),
            mirrored: Family::default(),
            listener_refusals: Family::default(),
            bans: Gauge::default(),
            bans_imposed: Counter::default(),
            upstream_failures: Family::default(),
            backends: BackendMetrics::default(),
            connections: Gauge::default(),
            worker_connections: Family::default(),
            connections_total: Counter::default(),
            handshake_failures: Counter::default(),
            refusals: Family::default(),
            reloads: Family::default(),
            reload_successful: Gauge::default(),
            generation: Gauge::default(),
            body_memory: Gauge::default(),
            dropped_lines: Family::default(),
            service_healthy: Family::default(),
            service_last_success: Family::default(),
            certificate_expiry: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    /// What this edge itself has counted, and how it stands (OpenMetrics 1.0).
    pub(super) fn encode_own(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Counts a reload and remembers whether it worked.
    pub fn reloaded(&self, worked: bool) {
        let result = if worked {
            Outcome::success
        } else {
            Outcome::failure
        };
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
        self.reload_successful.set(i64::from(worked));
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests by route and status", self.requests.clone());
        registry.register(
            "request_duration_seconds",
            "From a request's head to the end of its answer",
            self.duration.clone(),
        );
        registry.register("waf_verdicts", "WAF verdicts by route", self.waf.clone());
        registry.register(
            "waf_partial_inspections",
            "Requests whose body was inspected only up to the limit",
            self.waf_partial.clone(),
        );
        registry.register(
            "waf_recalled",
            "Requests that the engine did not evaluate, as the same came before and was harmless",
            self.waf_recalled.clone(),
        );
        registry.register(
            "waf_shadow",
            "Requests judged by a shadow engine as well, by result",
            self.waf_shadow.clone(),
        );
        registry.register(
            "mirrored_requests",
            "Copies of requests for a mirror, by result",
            self.mirrored.clone(),
        );
        registry.register(
            "access_refusals",
            "Requests that access policies refused, by reason",
            self.refusals.clone(),
        );
        registry.register("bans", "Clients that are banned now", self.bans.clone());
        registry.register("bans_imposed", "Bans imposed", self.bans_imposed.clone());
        registry.register(
            "upstream_connect_failures",
            "Failed attempts to connect to a backend",
            self.upstream_failures.clone(),
        );
        self.backends.register(registry);
        registry.register("connections", "Connections open now", self.connections.clone());
        registry.register(
            "worker_connections",
            "Connections of the public open now, by worker",
            self.worker_connections.clone(),
        );
        registry.register(
            "connections_accepted",
            "Connections accepted",
            self.connections_total.clone(),
        );
        registry.register(
            "handshake_failures",
            "Connections that ended before HTTP",
            self.handshake_failures.clone(),
        );
        registry.register(
            "listener_refusals",
            "Connections and requests refused at the listener",
            self.listener_refusals.clone(),
        );
        registry.register("config_reloads", "Reloads by result", self.reloads.clone());
        registry.register(
            "config_last_reload_successful",
            "Whether the last reload worked",
            self.reload_successful.clone(),
        );
        registry.register(
            "config_generation",
            "The configuration that serves",
            self.generation.clone(),
        );
        registry.register(
            "inspection_body_bytes",
            "Bytes of bodies held for inspection now",
            self.body_memory.clone(),
        );
        registry.register(
            "log_lines_dropped",
            "Log lines dropped because the writer was behind",
            self.dropped_lines.clone(),
        );
        registry.register(
            "service_healthy",
            "Whether the last round of a background service had no trouble",
            self.service_healthy.clone(),
        );
        registry.register(
            "service_last_success_timestamp_seconds",
            "When a background service last had a round without trouble",
            self.service_last_success.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "When a certificate that is served ends",
            self.certificate_expiry.clone(),
        );
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
    }
}
