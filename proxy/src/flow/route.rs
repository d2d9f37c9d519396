//! From a request to its route, and from a route to a backend.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use pingora_core::protocols::http::ServerSession;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorSource, ErrorType, Result};
use pingora_http::ResponseHeader;

use super::affinity::{self, Affinity};
use super::context::RequestContext;
use crate::snapshot::LiveRoute;
use crate::upstream::{self, Failure, Lease, NoBackend, Wish};

/// How long a request waits for a name's first look-up. Later ones are on nobody's way.
const FIRST_LOOKUP: Duration = Duration::from_secs(2);

/// The peer for the next attempt: at an address that this request has not failed at.
pub(super) async fn next_peer(
    session: &ServerSession,
    context: &mut RequestContext,
) -> Result<Box<HttpPeer>> {
    let Some(route) = context.route.clone() else {
        return Error::e_explain(ErrorType::HTTPStatus(404), "no route");
    };
    // What is still counted from an attempt before is over.
    context.lease = None;
    let affinity = affinity::of(session.req_header(), context.client.ip(), &route.route.upstream.balancing);
    let lease = match lease(&route, context, &affinity) {
        Err(NoBackend::Unknown) => {
            let _ = tokio::time::timeout(FIRST_LOOKUP, route.balancer.known()).await;
            lease(&route, context, &affinity)
        }
        picked => picked,
    };
    let lease = match lease {
        Ok(lease) => lease,
        Err(none) => return Error::e_explain(ErrorType::HTTPStatus(503), none.to_string()),
    };
    let endpoint = lease.endpoint();
    context.upstream = Some(Arc::clone(endpoint.label()));
    context.hand_out = route.balancer.token(&lease, affinity.cookie.as_deref());
    let peer = upstream::peer(&route.route.upstream, endpoint, route.ca.as_ref());
    context.lease = Some(lease);
    Ok(Box::new(peer))
}

fn lease(route: &LiveRoute, context: &RequestContext, affinity: &Affinity) -> Result<Lease, NoBackend> {
    let wish = Wish {
        key: affinity.key,
        cookie: affinity.cookie.as_deref(),
        tried: &context.tried,
    };
    route.balancer.pick(&wish, Instant::now(), rand::random)
}

/// No connection was made. Nothing was sent, so another address may be tried.
pub(super) fn connect_failed(context: &mut RequestContext, mut error: Box<Error>) -> Box<Error> {
    context.failed(&error);
    let Some(route) = context.route.clone() else {
        return error;
    };
    failed(context, &route, Failure::Connect);
    error.set_retry(route.balancer.has_other_than(&context.tried));
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
    // What a new connection to the same backend may make good says nothing about the backend.
    if !error.retry()
        && is_the_backends(&error)
        && let Some(route) = context.route.clone()
    {
        failed(context, &route, Failure::Answer);
    }
    error
}

/// The backend in use took the connection: what failed before is no failure of the request.
pub(super) fn connected(context: &mut RequestContext) {
    context.error = None;
}

/// The head of an answer: what it says about the backend, and the cookie that leads the client back to it.
pub(super) fn answered(context: &mut RequestContext, response: &mut ResponseHeader) -> Result<()> {
    if response.status.is_informational() && response.status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(());
    }
    let (Some(route), Some(lease)) = (context.route.as_deref(), &context.lease) else {
        return Ok(());
    };
    match response.status.as_u16() {
        502..=504 => {
            route.balancer.failed(lease.endpoint(), Failure::Answer, Instant::now());
        }
        _ => route.balancer.succeeded(lease.endpoint(), Instant::now()),
    }
    if let (Some(token), Some(sticky)) = (&context.hand_out, &route.route.upstream.balancing.sticky) {
        response.append_header(http::header::SET_COOKIE, token.set_cookie(sticky))?;
    }
    Ok(())
}

/// The attempt at the backend in use is over.
fn failed(context: &mut RequestContext, route: &LiveRoute, failure: Failure) {
    if let Some(lease) = context.lease.take() {
        route.balancer.failed(lease.endpoint(), failure, Instant::now());
        context.tried.push(lease.endpoint().address());
    }
}

/// Whether the backend is to blame: it broke off, it sent nonsense, or it was too slow.
fn is_the_backends(error: &Error) -> bool {
    *error.esource() == ErrorSource::Upstream || *error.etype() == ErrorType::HTTPStatus(504)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::testing::config;
    use crate::profile::Profiles;
    use crate::snapshot::{Ingredients, Snapshot};

    /// A request on a route without WAF to these backends.
    fn request(backends: &str) -> RequestContext {
        let text = format!(
            "waf.mode = \"off\"\n[[routes]]\nname = \"app\"\nhosts = [\"app.example\"]\nbackends = [{backends}]\n"
        );
        let ingredients = Ingredients {
            profiles: &Profiles::new(),
            echo: ([127, 0, 0, 1], 1).into(),
            previous: None,
        };
        let snapshot = Snapshot::build(config(&text), &ingredients).unwrap();
        let route = snapshot.find("app.example", "/");
        let mut context = RequestContext::new(Arc::new(snapshot));
        context.route = route;
        context
    }

    fn with_addresses(context: &RequestContext, count: u16) {
        let addresses: Vec<SocketAddr> = (1..=count).map(|port| ([127, 0, 0, 1], port).into()).collect();
        let balancer = &context.route.as_ref().unwrap().balancer;
        balancer.sources().next().unwrap().learn(addresses, Instant::now());
        balancer.gather();
    }

    /// Chooses as `next_peer` does.
    fn attempt(context: &mut RequestContext) -> Result<u16, NoBackend> {
        let route = context.route.clone().unwrap();
        let lease = lease(&route, context, &Affinity::default())?;
        let port = lease.endpoint().address().port();
        context.lease = Some(lease);
        Ok(port)
    }

    fn refused() -> Box<Error> {
        Error::new(ErrorType::ConnectRefused)
    }

    #[test]
    fn each_address_of_a_name_is_tried_once() {
        let mut context = request("\"http://app.internal\"");
        assert_eq!(attempt(&mut context), Err(NoBackend::Unknown));
        with_addresses(&context, 2);
        let first = attempt(&mut context).unwrap();
        assert!(connect_failed(&mut context, refused()).retry());
        let second = attempt(&mut context).unwrap();
        assert_ne!(first, second);
        assert!(!connect_failed(&mut context, refused()).retry());
        assert_eq!(attempt(&mut context), Err(NoBackend::Down));
    }

    #[test]
    fn an_attempt_that_is_over_is_not_in_flight() {
        let mut context = request("\"http://127.0.0.1:1\"");
        attempt(&mut context).unwrap();
        let endpoint = context.route.as_ref().unwrap().balancer.endpoints().remove(0);
        assert_eq!(endpoint.in_flight(), 1);
        let _ = connect_failed(&mut context, refused());
        assert_eq!(endpoint.in_flight(), 0);
        context.tried.clear();
        attempt(&mut context).unwrap();
        drop(context);
        assert_eq!(endpoint.in_flight(), 0);
    }

    #[test]
    fn a_failure_that_a_retry_made_good_is_no_error_of_the_request() {
        let mut context = request("\"http://127.0.0.1:1\", \"http://127.0.0.1:2\"");
        attempt(&mut context).unwrap();
        assert!(connect_failed(&mut context, refused()).retry());
        assert!(context.error.is_some());
        connected(&mut context);
        assert_eq!(context.error, None);
    }
}
