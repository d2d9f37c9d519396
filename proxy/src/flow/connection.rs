//! What a listener's settings mean for the session of one request.

use http::Version;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use pingora_core::protocols::http::ServerSession;
use pingora_http::ResponseHeader;

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

/// Clients of HTTP/1.0 know no chunks (RFC 9112 section 6.1): a body of unknown length ends with their connection. They
/// cannot tell one that was cut from a whole one; what answers them has a length wherever the backend tells it.
pub(super) fn frame(session: &mut ServerSession, answer: &mut ResponseHeader) {
    if session.req_header().version == Version::HTTP_10 && !answer.headers.contains_key(CONTENT_LENGTH) {
        answer.remove_header(&TRANSFER_ENCODING);
        session.set_keepalive(None);
    }
}
