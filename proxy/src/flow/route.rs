//! From a request to its route, and from a route to a backend.

use std::time::Instant;

use pingora_core::protocols::http::ServerSession;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorType, Result};
use tracing::debug;

use super::context::RequestContext;
use crate::snapshot::LiveRoute;
use crate::upstream::{self, Candidates};

/// The peer for the next attempt: the next address of the backend in use, or a backend that was not tried yet.
pub(super) async fn next_peer(context: &mut RequestContext) -> Result<Box<HttpPeer>> {
    let Some(route) = context.route.clone() else {
        return Error::e_explain(ErrorType::HTTPStatus(404), "no route");
    };
    loop {
        if let Some(peer) = peer_in_use(context, &route) {
            return Ok(Box::new(peer));
        }
        let Some(index) = route.balancer.pick(&context.tried, Instant::now()) else {
            return Error::e_explain(ErrorType::HTTPStatus(503), "no backend could be reached");
        };
        context.tried.push(index);
        let Some(endpoint) = route.balancer.endpoints().get(index) else {
            continue;
        };
        context.upstream = Some(format!("{}:{}", endpoint.backend.host, endpoint.backend.port));
        match endpoint.resolver.candidates().await {
            Ok(candidates) => context.candidates = Some(candidates),
            Err(error) => {
                debug!(host = endpoint.backend.host, %error, "cannot resolve backend");
                route.balancer.mark_down(index, Instant::now());
            }
        }
    }
}

fn peer_in_use(context: &RequestContext, route: &LiveRoute) -> Option<HttpPeer> {
    let address = context.candidates.as_ref()?.address()?;
    let endpoint = route.balancer.endpoints().get(*context.tried.last()?)?;
    Some(upstream::peer(
        &route.route.upstream,
        &endpoint.backend,
        address,
        route.ca.as_ref(),
    ))
}

/// A connection to an address of the backend in use failed. Nothing was sent, so its next address may be
/// tried, and after the last one the next backend.
pub(super) fn connect_failed(context: &mut RequestContext, mut error: Box<Error>) -> Box<Error> {
    context.failed(&error);
    let Some(route) = context.route.as_deref() else {
        return error;
    };
    let same_backend = context.candidates.as_mut().is_some_and(Candidates::advance);
    if !same_backend {
        context.candidates = None;
        if let Some(index) = context.tried.last() {
            route.balancer.mark_down(*index, Instant::now());
        }
    }
    error.set_retry(same_backend || has_untried(route, &context.tried));
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
        context.candidates = None;
    }
    error
}

/// The backend in use took the connection: what failed before is no failure of the request.
pub(super) fn connected(context: &mut RequestContext) {
    context.error = None;
    if let (Some(route), Some(index)) = (context.route.as_deref(), context.tried.last()) {
        route.balancer.mark_up(*index);
    }
}

fn has_untried(route: &LiveRoute, tried: &[usize]) -> bool {
    tried.len() < route.balancer.endpoints().len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderMap;

    use super::*;
    use crate::config::testing::config;
    use crate::profile::Profiles;
    use crate::route::Asked;
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
        let route = snapshot.find(&Asked::get("app.example", "/", &HeaderMap::new()));
        let mut context = RequestContext::new(Arc::new(snapshot));
        context.route = route;
        context
    }

    fn with_addresses(context: &mut RequestContext, count: u16) {
        let addresses: Vec<_> = (1..=count).map(|port| ([127, 0, 0, 1], port).into()).collect();
        context.tried.push(0);
        context.candidates = Candidates::new(addresses.into(), 0);
    }

    fn refused() -> Box<Error> {
        Error::new(ErrorType::ConnectRefused)
    }

    #[tokio::test]
    async fn a_dead_address_costs_the_backend_nothing_while_another_is_left() {
        let mut context = request("\"http://app.internal\"");
        with_addresses(&mut context, 2);
        assert!(connect_failed(&mut context, refused()).retry());
        let route = context.route.clone().unwrap();
        assert!(route.balancer.is_up(0, Instant::now()));
        let peer = next_peer(&mut context).await.unwrap();
        assert_eq!(peer._address.as_inet().unwrap().port(), 2);
        assert_eq!(context.tried, [0]);

        assert!(!connect_failed(&mut context, refused()).retry());
        assert!(!route.balancer.is_up(0, Instant::now()));
        assert!(next_peer(&mut context).await.is_err());
    }

    #[test]
    fn after_its_last_address_the_next_backend_has_its_turn() {
        let mut context = request("\"http://127.0.0.1:1\", \"http://127.0.0.1:2\"");
        with_addresses(&mut context, 1);
        assert!(connect_failed(&mut context, refused()).retry());
        assert!(context.candidates.is_none());
    }

    #[test]
    fn a_failure_that_a_retry_made_good_is_no_error_of_the_request() {
        let mut context = request("\"http://app.internal\"");
        with_addresses(&mut context, 2);
        let _ = connect_failed(&mut context, refused());
        assert!(context.error.is_some());
        connected(&mut context);
        assert_eq!(context.error, None);
    }
}
