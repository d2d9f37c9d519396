//! What a listener's settings mean for the session of one request.

use pingora_core::protocols::http::ServerSession;

use crate::config::{Listen, Upstream};

/// How long the client may pause: within a body, or on a WebSocket, where a pause is nothing unusual.
pub(super) fn limit_pauses(session: &mut ServerSession, listen: &Listen, upstream: &Upstream) {
    // A request that asks for an upgrade and carries a body is an ordinary one.
    let pause = if session.is_upgrade_req() && session.is_body_empty() {
        upstream.idle_timeout
    } else {
        listen.request_body_timeout
    };
    session.set_read_timeout(Some(pause));
}

/// Applies the keep-alive timeout, and how long any answer may wait for the client to take it: the edge's own too.
pub(super) fn prepare(session: &mut ServerSession, listen: &Listen) {
    session.set_write_timeout(Some(listen.response_write_timeout));
    // None means that the connection ends with this request, by the client's wish or in a drain: that stays.
    if session.get_keepalive().is_some() {
        session.set_keepalive(Some(listen.keepalive_timeout.as_secs().max(1)));
    }
}
