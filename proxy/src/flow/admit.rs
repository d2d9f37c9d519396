//! Admission: a request finds its route and passes the WAF before any upstream hears of it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use http::{StatusCode, header};
use palisade_waf::Completeness;
use pingora_core::protocols::http::ServerSession;
use pingora_error::Result;
use pingora_http::{RequestHeader, ResponseHeader};

use super::access::{self, Asking};
use super::bans;
use super::body::{self, Held, Terms};
use super::client;
use super::compress::Press;
use super::connection;
use super::context::RequestContext;
use super::dress::Dress;
use super::filter;
use super::fit::{self, Unfit};
use super::gate::{self, Duties};
use super::head;
use super::inspection::{self, Inspection, Origin, lock};
use super::kind;
use super::pace::Pace;
use super::parts::EdgeParts;
use super::path::{self, BadPath};
use super::reading::{self, Ambiguous};
use super::respond::{self, Answer};
use super::response_gate::ResponseGate;
use crate::certs::CertificateStore;
use crate::config::{BanCause, BodyLimitAction, WafMode};
use crate::limit::{ClientKey, Share};
use crate::route::Asked;
use crate::snapshot::{LiveRoute, Snapshot};
use crate::upstream::Kind;

/// Admits the request, or answers it: `true` if the client has its answer.
pub(super) async fn admit(
    session: &mut ServerSession,
    context: &mut RequestContext,
    parts: &EdgeParts,
) -> Result<bool> {
    identify(session, context);
    if let Some(refusal) = bans::check(&parts.bans, session, context) {
        return refusal.send(session).await.map(|()| true);
    }
    let refusal = match find_route(session, context, &parts.certificates) {
        Ok(Some(route)) => {
            connection::limit_pauses(session, &context.snapshot.config.listen, &route.route.upstream);
            // An answered preflight tells no more than the configuration does.
            let preflight = filter::answer_to_preflight(session.req_header(), &route);
            let asking = match preflight {
                Some(_) => Asking::WhereFrom,
                None => Asking::Who,
            };
            match access::check(session, context, &route, asking).await {
                Some(refusal) => Some(refusal),
                None => match preflight.or_else(|| filter::redirect(session.req_header(), &route)) {
                    Some(head) => return bare(session, context, head?).await,
                    None => inspect(session, context, &route).await,
                },
            }
        }
        Ok(None) => Some(Answer::plain(StatusCode::NOT_FOUND)),
        Err(refused) => {
            context.error = Some(refused.to_string());
            if refused.is_malformed() {
                bans::count_request(parts, context, BanCause::Malformed);
            }
            // Nor is it certain where such a request ends.
            session.set_keepalive(None);
            Some(Answer::plain(refused.status()))
        }
    };
    match refusal {
        Some(answer) => answer.of(context).send(session).await.map(|()| true),
        None => Ok(false),
    }
}

async fn bare(
    session: &mut ServerSession,
    context: &RequestContext,
    mut head: ResponseHeader,
) -> Result<bool> {
    Dress::of(context).complete_bare(&mut head)?;
    respond::bare(session, head).await.map(|()| true)
}

fn identify(session: &mut ServerSession, context: &mut RequestContext) {
    context.id = context.new_id();
    let listen = &context.snapshot.config.listen;
    (context.client, context.told) =
        client::client(head::peer(session), &session.req_header().headers, listen);
    context.host = head::host(session.req_header()).unwrap_or_default();
    context.has_body = !session.is_body_empty();
}

/// Why a head leads to no route, not even to none.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Ambiguous(#[from] Ambiguous),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    BadPath(#[from] BadPath),
}

impl Refused {
    /// Whether no client that works sends such a thing.
    fn is_malformed(&self) -> bool {
        match self {
            Refused::Ambiguous(_) | Refused::BadPath(BadPath::Nul) => true,
            Refused::Unfit(_) | Refused::BadPath(BadPath::Slash) => false,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Refused::Ambiguous(ambiguous) => ambiguous.status(),
            Refused::Unfit(unfit) => unfit.status(),
            Refused::BadPath(bad) => bad.status(),
        }
    }
}

fn find_route(
    session: &mut ServerSession,
    context: &mut RequestContext,
    certificates: &CertificateStore,
) -> Result<Option<Arc<LiveRoute>>, Refused> {
    let listen = &context.snapshot.config.listen;
    fit::check(session.req_header_mut(), listen)?;
    reading::settle(session.req_header_mut())?;
    fit::check_direction(session, listen, certificates)?;
    let request = session.req_header();
    context.path = path::normal(reading::origin_form(request), listen)?;
    let authority = head::authority(request).unwrap_or_default();
    let path = context.path.as_deref().unwrap_or_else(|| request.uri.path());
    let find_as = |path: &str, method: &str, announced| {
        context.snapshot.find(&Asked {
            host: authority,
            path,
            query: request.uri.query(),
            method,
            headers: &request.headers,
            announced,
        })
    };
    // A preflight asks on behalf of the request that would follow: where that one's route has `cors`, it answers.
    let find = |path: &str| {
        let preflight = filter::preflight(request);
        let on_behalf = preflight.and_then(|asked| find_as(path, asked.method, asked.headers));
        let on_behalf = on_behalf.filter(|route| route.route.filters.cors.is_some());
        on_behalf.or_else(|| find_as(path, request.method.as_str(), None))
    };
    let Some(route) = find(path) else { return Ok(None) };
    let readings = reading::readings(path);
    let elsewhere = |path: &String| find(path).is_none_or(|other| !Arc::ptr_eq(&other, &route));
    // The WAF judges what climbs where nothing but this route can be meant.
    if readings.others.iter().any(elsewhere) || (readings.climbs && shares_hosts(&context.snapshot, &route)) {
        return Err(Ambiguous::Path.into());
    }
    context.route = Some(Arc::clone(&route));
    Ok(Some(route))
}

/// Whether a host of the route has others, at other paths or under other conditions.
fn shares_hosts(snapshot: &Snapshot, route: &Arc<LiveRoute>) -> bool {
    let hosts = &route.route.hosts;
    let mut others = snapshot.routes().filter(|other| !Arc::ptr_eq(other, route));
    others.any(|other| other.route.hosts.iter().any(|host| hosts.contains(host)))
}

/// Runs phases 1 and 2 and puts a gate in front of the session where a body is held or an answer is to be
/// inspected. Returns the refusal, if there is one.
async fn inspect(
    session: &mut ServerSession,
    context: &mut RequestContext,
    route: &LiveRoute,
) -> Option<Answer> {
    if filter::is_too_large(session.req_header(), route) {
        context.error = Some("request body over max_request_body".to_owned());
        return Some(Answer::plain(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let mut held = None;
    let listen = &context.snapshot.config.listen;
    let mut pace = Pace::new(listen, &route.route.upstream);
    if let Some(refusal) = run_waf(session, context, route, &mut pace, &mut held).await {
        return Some(refusal);
    }
    context.kind = kind::settle(session, &route.route.upstream.upgrades);
    if context.kind == Kind::Grpc && held.is_none() {
        pace.converse(route.route.upstream.idle_timeout);
    }
    let upgrade = matches!(context.kind, Kind::WebSocket | Kind::OtherUpgrade);
    let response = context
        .inspection
        .as_ref()
        .filter(|_| route.route.waf.inspect_responses)
        .map(|inspection| {
            let limit = route.route.waf.response_body_limit;
            ResponseGate::new(
                Arc::clone(inspection),
                Dress::of(context),
                limit,
                context.snapshot.body_budget.share(),
            )
        });
    let upstream = &route.route.upstream;
    let request_timeout = route.route.filters.request_timeout;
    let press = Press::new(&route.route, session.req_header());
    context.admitted = request_timeout.map(|_| Instant::now());
    // Also where there is nothing but a deadline to keep: Pingora's own is for each read, and a head may drip.
    let duties = Duties {
        pace,
        request: held,
        response,
        press,
        upgrade,
        first_byte_timeout: upstream.first_byte_timeout,
        request_timeout,
    };
    context.home = Some(gate::install(session, duties));
    None
}

async fn run_waf(
    session: &mut ServerSession,
    context: &mut RequestContext,
    route: &LiveRoute,
    pace: &mut Pace,
    held: &mut Option<Held>,
) -> Option<Answer> {
    let policy = &route.route.waf;
    let profile = route.profile.as_ref().filter(|_| policy.mode != WafMode::Off)?;
    let origin = Origin {
        id: &context.id,
        unix_micros: context.unix_micros(),
        client: context.client,
        server: head::server(session),
        authority: head::authority(session.req_header()).unwrap_or_default(),
        path: context.path.as_deref(),
    };
    let inspection = Inspection::open(profile.engine(), &origin, policy.fail_closed);
    let inspection = Arc::new(Mutex::new(inspection));
    let decision = lock(&inspection).request_headers(&origin, session.req_header());
    context.inspection = Some(Arc::clone(&inspection));
    if let Some(refusal) = Answer::to(&decision, &context.id) {
        return Some(refusal);
    }
    let wanted = lock(&inspection).wants_request_body();
    let streams = wanted && streams(session, route);
    let body = match hold_body(session, context, route, pace, wanted && !streams).await {
        Ok(body) => body,
        Err(refusal) => return Some(refusal),
    };
    let unseen = if streams {
        Completeness::Partial
    } else {
        Completeness::Complete
    };
    let (bytes, completeness) = body.as_ref().map_or((Bytes::new(), unseen), |held| {
        let seen = held.bytes.len().min(policy.request_body_limit);
        (held.bytes.slice(..seen), held.completeness)
    });
    let decision = inspection::request_body(&inspection, bytes, completeness).await;
    *held = body;
    Answer::to(&decision, &context.id)
}

/// Whether the body passes uninspected, as a stream: a call of gRPC, where the route names its very content type as
/// allowed. Whoever waits for the end of a call's stream before passing on its first message has broken the call.
/// Elsewhere the content type is a finding, and the body is held like any other: no attacker has a way around by
/// claiming to be gRPC.
fn streams(session: &ServerSession, route: &LiveRoute) -> bool {
    kind::is_grpc(session.req_header())
        && is_allowed(
            session.req_header(),
            &route.route.waf.profile.allowed_content_types,
        )
}

/// Whether the content type, without its parameters, is one of these. Several lines are joined by commas, and such a type
/// is none.
fn is_allowed(head: &RequestHeader, allowed: &[String]) -> bool {
    let value = head.headers.get(header::CONTENT_TYPE);
    let Some(text) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let kind = text.split_once(';').map_or(text, |(kind, _)| kind).trim();
    !text.contains(',') && allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(kind))
}

/// Of the memory for bodies. A trusted proxy is not one client.
fn share(context: &RequestContext) -> Share {
    let client = context.client.ip();
    let counts = !context.snapshot.config.listen.trusted_proxies.contains(client);
    let client = counts.then(|| ClientKey::from(client));
    context.snapshot.body_budget.share_of(client)
}

/// Holds the body, where there is one to inspect.
async fn hold_body(
    session: &mut ServerSession,
    context: &mut RequestContext,
    route: &LiveRoute,
    pace: &mut Pace,
    wanted: bool,
) -> Result<Option<Held>, Answer> {
    // A request that asks for an upgrade may carry a body all the same; a WebSocket handshake has none.
    if !wanted || session.is_body_empty() {
        return Ok(None);
    }
    let policy = &route.route.waf;
    let (limit, action) = match route.route.filters.max_request_body {
        Some(limit) if limit < policy.request_body_limit => (limit, BodyLimitAction::Reject),
        _ => (policy.request_body_limit, policy.request_body_limit_action),
    };
    let terms = Terms { limit, action };
    match body::hold(session, &terms, pace, share(context)).await {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_allowed_by_its_own_name() {
        let allowed = ["application/grpc".to_owned(), "application/grpc-web".to_owned()];
        for (content_type, expected) in [
            ("application/grpc", true),
            ("Application/gRPC ; charset=utf-8", true),
            ("application/grpc+proto", false),
            ("application/grpc, text/html", false),
            ("application/grpc;x, text/html", false),
            ("application/grp", false),
        ] {
            let mut head = RequestHeader::build("POST", b"/", None).unwrap();
            head.insert_header("Content-Type", content_type).unwrap();
            assert_eq!(is_allowed(&head, &allowed), expected, "{content_type}");
        }
        let bare = RequestHeader::build("POST", b"/", None).unwrap();
        assert!(!is_allowed(&bare, &allowed));
    }
}
