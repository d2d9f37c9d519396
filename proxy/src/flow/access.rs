//! The access policies of a route: asked in their order, before anything but the head of a request is looked at.

use std::sync::LazyLock;
use std::time::Instant;

use http::{HeaderName, HeaderValue, StatusCode, header};
use pingora_core::protocols::http::ServerSession;
use pingora_error::Result as Outcome;
use pingora_http::{RequestHeader, ResponseHeader};

use super::context::RequestContext;
use super::head;
use super::reading;
use super::respond::Answer;
use crate::access::client_certificate;
use crate::access::forward_auth::{Question, Unheard, Verdict};
use crate::access::{self, Asked, Basic, Charged, Login, Policies};
use crate::certs::{ClientTrust, Peer};
use crate::config::{ClientCertificate, normalized_path};
use crate::snapshot::LiveRoute;
use crate::telemetry::metrics::Refusal;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where the clock of rate limits begins.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What policies have to tell about a request, to whom it goes and to whom it came from.
#[derive(Debug, Default)]
pub(super) struct Granted {
    /// Who the client is.
    pub(super) user: Option<String>,
    /// Whether it said so by a password that is for the edge only.
    by_password: bool,
    /// For the request that goes upstream.
    request: Vec<(HeaderName, HeaderValue)>,
    /// For the answer, whoever gives it.
    pub(super) answer: Vec<(HeaderName, HeaderValue)>,
}

/// Nothing, or the reason and the answer.
type Refused = Result<(), Box<(Refusal, Answer)>>;

fn refused(reason: Refusal, answer: Answer) -> Refused {
    Err(Box::new((reason, answer)))
}

/// What a request can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Where it comes from and how often: a preflight never shows who asks (Fetch, CORS protocol and credentials).
    WhereFrom,
    /// Who it is as well.
    Who,
}

/// The refusal, if the route's policies refuse the request.
pub(super) async fn check(
    session: &mut ServerSession,
    context: &mut RequestContext,
    route: &LiveRoute,
    asking: Asking,
) -> Option<Answer> {
    let policies = route.access.as_ref()?;
    let mut granted = Granted::default();
    let refusal = ask(policies, route, session, context, asking, &mut granted)
        .await
        .err();
    context.granted = Some(Box::new(granted));
    let (refusal, answer) = *refusal?;
    if refusal == Refusal::misdirected {
        // The client makes another one, and not this one again.
        session.set_keepalive(None);
    }
    context.refused = Some(refusal);
    Some(answer)
}

async fn ask(
    policies: &Policies,
    route: &LiveRoute,
    session: &mut ServerSession,
    context: &mut RequestContext,
    asking: Asking,
    granted: &mut Granted,
) -> Refused {
    let head = session.req_header();
    let sent = context.path.as_deref().unwrap_or_else(|| head.uri.path());
    let path = normalized_path(sent);
    let readings = reading::readings(sent);
    let asked = Asked {
        client: context.client.ip(),
        host: &context.host,
        method: &head.method,
        path: &path,
        others: &readings.others,
        climbs: readings.climbs,
        headers: &head.headers,
    };
    policies.may_come(&asked).map_err(|refused| {
        let reason = match refused {
            access::Refused::Address => Refusal::address,
            access::Refused::Country => Refusal::country,
        };
        Box::new((reason, Answer::plain(StatusCode::FORBIDDEN)))
    })?;
    if asking == Asking::Who
        && let (Some(settings), Some(trust)) = (&route.route.access.client_certificate, &route.client_trust)
    {
        show_certificate(settings, trust, peer(session), granted)?;
    }
    let now = context.started.saturating_duration_since(*BEGINNING).as_nanos();
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    if let Some(charged) = policies.charge(&asked, now) {
        rate_limited(charged, granted)?;
    }
    if asking == Asking::WhereFrom {
        return Ok(());
    }
    if let Some(basic) = policies.basic() {
        logged_in(basic, basic.judge(&asked, now).await, granted)?;
    }
    match policies.forward() {
        Some(forward) if forward.concerns(&asked) => {
            let question = Question {
                client: context.client.ip(),
                authority: head::authority(head).unwrap_or_default(),
                method: &head.method,
                target: &context.target(reading::origin_form(head)),
                headers: &head.headers,
            };
            let heard = forward.ask(&question).await;
            if let Err(unheard) = &heard {
                context.error = Some(unheard.to_string());
            }
            heard_of(heard, granted)
        }
        _ => Ok(()),
    }
}

/// The certificate of the connection, which has to be one to a host of this route under the trust of today: another
/// connection is another matter (RFC 9110 section 15.5.20), and clients make one.
fn show_certificate(
    settings: &ClientCertificate,
    trust: &ClientTrust,
    peer: Option<&Peer>,
    granted: &mut Granted,
) -> Refused {
    let asked = |peer: &&Peer| peer.trust.as_deref() == Some(trust);
    let Some(peer) = peer.filter(asked) else {
        return refused(
            Refusal::misdirected,
            Answer::plain(StatusCode::MISDIRECTED_REQUEST),
        );
    };
    if settings.required && peer.certificates.is_empty() {
        return refused(Refusal::client_certificate, Answer::plain(StatusCode::FORBIDDEN));
    }
    granted
        .request
        .extend(client_certificate::headers(settings, &peer.certificates));
    granted.user = client_certificate::subject(&peer.certificates);
    Ok(())
}

/// What the handshake of the request's connection told.
fn peer(session: &ServerSession) -> Option<&Peer> {
    session.digest()?.ssl_digest.as_ref()?.extension.get::<Peer>()
}

fn logged_in(basic: &Basic, login: Login, granted: &mut Granted) -> Refused {
    match login {
        Login::Open => Ok(()),
        Login::Let(user) => {
            let header = basic.auth().user_header.as_ref();
            let told = header.and_then(|name| Some((name.clone(), HeaderValue::from_str(&user).ok()?)));
            granted.request.extend(told);
            granted.by_password = !basic.auth().pass_authorization;
            granted.user = Some(user);
            Ok(())
        }
        Login::Ask => {
            let answer = Answer::plain(StatusCode::UNAUTHORIZED);
            let answer = basic.challenge().into_iter().fold(answer, |answer, challenge| {
                answer.with(header::WWW_AUTHENTICATE, challenge)
            });
            refused(Refusal::basic_auth, answer)
        }
        Login::Wait(wait) => {
            let wait = HeaderValue::from(access::seconds(wait).max(1));
            let answer = Answer::plain(StatusCode::TOO_MANY_REQUESTS);
            refused(Refusal::attempts, answer.with(header::RETRY_AFTER, wait))
        }
        Login::Busy => refused(Refusal::busy, Answer::plain(StatusCode::SERVICE_UNAVAILABLE)),
    }
}

fn heard_of(heard: Result<Verdict, Unheard>, granted: &mut Granted) -> Refused {
    match heard {
        Ok(Verdict::Pass {
            request,
            answer,
            user,
        }) => {
            granted.request.extend(request);
            granted.answer.extend(answer);
            granted.user = user.or(granted.user.take());
            Ok(())
        }
        Ok(Verdict::Answer {
            status,
            headers,
            body,
        }) => refused(Refusal::forward_auth, Answer::passed_on(status, headers, body)),
        Err(_) => {
            let answer = Answer::plain(StatusCode::SERVICE_UNAVAILABLE);
            refused(Refusal::auth_unavailable, answer)
        }
    }
}

fn rate_limited(charged: Charged, granted: &mut Granted) -> Refused {
    let fields = [
        (RATE_LIMIT_POLICY, charged.policy),
        (RATE_LIMIT, charged.standing),
    ];
    for (name, value) in fields {
        granted
            .answer
            .extend(HeaderValue::try_from(value).map(|value| (name, value)));
    }
    let Some(wait) = charged.wait else { return Ok(()) };
    let wait = HeaderValue::from(access::seconds(wait).max(1));
    let answer = Answer::plain(StatusCode::TOO_MANY_REQUESTS).with(header::RETRY_AFTER, wait);
    refused(Refusal::rate_limit, answer)
}

/// Brings the request that goes upstream in line with what the policies found: what is theirs to say no client says, in
/// whatever spelling.
pub(super) fn to_upstream(context: &RequestContext, request: &mut RequestHeader) -> Outcome<()> {
    let Some(route) = context.route.as_deref() else {
        return Ok(());
    };
    if !route.spoken_for.is_empty() {
        let ours = |name: &HeaderName| {
            let mut ours = route.spoken_for.iter();
            ours.any(|ours| is_spelled(name.as_str(), ours.as_str()))
        };
        let taken: Vec<HeaderName> = request
            .headers
            .keys()
            .filter(|name| ours(name))
            .cloned()
            .collect();
        for name in &taken {
            request.remove_header(name);
        }
    }
    let Some(granted) = &context.granted else {
        return Ok(());
    };
    if granted.by_password {
        request.remove_header(&header::AUTHORIZATION);
    }
    for (name, value) in &granted.request {
        request.append_header(name.clone(), value.clone())?;
    }
    Ok(())
}

/// Many servers fold `_` into `-`.
fn is_spelled(name: &str, ours: &str) -> bool {
    let folded = |text: &str| {
        text.bytes()
            .map(|byte| if byte == b'_' { b'-' } else { byte })
            .collect::<Vec<_>>()
    };
    name.len() == ours.len() && folded(name) == folded(ours)
}

/// Adds to the application's answer what the policies and the route have to say to the client.
pub(super) fn to_client(context: &RequestContext, answer: &mut ResponseHeader) -> Outcome<()> {
    for (name, value) in context.granted.iter().flat_map(|granted| &granted.answer) {
        answer.append_header(name.clone(), value.clone())?;
    }
    Ok(())
}
