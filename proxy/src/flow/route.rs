//! From a request to its route, and from a route to a backend.

use std::time::Instant;

use pingora_core::protocols::http::ServerSession;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorType, Result};
use tracing::debug;

use super::context::RequestContext;
use crate::snapshot::LiveRoute;
use crate::upstream;

/// The peer for the next attempt: a backend that was not tried yet.
pub(super) async fn next_peer(context: &mut RequestContext) -> Result<Box<HttpPeer>> {
    let Some(route) = context.route.clone() else {
        return Error::e_explain(ErrorType::HTTPStatus(404), "no route");
    };
    while let Some(index) = route.balancer.pick(&context.tried, Instant::now()) {
        context.tried.push(index);
        let Some(endpoint) = route.balancer.endpoints().get(index) else {
            break;
        };
        let upstream = &route.route.upstream;
        context.upstream = Some(format!("{}:{}", endpoint.backend.host, endpoint.backend.port));
        match endpoint.resolver.address().await {
            Ok(address) => {
                let peer = upstream::peer(upstream, &endpoint.backend, address, route.ca.as_ref());
                return Ok(Box::new(peer));
            }
            Err(error) => {
                debug!(host = endpoint.backend.host, %error, "cannot resolve backend");
                route.balancer.mark_down(index, Instant::now());
            }
        }
    }
    Error::e_explain(ErrorType::HTTPStatus(503), "no backend could be reached")
}

/// A connection to the backend in use failed. Nothing was sent, so the next one may be tried.
pub(super) fn connect_failed(context: &mut RequestContext, mut error: Box<Error>) -> Box<Error> {
    let Some(route) = context.route.as_deref() else {
        return error;
    };
    if let Some(index) = context.tried.last() {
        route.balancer.mark_down(*index, Instant::now());
    }
    context.error = Some(error.to_string());
    error.set_retry(has_untried(route, &context.tried));
    error
}

/// The exchange failed after the connection was made. It is tried again only where the connection came from
/// the pool (the backend may have closed it a moment ago), the method may be repeated (RFC 9110 section 9.2.2)
/// and the whole body is at hand.
pub(super) fn proxy_failed(
    session: &ServerSession,
    context: &mut RequestContext,
    mut error: Box<Error>,
    reused: bool,
) -> Box<Error> {
    let repeatable = session.req_header().method.is_idempotent() && !session.retry_buffer_truncated();
    if repeatable {
        error.retry.decide_reuse(reused);
    } else {
        error.set_retry(false);
    }
    if error.retry() {
        // The same backend may be asked again, on a new connection.
        context.tried.pop();
    }
    error
}

/// The backend in use took the connection.
pub(super) fn connected(context: &mut RequestContext) {
    if let (Some(route), Some(index)) = (context.route.as_deref(), context.tried.last()) {
        route.balancer.mark_up(*index);
    }
}

fn has_untried(route: &LiveRoute, tried: &[usize]) -> bool {
    tried.len() < route.balancer.endpoints().len()
}
