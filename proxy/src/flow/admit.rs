//! Admission: a request finds its route and passes the WAF before any upstream hears of it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::StatusCode;
use palisade_waf::Completeness;
use pingora_core::protocols::http::ServerSession;
use pingora_error::Result;

use super::body::{self, Held, Terms};
use super::connection;
use super::context::RequestContext;
use super::gate::{self, Duties};
use super::head;
use super::inspection::{Inspection, Origin, lock};
use super::respond::Answer;
use super::response_gate::ResponseGate;
use crate::config::WafMode;
use crate::snapshot::LiveRoute;

/// Admits the request, or answers it: `true` if the client has its answer.
pub(super) async fn admit(session: &mut ServerSession, context: &mut RequestContext) -> Result<bool> {
    identify(session, context);
    let refusal = match find_route(session, context) {
        Some(route) => {
            connection::limit_pauses(session, &context.snapshot.config.listen, &route.route.upstream);
            inspect(session, context, &route).await
        }
        None => Some(Answer::plain(StatusCode::NOT_FOUND)),
    };
    match refusal {
        Some(answer) => answer.send(session).await.map(|()| true),
        None => Ok(false),
    }
}

fn identify(session: &ServerSession, context: &mut RequestContext) {
    context.id = context.new_id();
    context.client = head::client(session);
    context.host = head::host(session.req_header()).unwrap_or_default();
}

fn find_route(session: &ServerSession, context: &mut RequestContext) -> Option<Arc<LiveRoute>> {
    let path = session.req_header().uri.path();
    let route = context.snapshot.find(&context.host, path)?;
    context.route = Some(Arc::clone(&route));
    Some(route)
}

/// Runs phases 1 and 2 and puts a gate in front of the session where a body is held or an answer is to be
/// inspected. Returns the refusal, if there is one.
async fn inspect(
    session: &mut ServerSession,
    context: &mut RequestContext,
    route: &LiveRoute,
) -> Option<Answer> {
    let mut held = None;
    if let Some(refusal) = run_waf(session, context, route, &mut held).await {
        return Some(refusal);
    }
    let upgrade = session.is_upgrade_req();
    let response = context
        .inspection
        .as_ref()
        .filter(|_| route.route.waf.inspect_responses)
        .map(|inspection| {
            let limit = route.route.waf.response_body_limit;
            ResponseGate::new(
                Arc::clone(inspection),
                &context.id,
                limit,
                context.snapshot.body_budget.share(),
            )
        });
    let upstream = &route.route.upstream;
    let deadline = upstream.first_byte_timeout < upstream.idle_timeout;
    if held.is_some() || response.is_some() || (deadline && !upgrade) {
        let duties = Duties {
            request: held,
            response,
            first_byte_timeout: upstream.first_byte_timeout,
        };
        context.home = Some(gate::install(session, duties));
    }
    None
}

async fn run_waf(
    session: &mut ServerSession,
    context: &mut RequestContext,
    route: &LiveRoute,
    held: &mut Option<Held>,
) -> Option<Answer> {
    let policy = &route.route.waf;
    let profile = route.profile.as_ref().filter(|_| policy.mode != WafMode::Off)?;
    let origin = Origin {
        id: &context.id,
        unix_micros: context.unix_micros(),
        client: context.client,
        server: head::server(session),
        host: &context.host,
    };
    let inspection = Inspection::open(profile.rules(), &origin, session.req_header(), policy.fail_closed);
    let inspection = Arc::new(Mutex::new(inspection));
    context.inspection = Some(Arc::clone(&inspection));
    let decision = lock(&inspection).request_headers();
    if let Some(refusal) = Answer::to(&decision, &context.id) {
        return Some(refusal);
    }
    let wanted = lock(&inspection).wants_request_body();
    let body = match hold_body(session, context, route, wanted).await {
        Ok(body) => body,
        Err(refusal) => return Some(refusal),
    };
    let (bytes, completeness) = body
        .as_ref()
        .map_or((Bytes::new(), Completeness::Complete), |held| {
            let seen = held.bytes.len().min(policy.request_body_limit);
            (held.bytes.slice(..seen), held.completeness)
        });
    let decision = lock(&inspection).request_body(bytes, completeness);
    *held = body;
    Answer::to(&decision, &context.id)
}

/// Holds the body, where there is one to inspect. A WebSocket's bytes are no body.
async fn hold_body(
    session: &mut ServerSession,
    context: &mut RequestContext,
    route: &LiveRoute,
    wanted: bool,
) -> Result<Option<Held>, Answer> {
    if !wanted || session.is_body_empty() || session.is_upgrade_req() {
        return Ok(None);
    }
    let policy = &route.route.waf;
    let terms = Terms {
        limit: policy.request_body_limit,
        action: policy.request_body_limit_action,
        pause: context.snapshot.config.listen.request_body_timeout,
    };
    match body::hold(session, &terms, context.snapshot.body_budget.share()).await {
        Ok(held) => {
            context.held_bytes = held.bytes.len();
            Ok(Some(held))
        }
        Err(error) => {
            context.error = Some(error.to_string());
            Err(Answer::plain(error.status()))
        }
    }
}
