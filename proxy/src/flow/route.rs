//! From a request to its route, and from a route to a backend.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{StatusCode, header};
use pingora_core::protocols::http::ServerSession;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorSource, ErrorType, Result, RetryType};
use pingora_http::ResponseHeader;

use super::affinity::{self, Affinity};
use super::context::RequestContext;
use super::filter;
use super::retry::{self, Verdict};
use crate::snapshot::LiveRoute;
use crate::upstream::{Failure, Lease, NoBackend, Race, Wish};

/// How long a request waits for a name's first look-up. Later ones are on nobody's way.
const FIRST_LOOKUP: Duration = Duration::from_secs(2);

/// What ends an attempt whose answer is given up for another's.
const RETRY: ErrorType = ErrorType::Custom("Retry");

/// The peer for the next attempt: at an address that this request has not failed at.
pub(super) async fn next_peer(
    session: &ServerSession,
    context: &mut RequestContext,
) -> Result<Box<HttpPeer>> {
    let Some(route) = context.route.clone() else {
        return Error::e_explain(ErrorType::HTTPStatus(404), "no route");
    };
    let upstream = &route.route.upstream;
    let affinity = affinity::of(session.req_header(), context.client.ip(), &upstream.balancing);
    prepare(context, &route).await;
    let lease = match lease(&route, context, &affinity).await {
        Ok(lease) => lease,
        Err(none) => return Error::e_explain(ErrorType::HTTPStatus(503), none.to_string()),
    };
    let peer = peer(context, &route, &lease);
    context.hand_out = route.balancer.token(&lease, affinity.cookie.as_deref());
    begin_at(context, lease);
    Ok(Box::new(peer))
}

fn peer(context: &mut RequestContext, route: &LiveRoute, lease: &Lease) -> HttpPeer {
    let (endpoint, dialer) = (lease.endpoint(), &route.dialer);
    let mut peer = dialer.peer(endpoint.backend(), endpoint.address(), context.kind);
    if context.fresh {
        peer = dialer.fresh(peer);
    }
    context.race = route.balancer.race(lease, &context.tried, Instant::now);
    match &context.race {
        Some(race) => dialer.racing(peer, race),
        None => peer,
    }
}

fn begin_at(context: &mut RequestContext, lease: Lease) {
    context.upstream = Some(Arc::clone(lease.endpoint().label()));
    context.lease = Some(lease);
}

/// What is left of an attempt before is over; the first one counts for the budget of retries.
async fn prepare(context: &mut RequestContext, route: &LiveRoute) {
    context.lease = None;
    context.answering = false;
    if context.retries == 0 && context.tried.is_empty() {
        route
            .balancer
            .budget()
            .request(route.route.upstream.retries.budget);
    }
    if let Some(pause) = context.pause.take() {
        tokio::time::sleep(pause).await;
    }
}

async fn lease(route: &LiveRoute, context: &RequestContext, affinity: &Affinity) -> Result<Lease, NoBackend> {
    let wish = Wish {
        key: affinity.key,
        cookie: affinity.cookie.as_deref(),
        tried: &context.tried,
    };
    match route.balancer.lease(&wish).await {
        Err(NoBackend::Unknown) => {
            let _ = tokio::time::timeout(FIRST_LOOKUP, route.balancer.known()).await;
            route.balancer.lease(&wish).await
        }
        leased => leased,
    }
}

/// No connection was made. Nothing was sent, so another address may be tried.
pub(super) fn connect_failed(context: &mut RequestContext, mut error: Box<Error>) -> Box<Error> {
    context.failed(&error);
    let Some(route) = context.route.clone() else {
        return error;
    };
    if *error.etype() == ErrorType::H2Error && retry::ration(context, Verdict::Fresh) == Verdict::Fresh {
        // One that was kept, and that takes no more streams.
        error.set_retry(true);
        return error;
    }
    if is_the_edges(context, &error) {
        drop(leave(context));
    } else {
        failed(context, &route, Failure::Connect);
    }
    error.set_retry(route.balancer.has_other_than(&context.tried));
    error
}

/// The exchange failed after the connection was made.
pub(super) fn proxy_failed(
    session: &ServerSession,
    context: &mut RequestContext,
    mut error: Box<Error>,
    reused: bool,
) -> Box<Error> {
    let Some(route) = context.route.clone() else {
        error.set_retry(false);
        return error;
    };
    if *error.etype() == RETRY {
        // The answer that was not let through was counted already, and so was the retry.
        error.set_retry(true);
        return error;
    }
    let stale =
        reused && (matches!(error.retry, RetryType::ReusedOnly) || retry::is_of_the_connection(&error));
    error.retry.decide_reuse(reused);
    let verdict = retry::Failed::new(session, context, &error, stale).verdict();
    let again = match retry::ration(context, verdict) {
        Verdict::Again | Verdict::Fresh => true,
        // It may have been the backend: not it again, but another.
        Verdict::Elsewhere => {
            failed(context, &route, Failure::Answer);
            retry::may_go_elsewhere(context, &route)
        }
        Verdict::GiveUp => {
            if is_the_backends(context, &error) {
                failed(context, &route, Failure::Answer);
            }
            false
        }
    };
    error.set_retry(again);
    error
}

/// The backend in use took the connection: what failed before is no failure of the request.
pub(super) fn connected(context: &mut RequestContext, session: &ServerSession) {
    context.error = None;
    let race = context.race.take();
    if let Some(race) = race.filter(|race| race.is_lost()) {
        settle(context, session, &race);
    }
}

/// The connection is one to the second address: so is the request, and the first has failed.
fn settle(context: &mut RequestContext, session: &ServerSession, race: &Race) {
    let Some(route) = context.route.clone() else {
        return;
    };
    failed(context, &route, Failure::Connect);
    let lease = race.lease();
    let affinity = affinity::of(session.req_header(), context.client.ip(), route.balancer.policy());
    context.hand_out = route.balancer.token(&lease, affinity.cookie.as_deref());
    begin_at(context, lease);
}

/// The head of an answer: what it says about the backend, whether another is asked instead, and the cookie that leads
/// the client back to it.
pub(super) fn answered(
    session: &ServerSession,
    context: &mut RequestContext,
    response: &mut ResponseHeader,
) -> Result<()> {
    if response.status.is_informational() && response.status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(());
    }
    let Some(route) = context.route.clone() else {
        return Ok(());
    };
    let Some(lease) = &context.lease else {
        return Ok(());
    };
    let status = response.status.as_u16();
    match status {
        502..=504 => {
            route
                .balancer
                .failed(lease.endpoint(), Failure::Answer, Instant::now());
        }
        _ => route.balancer.succeeded(lease.endpoint(), Instant::now()),
    }
    let statuses = &route.route.upstream.retries.statuses;
    if statuses
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&status))
    {
        ask_another(session, context, &route)?;
    }
    context.answering = true;
    if let (Some(token), Some(sticky)) = (&context.hand_out, &route.route.upstream.balancing.sticky) {
        response.append_header(header::SET_COOKIE, token.set_cookie(sticky))?;
    }
    Ok(())
}

/// Gives the answer up for that of another backend, if there is one and the request may be repeated. Otherwise the
/// client gets the answer as it is.
fn ask_another(session: &ServerSession, context: &mut RequestContext, route: &LiveRoute) -> Result<()> {
    let repeatable = session.req_header().method.is_idempotent() && !session.retry_buffer_truncated();
    let Some(address) = context.lease.as_ref().map(|lease| lease.endpoint().address()) else {
        return Ok(());
    };
    if !repeatable {
        return Ok(());
    }
    context.tried.push(address);
    if retry::may_go_elsewhere(context, route) {
        return Err(Error::explain(RETRY, "another backend is asked").into_up());
    }
    Ok(())
}

/// The attempt at the backend in use is over.
fn failed(context: &mut RequestContext, route: &LiveRoute, failure: Failure) {
    if let Some(lease) = leave(context) {
        route.balancer.failed(lease.endpoint(), failure, Instant::now());
    }
}

/// The backend in use, which this request does not go to again.
fn leave(context: &mut RequestContext) -> Option<Lease> {
    let lease = context.lease.take()?;
    context.tried.push(lease.endpoint().address());
    Some(lease)
}

/// Whether a connection that was not made says nothing about the backend: the edge has no socket for it, or what came
/// before left it no time. One that had all of the request's time and took none of it has failed, however short that was.
fn is_the_edges(context: &RequestContext, error: &Error) -> bool {
    match error.etype() {
        ErrorType::InternalError => true,
        ErrorType::ConnectTimedout | ErrorType::TLSHandshakeTimedout => {
            let was_first = context.tried.is_empty() && context.retries == 0 && context.free_retries == 0;
            !was_first && filter::is_out_of_time(context)
        }
        _ => false,
    }
}

/// Whether the backend is to blame: it broke off, it sent nonsense, or it was too slow. Once the answer has begun, time
/// may have run out because the client takes it slowly.
fn is_the_backends(context: &RequestContext, error: &Error) -> bool {
    let is_late = *error.etype() == ErrorType::HTTPStatus(504);
    *error.esource() == ErrorSource::Upstream || (is_late && !context.answering)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http::HeaderMap;

    use super::*;
    use crate::config::testing::config;
    use crate::profile::Profiles;
    use crate::route::Asked;
    use crate::snapshot::{Ingredients, Snapshot};

    /// A request on a route without WAF to these backends.
    fn request(backends: &str) -> RequestContext {
        request_with(backends, "")
    }

    fn request_with(backends: &str, more: &str) -> RequestContext {
        let text = format!(
            "waf.mode = \"off\"\n[[routes]]\nname = \"app\"\nhosts = [\"app.example\"]\nbackends = [{backends}]\n{more}\n"
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

    fn with_addresses(context: &RequestContext, count: u16) {
        let addresses: Vec<SocketAddr> = (1..=count).map(|port| ([127, 0, 0, 1], port).into()).collect();
        let balancer = &context.route.as_ref().unwrap().balancer;
        balancer
            .sources()
            .next()
            .unwrap()
            .learn(addresses, Instant::now());
        balancer.gather();
    }

    /// Chooses as `next_peer` does.
    async fn attempt(context: &mut RequestContext) -> Result<u16, NoBackend> {
        let route = context.route.clone().unwrap();
        let wish = Wish {
            tried: &context.tried,
            ..Wish::default()
        };
        let lease = route.balancer.lease(&wish).await?;
        let port = lease.endpoint().address().port();
        context.lease = Some(lease);
        Ok(port)
    }

    fn refused() -> Box<Error> {
        Error::new(ErrorType::ConnectRefused)
    }

    #[tokio::test]
    async fn each_address_of_a_name_is_tried_once() {
        let mut context = request("\"http://app.internal\"");
        assert_eq!(attempt(&mut context).await, Err(NoBackend::Unknown));
        with_addresses(&context, 2);
        let first = attempt(&mut context).await.unwrap();
        assert!(connect_failed(&mut context, refused()).retry());
        let second = attempt(&mut context).await.unwrap();
        assert_ne!(first, second);
        assert!(!connect_failed(&mut context, refused()).retry());
        assert_eq!(attempt(&mut context).await, Err(NoBackend::Down));
    }

    #[tokio::test]
    async fn an_attempt_that_is_over_is_not_in_flight() {
        let mut context = request("\"http://127.0.0.1:1\"");
        attempt(&mut context).await.unwrap();
        let endpoint = context.route.as_ref().unwrap().balancer.endpoints().remove(0);
        assert_eq!(endpoint.in_flight(), 1);
        let _ = connect_failed(&mut context, refused());
        assert_eq!(endpoint.in_flight(), 0);
        context.tried.clear();
        attempt(&mut context).await.unwrap();
        drop(context);
        assert_eq!(endpoint.in_flight(), 0);
    }

    #[tokio::test]
    async fn what_the_edge_or_the_request_lacked_is_no_failure_of_the_backend() {
        use ErrorType::{ConnectRefused, ConnectTimedout, InternalError, TLSHandshakeTimedout};
        for (kind, passed, counts) in [
            (ConnectRefused, 2, true),
            (InternalError, 0, false),
            (ConnectTimedout, 0, true),
            (ConnectTimedout, 2, false),
            (TLSHandshakeTimedout, 2, false),
        ] {
            let what = format!("{kind:?} after {passed} s");
            let mut context = request_with("\"http://127.0.0.1:1\"", "request_timeout = \"1s\"");
            context.admitted = Instant::now().checked_sub(Duration::from_secs(passed));
            context.retries = 1;
            attempt(&mut context).await.unwrap();
            let _ = connect_failed(&mut context, Error::new(kind));
            let endpoint = context.route.as_ref().unwrap().balancer.endpoints().remove(0);
            assert_eq!(endpoint.is_up(Instant::now()), !counts, "{what}");
            assert_eq!(endpoint.in_flight(), 0, "{what}");
            assert_eq!(context.tried, [endpoint.address()], "{what}");
        }
    }

    #[test]
    fn too_late_is_the_backends_only_before_its_answer() {
        let mut context = request("\"http://127.0.0.1:1\"");
        let late = Error::new(ErrorType::HTTPStatus(504));
        assert!(is_the_backends(&context, &late));
        context.answering = true;
        assert!(!is_the_backends(&context, &late));
        let broken = Error::new_up(ErrorType::ReadError);
        assert!(is_the_backends(&context, &broken));
    }

    #[test]
    fn what_costs_nothing_is_given_twice() {
        let mut context = request("\"http://127.0.0.1:1\"");
        let mut next = |verdict| retry::ration(&mut context, verdict);
        assert_eq!(next(Verdict::GiveUp), Verdict::GiveUp);
        assert_eq!(next(Verdict::Again), Verdict::Again);
        assert_eq!(next(Verdict::Again), Verdict::Again);
        assert_eq!(next(Verdict::Again), Verdict::Elsewhere);
        // On a connection of its own once: there is no other reason for it.
        assert_eq!(next(Verdict::Fresh), Verdict::Fresh);
        assert_eq!(next(Verdict::Fresh), Verdict::Elsewhere);
        assert_eq!(next(Verdict::GiveUp), Verdict::GiveUp);
    }

    #[tokio::test]
    async fn a_connection_that_had_all_of_a_requests_time_has_failed() {
        let mut context = request_with("\"http://127.0.0.1:1\"", "request_timeout = \"1s\"");
        context.admitted = Instant::now().checked_sub(Duration::from_secs(2));
        attempt(&mut context).await.unwrap();
        let _ = connect_failed(&mut context, Error::new(ErrorType::ConnectTimedout));
        let endpoint = context.route.as_ref().unwrap().balancer.endpoints().remove(0);
        assert!(!endpoint.is_up(Instant::now()));
    }

    #[tokio::test]
    async fn a_kept_connection_that_takes_no_more_streams_costs_an_attempt_and_nothing_else() {
        let mut context = request("\"h2c://127.0.0.1:1\"");
        attempt(&mut context).await.unwrap();
        assert!(connect_failed(&mut context, Error::new(ErrorType::H2Error)).retry());
        assert!(context.fresh && context.tried.is_empty());
        let endpoint = context.route.as_ref().unwrap().balancer.endpoints().remove(0);
        assert!(endpoint.is_up(Instant::now()));
        // A new one that does not speak HTTP/2 is a failure.
        assert!(!connect_failed(&mut context, Error::new(ErrorType::H2Error)).retry());
        assert!(!endpoint.is_up(Instant::now()));
    }
}
