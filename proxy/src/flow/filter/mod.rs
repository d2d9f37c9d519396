//! What a route does to its requests and their answers besides passing them on. Each filter is a file; the functions
//! here are what the hooks call, and cost a branch where a route has no filters.

mod cors;
mod headers;
mod limits;
mod location;
mod mirror;
mod path;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::Result;
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;

use super::context::RequestContext;
use super::parts::EdgeParts;
use crate::snapshot::LiveRoute;

pub(super) use cors::preflight;
pub(super) use limits::Seen;
pub(super) use mirror::Tap;

const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The answer to a preflight, on a route that has `cors`.
pub(super) fn answer_to_preflight(
    asked: &RequestHeader,
    route: &LiveRoute,
) -> Option<Result<ResponseHeader>> {
    cors::answer_to_preflight(route.route.filters.cors.as_ref()?, asked)
}

/// The answer of a route that sends its clients elsewhere. A redirect is for pages of other sites to follow too.
pub(super) fn redirect(asked: &RequestHeader, route: &LiveRoute) -> Option<Result<ResponseHeader>> {
    let filters = &route.route.filters;
    let answer = location::redirect(filters.redirect.as_ref()?, &route.route.paths, asked);
    Some(answer.and_then(|mut answer| {
        if let Some(cors) = &filters.cors {
            cors::decorate(cors, asked, &mut answer)?;
        }
        Ok(answer)
    }))
}

/// Whether a request says itself that its body is over the route's limit.
pub(super) fn is_too_large(head: &RequestHeader, route: &LiveRoute) -> bool {
    limits::declares_more(&head.headers, route.route.filters.max_request_body)
}

/// The request on its way to a backend, after the edge's own headers.
pub(super) fn request(
    parts: &EdgeParts,
    context: &mut RequestContext,
    request: &mut RequestHeader,
) -> Result<()> {
    context.seen.restart();
    let route = match &context.route {
        Some(route) if route.route.filters.touch_requests() => Arc::clone(route),
        _ => return Ok(()),
    };
    let filters = &route.route.filters;
    if let Some(change) = &filters.rewrite {
        let (path, stripped) = path::rewritten(change, &route.route.paths, request.uri.path());
        let target = path::with_query(path, request.uri.query());
        request.set_raw_path(target.as_bytes())?;
        if let Some(prefix) = stripped {
            request.insert_header(X_FORWARDED_PREFIX, prefix)?;
        }
    }
    headers::change(&filters.request_headers, context, request)?;
    context
        .tap
        .begin(request, &route, &context.snapshot, &parts.metrics);
    Ok(())
}

/// A piece of the request's body on its way. What follows a switch of protocols is no body.
pub(super) fn request_body(
    parts: &EdgeParts,
    session: &Session,
    context: &mut RequestContext,
    body: Option<&Bytes>,
    end: bool,
) -> Result<()> {
    let Some(route) = context.route.as_ref().filter(|_| !session.was_upgraded()) else {
        return Ok(());
    };
    let limit = route.route.filters.max_request_body;
    context.seen.request(body.map_or(0, Bytes::len), limit)?;
    context.tap.take(body, end, route, &parts.metrics);
    Ok(())
}

/// The head of an answer on its way, before the WAF sees it.
pub(super) fn response(
    asked: &RequestHeader,
    context: &RequestContext,
    answer: &mut ResponseHeader,
) -> Result<()> {
    let Some(route) = context.route.as_deref() else {
        return Ok(());
    };
    // Interim answers and switched protocols are the backend's own business.
    if answer.status.is_informational() {
        return Ok(());
    }
    let filters = &route.route.filters;
    limits::check_answer(&asked.method, answer, filters.max_response_body)?;
    headers::change(&filters.response_headers, context, answer)?;
    match &filters.cors {
        Some(cors) => cors::decorate(cors, asked, answer),
        None => Ok(()),
    }
}

/// A piece of the answer's body on its way.
pub(super) fn response_body(
    session: &Session,
    context: &mut RequestContext,
    body: Option<&Bytes>,
) -> Result<()> {
    let Some(route) = context.route.as_deref().filter(|_| !session.was_upgraded()) else {
        return Ok(());
    };
    let limit = route.route.filters.max_response_body;
    context.seen.response(body.map_or(0, Bytes::len), limit)
}

/// What the edge's own answers need so that a page of another site may read them.
pub(super) fn cors_lines(asked: &RequestHeader, route: &LiveRoute) -> Vec<(HeaderName, HeaderValue)> {
    let cors = route.route.filters.cors.as_ref();
    cors.map_or_else(Vec::new, |cors| cors::lines(cors, asked))
}

/// No attempt to connect outlasts the request.
pub(super) fn limit_connect(context: &RequestContext, peer: &mut HttpPeer) -> Result<()> {
    limits::limit_connect(request_timeout(context), context.admitted, peer)
}

/// Whether the request's own time is over.
pub(super) fn is_out_of_time(context: &RequestContext) -> bool {
    limits::is_out_of_time(request_timeout(context), context.admitted)
}

fn request_timeout(context: &RequestContext) -> Option<Duration> {
    context.route.as_deref()?.route.filters.request_timeout
}
