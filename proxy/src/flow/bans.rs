//! Clients that are kept out, and how one becomes one of them.

use std::time::SystemTime;

use http::StatusCode;
use pingora_core::protocols::http::ServerSession;
use tracing::warn;

use super::context::RequestContext;
use super::parts::EdgeParts;
use super::respond::Answer;
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

/// Counts a request that the WAF has blocked. Whom the route lets in by address is not counted.
pub(super) fn count(parts: &EdgeParts, context: &RequestContext) {
    let config = &context.snapshot.config.bans;
    let client = context.client.ip();
    let trusted = &context.snapshot.config.listen.trusted_proxies;
    let is_safe = config.never.contains(client) || trusted.contains(client);
    if !config.enabled || is_safe || is_allowed(context) {
        return;
    }
    let rules = BanRules {
        incidents: config.incidents,
        window: config.window.as_secs(),
        duration: config.duration.as_secs(),
        capacity: config.most,
    };
    if parts
        .bans
        .incident(client, &rules, seconds(context.time), &context.id)
    {
        parts.metrics.bans_imposed.inc();
        warn!(%client, incident = context.id, duration = ?config.duration, "client is banned");
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
