//! How long bodies may be, and how long a backend may take to be reached.

use std::time::{Duration, Instant};

use http::{HeaderMap, Method, StatusCode};
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;

use super::super::head;

/// The clock of Pingora's timeouts ticks so often, and may be ahead of ours by a part of it.
const TICK: Duration = Duration::from_millis(10);

/// Bytes of both bodies so far.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::flow) struct Seen {
    request: usize,
    response: usize,
}

impl Seen {
    /// Counts a piece of the request's body.
    pub(super) fn request(&mut self, length: usize, limit: Option<usize>) -> Result<()> {
        self.request = self.request.saturating_add(length);
        match limit {
            Some(limit) if self.request > limit => {
                Error::e_explain(ErrorType::HTTPStatus(413), "request body over max_request_body")
            }
            _ => Ok(()),
        }
    }

    /// Counts a piece of the answer's body.
    pub(super) fn response(&mut self, length: usize, limit: Option<usize>) -> Result<()> {
        self.response = self.response.saturating_add(length);
        match limit {
            Some(limit) if self.response > limit => too_long(),
            _ => Ok(()),
        }
    }

    /// A retry sends the body again.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }
}

/// Whether a head declares a longer body than the limit.
pub(super) fn declares_more(headers: &HeaderMap, limit: Option<usize>) -> bool {
    limit.is_some_and(|limit| head::content_length(headers).is_some_and(|length| length > limit))
}

/// An answer that declares to be over the limit is refused while there still can be another. One without a body only
/// says how long it would be.
pub(super) fn check_answer(method: &Method, answer: &ResponseHeader, limit: Option<usize>) -> Result<()> {
    let bodiless = method == Method::HEAD || answer.status == StatusCode::NOT_MODIFIED;
    if !bodiless && declares_more(&answer.headers, limit) {
        return too_long();
    }
    Ok(())
}

fn too_long() -> Result<()> {
    Error::e_explain(ErrorType::HTTPStatus(502), "answer over max_response_body")
}

/// What is left of a request's time is all that a connection may take.
pub(super) fn limit_connect(
    timeout: Option<Duration>,
    since: Option<Instant>,
    peer: &mut HttpPeer,
) -> Result<()> {
    let Some(left) = left(timeout, since) else {
        return Ok(());
    };
    if left.is_zero() {
        return Error::e_explain(ErrorType::HTTPStatus(504), "no answer within request_timeout");
    }
    for limit in [
        &mut peer.options.connection_timeout,
        &mut peer.options.total_connection_timeout,
    ] {
        *limit = Some(limit.map_or(left, |limit| limit.min(left)));
    }
    Ok(())
}

/// Whether a request that began then has no time left.
pub(super) fn is_out_of_time(timeout: Option<Duration>, since: Option<Instant>) -> bool {
    left(timeout, since).is_some_and(|left| left <= TICK)
}

fn left(timeout: Option<Duration>, since: Option<Instant>) -> Option<Duration> {
    Some(timeout?.saturating_sub(since?.elapsed()))
}
