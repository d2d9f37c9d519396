//! Clients that are kept out, and how one becomes one of them.

use std::net::IpAddr;
use std::time::SystemTime;

use http::StatusCode;
use pingora_core::protocols::http::ServerSession;
use tracing::warn;

use super::context::RequestContext;
use super::parts::EdgeParts;
use super::respond::Answer;
use crate::config::{BanCause, Config};
use crate::limit::{BanRules, Bans};
use crate::telemetry::metrics::Refusal;

/// The refusal, if the client is kept out: the same as any other, and the end of its connection.
pub(super) fn check(
    bans: &Bans,
    session: &mut ServerSession,
    context: &mut RequestContext,
) -> Option<Answer> {
    let config = &context.snapshot.config.bans;
    let client = context.client.ip();
    if !config.enabled || !bans.holds(client, seconds(context.time)) || config.never.contains(client) {
        return None;
    }
    session.set_keepalive(None);
    context.refused = Some(Refusal::banned);
    Some(Answer::plain(StatusCode::FORBIDDEN))
}

/// Counts what a request has done. Whom the route lets in by address is not counted.
pub(super) fn count_request(parts: &EdgeParts, context: &RequestContext, cause: BanCause) {
    if !is_allowed(context) {
        let incident = (context.time, context.id.as_str());
        count(
            parts,
            &context.snapshot.config,
            context.client.ip(),
            cause,
            incident,
        );
    }
}

/// Counts an incident of a time and an id, if its cause is one that counts.
pub(super) fn count(
    parts: &EdgeParts,
    config: &Config,
    client: IpAddr,
    cause: BanCause,
    (time, id): (SystemTime, &str),
) {
    let trusted = &config.listen.trusted_proxies;
    let config = &config.bans;
    let counts = config.enabled && config.count.contains(&cause);
    if !counts || config.never.contains(client) || trusted.contains(client) {
        return;
    }
    let rules = BanRules {
        incidents: config.incidents,
        window: config.window.as_secs(),
        duration: config.duration.as_secs(),
        capacity: config.most,
    };
    if parts.bans.incident(client, &rules, seconds(time), id) {
        parts.metrics.bans_imposed.inc();
        warn!(%client, incident = id, ?cause, duration = ?config.duration, "client is banned");
    }
}

fn is_allowed(context: &RequestContext) -> bool {
    let policy = context
        .route
        .as_deref()
        .and_then(|route| route.route.access.addresses.as_ref());
    let allowed = policy.and_then(|policy| policy.allow.as_ref());
    allowed.is_some_and(|allowed| allowed.contains(context.client.ip()))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
