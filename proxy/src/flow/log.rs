//! The end of a request: access log, audit log, metrics.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Version;
use pingora_core::protocols::http::ServerSession;
use pingora_error::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::bans;
use super::context::RequestContext;
use super::inspection::{Inspection, Outcome, lock};
use super::parts::EdgeParts;
#[cfg(feature = "coraza")]
use super::shadow;
use crate::config::{BanCause, HostPattern};
use crate::incident::{Facts, Incident};
use crate::telemetry::access::Entry;
use crate::telemetry::matches;
use crate::telemetry::metrics::{Refusal, RefusalLabels, RequestLabels, RouteLabels, WafLabels, WafOutcome};

/// Logs and counts a finished request.
pub(super) fn request(parts: &EdgeParts, session: &mut ServerSession, context: &mut RequestContext) {
    let status = session.response_written().map_or(0, |head| head.status.as_u16());
    let route: Arc<str> = context
        .route
        .as_ref()
        .map_or_else(|| "".into(), |route| Arc::clone(&route.label));
    // Neither is worth its cost where nobody reads it.
    let mut entry = parts.access.is_on().then(|| entry(session, context, status));
    if let Some(inspection) = context.inspection.clone() {
        let mut inspection = lock(&inspection);
        inspection.logging();
        count_waf(parts, &route, &inspection);
        matches_of(parts, session, context, &mut inspection);
        // An answer that was stopped is the application's doing.
        if inspection.outcome() == Outcome::Blocked && context.upstream.is_none() {
            bans::count_request(parts, context, BanCause::Waf);
        }
        let is_incident = inspection.outcome() != Outcome::Passed;
        if parts.audit.is_on() && (is_incident || inspection.transaction().wants_audit()) {
            entry.get_or_insert_with(|| self::entry(session, context, status));
        }
        if let Some(entry) = &mut entry {
            describe_waf(entry, &inspection, &context.id);
            if is_incident || inspection.transaction().wants_audit() {
                audit(parts, context, &inspection, entry);
            }
        }
        #[cfg(feature = "coraza")]
        if let Some(exchange) = inspection.take_shadow() {
            shadow::judge_later(parts, context, Arc::clone(&route), exchange);
        }
    }
    if let Some(reason) = context.refused {
        let labels = RefusalLabels {
            route: Arc::clone(&route),
            reason,
        };
        parts.metrics.refusals.get_or_create(&labels).inc();
        if reason == Refusal::attempts {
            bans::count_request(parts, context, BanCause::Attempts);
        }
    }
    count_request(parts, route, status, context.started.elapsed());
    if let Some(entry) = entry.filter(|_| parts.access.is_on()) {
        parts.access.write(entry.line(parts.style));
    }
}

/// Logs the matches in a request before it goes upstream, as ModSecurity does: who waits for the answer finds them in
/// the log already.
pub(super) fn request_matches(parts: &EdgeParts, session: &ServerSession, context: &RequestContext) {
    if parts.matches.is_on()
        && let Some(inspection) = &context.inspection
    {
        matches_of(parts, session, context, &mut lock(inspection));
    }
}

/// Counts a backend that could not be reached.
pub(super) fn connect_failure(parts: &EdgeParts, context: &RequestContext) {
    if let Some(route) = &context.route {
        let labels = RouteLabels {
            route: Arc::clone(&route.label),
        };
        parts.metrics.upstream_failures.get_or_create(&labels).inc();
    }
}

/// Counts a request that is tried again after more than a connection that was not made.
pub(super) fn retry(parts: &EdgeParts, context: &RequestContext, error: &Error) {
    if let Some(route) = context.route.as_ref().filter(|_| error.retry()) {
        let labels = RouteLabels {
            route: Arc::clone(&route.label),
        };
        parts.metrics.backends.retries.get_or_create(&labels).inc();
    }
}

fn entry(session: &ServerSession, context: &RequestContext, status: u16) -> Entry {
    let head = session.req_header();
    Entry {
        time: rfc3339(context.time),
        request_id: context.id.clone(),
        client: context.client.ip().to_string(),
        protocol: if head.version == Version::HTTP_2 {
            "h2"
        } else {
            "h1"
        },
        tls: session
            .digest()
            .and_then(|d| d.ssl_digest.as_ref())
            // The library's `TLSv1_3`, as everybody else writes it.
            .map(|tls| tls.version.replace('_', ".")),
        method: head.method.to_string(),
        host: context.host.clone(),
        path: head.uri.path().to_owned(),
        route: context.route.as_ref().map(|route| route.route.name.clone()),
        upstream: context.upstream.as_deref().map(str::to_owned),
        status,
        duration_ms: millis(context.started.elapsed()),
        upstream_ms: context.first_byte.map(millis),
        bytes_received: session.body_bytes_read(),
        bytes_sent: session.body_bytes_sent(),
        user: context.granted.as_ref().and_then(|granted| granted.user.clone()),
        refused: context.refused.map(Refusal::as_str),
        waf: "off",
        error: context.error.clone(),
        ..Entry::default()
    }
}

fn describe_waf(entry: &mut Entry, inspection: &Inspection, id: &str) {
    let outcome = inspection.outcome();
    entry.waf = match outcome {
        Outcome::Passed => "passed",
        Outcome::Detected => "detected",
        Outcome::Blocked => "blocked",
        Outcome::Failed => "failed",
    };
    entry.waf_ms = Some(millis(inspection.elapsed()));
    entry.score = Some(inspection.score());
    entry.partly_inspected = inspection.is_partial();
    entry.incident = (outcome != Outcome::Passed).then(|| id.to_owned());
}

fn count_waf(parts: &EdgeParts, route: &Arc<str>, inspection: &Inspection) {
    let outcome = match inspection.outcome() {
        Outcome::Passed => WafOutcome::passed,
        Outcome::Detected => WafOutcome::detected,
        Outcome::Blocked => WafOutcome::blocked,
        Outcome::Failed => WafOutcome::failed,
    };
    parts
        .metrics
        .waf
        .get_or_create(&WafLabels {
            route: Arc::clone(route),
            outcome,
        })
        .inc();
    if inspection.transaction().is_recalled() {
        parts
            .metrics
            .waf_recalled
            .get_or_create(&RouteLabels {
                route: Arc::clone(route),
            })
            .inc();
    }
    if inspection.is_partial() {
        parts
            .metrics
            .waf_partial
            .get_or_create(&RouteLabels {
                route: Arc::clone(route),
            })
            .inc();
    }
}

/// What is not written yet.
fn matches_of(
    parts: &EdgeParts,
    session: &ServerSession,
    context: &RequestContext,
    inspection: &mut Inspection,
) {
    if !parts.matches.is_on() {
        return;
    }
    let request = matches::Request {
        time: &rfc3339(context.time),
        id: &context.id,
        client: context.client,
        host: &context.host,
        path: session.req_header().uri.path(),
    };
    let stopped = inspection.transaction().interruption().cloned();
    let lines = matches::lines(&request, inspection.new_matches(), stopped.as_ref());
    if !lines.is_empty() {
        parts.matches.write(lines);
    }
}

fn audit(parts: &EdgeParts, context: &RequestContext, inspection: &Inspection, entry: &Entry) {
    let Some(route) = context.route.as_deref().filter(|_| parts.audit.is_on()) else {
        return;
    };
    let profile = &route.route.waf.profile;
    let facts = Facts {
        id: context.id.clone(),
        time: entry.time.clone(),
        client: entry.client.clone(),
        host: entry.host.clone(),
        route: route.route.name.clone(),
        single_host: matches!(route.route.hosts.as_slice(), [HostPattern::Exact(_)]),
        method: entry.method.clone(),
        path: entry.path.clone(),
        status: entry.status,
        outcome: entry.waf.to_owned(),
        score: inspection.score(),
        threshold: profile.inbound_threshold,
        outbound_threshold: profile.outbound_threshold,
        paranoia_level: profile.paranoia_level,
        partly_inspected: inspection.is_partial(),
    };
    let incident = Incident::new(facts, inspection.transaction().audit_record());
    parts.audit.write(incident.line());
}

/// Counts a finished request.
pub(super) fn count_request(parts: &EdgeParts, route: Arc<str>, code: u16, took: Duration) {
    parts
        .metrics
        .requests
        .get_or_create(&RequestLabels {
            route: Arc::clone(&route),
            code,
        })
        .inc();
    parts
        .metrics
        .duration
        .get_or_create(&RouteLabels { route })
        .observe(took);
}

/// A duration as logs have it.
pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// A time as logs have it.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    // Milliseconds are enough, and keep every line as wide as the next.
    let time = time
        .replace_nanosecond(time.millisecond() as u32 * 1_000_000)
        .unwrap_or(time);
    time.format(&Rfc3339).unwrap_or_default()
}
