//! The edge's own answers: a page for people, JSON for programs, nothing that helps an attacker.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use palisade_waf::InterruptionKind;
use pingora_core::protocols::http::ServerSession;
use pingora_error::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use serde::Serialize;

use super::accept::{self, Form};
use super::context::RequestContext;
use super::dress::Dress;
use super::head;
use super::inspection::Decision;

/// How long and how far a refused body is read on: enough for a client to notice its answer.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1024 * 1024;

/// An answer of the edge itself.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// 4xx or 5xx, or 302 with a location.
    pub(super) status: StatusCode,
    /// What the visitor can quote to the operator.
    pub(super) incident: Option<String>,
    /// For a redirect by rule.
    pub(super) location: Option<HeaderValue>,
    /// More headers.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Somebody else's page instead of ours.
    page: Option<Bytes>,
    /// How it looks on this route, to this client.
    dress: Dress,
}

#[derive(Serialize)]
struct Problem<'a> {
    status: u16,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Answer {
    /// An answer without an incident.
    pub(super) fn plain(status: StatusCode) -> Self {
        Self {
            status,
            incident: None,
            location: None,
            headers: Vec::new(),
            page: None,
            dress: Dress::default(),
        }
    }

    /// A refusal with an id.
    pub(super) fn refusal(status: StatusCode, incident: &str) -> Self {
        Self {
            status,
            incident: Some(incident.to_owned()),
            location: None,
            headers: Vec::new(),
            page: None,
            dress: Dress::default(),
        }
    }

    /// The answer to a decision of the WAF; none if the request may go on. `drop` has no answer in HTTP/2
    /// and a misleading one in HTTP/1.1: it is a refusal here.
    pub(super) fn to(decision: &Decision, incident: &str) -> Option<Self> {
        let interruption = match decision {
            Decision::Pass => return None,
            Decision::Failed => return Some(Self::refusal(StatusCode::INTERNAL_SERVER_ERROR, incident)),
            Decision::Stop(interruption) => interruption,
        };
        let (status, location) = match &interruption.kind {
            InterruptionKind::Deny { status } => (*status, None),
            InterruptionKind::Drop => (403, None),
            InterruptionKind::Redirect { status, location } => {
                (*status, HeaderValue::from_bytes(location).ok())
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
        Some(Self {
            status,
            incident: Some(incident.to_owned()),
            location,
            headers: Vec::new(),
            page: None,
            dress: Dress::default(),
        })
    }

    /// Another service's answer.
    pub(super) fn passed_on(
        status: StatusCode,
        headers: Vec<(HeaderName, HeaderValue)>,
        page: Vec<u8>,
    ) -> Self {
        Self {
            headers,
            page: Some(page.into()),
            ..Self::plain(status)
        }
    }

    /// With another header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With what access policies and the route have to say to the client.
    pub(super) fn of(self, context: &RequestContext) -> Self {
        self.dressed(Dress::of(context))
    }

    /// The same, prepared.
    pub(super) fn dressed(self, dress: Dress) -> Self {
        Self { dress, ..self }
    }

    /// Sends it. The connection closes afterwards if a request body is still on its way.
    pub(super) async fn send(&self, session: &mut ServerSession) -> Result<()> {
        let asked = session.req_header();
        let form = accept::form(&asked.headers);
        let body = match (&self.page, form) {
            (Some(page), _) => page.clone(),
            (None, Form::Html) => self.html().into(),
            (None, Form::Json) => self.json().into(),
            (None, Form::Text) => self.text().into(),
        };
        let head_only = asked.method == Method::HEAD;
        let header = self.header(asked, form, body.len())?;
        if !session.is_body_done() {
            session.set_keepalive(None);
        }
        session.write_response_header(Box::new(header)).await?;
        let body = if head_only { Bytes::new() } else { body };
        session.write_response_body(body, true).await?;
        linger(session).await;
        Ok(())
    }

    fn header(&self, asked: &RequestHeader, form: Form, length: usize) -> Result<ResponseHeader> {
        let mut header = ResponseHeader::build(self.status, Some(6))?;
        let content_type = match form {
            Form::Html => "text/html; charset=utf-8",
            Form::Json => "application/json",
            Form::Text => "text/plain; charset=utf-8",
        };
        header.insert_header(header::CONTENT_LENGTH, length)?;
        if self.page.is_none() {
            header.insert_header(header::CONTENT_TYPE, content_type)?;
            header.insert_header(header::CACHE_CONTROL, "no-store")?;
            header.insert_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")?;
        }
        if let Some(location) = &self.location {
            header.insert_header(header::LOCATION, location.clone())?;
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE && self.page.is_none() {
            header.insert_header(header::RETRY_AFTER, "5")?;
        }
        for (name, value) in &self.headers {
            header.append_header(name.clone(), value.clone())?;
        }
        self.dress.complete(asked, &mut header)?;
        Ok(header)
    }

    fn reason(&self) -> &'static str {
        match self.status {
            StatusCode::UNAUTHORIZED => "This needs a user name and a password",
            StatusCode::FORBIDDEN => "This request was blocked",
            StatusCode::TOO_MANY_REQUESTS => "There were too many requests",
            StatusCode::PAYLOAD_TOO_LARGE => "This request is too large",
            StatusCode::NOT_FOUND => "There is nothing here",
            StatusCode::BAD_REQUEST => "This request could not be understood",
            StatusCode::REQUEST_TIMEOUT => "The request took too long to arrive",
            StatusCode::BAD_GATEWAY => "The application gave no valid answer",
            StatusCode::SERVICE_UNAVAILABLE => "The application is not available",
            StatusCode::GATEWAY_TIMEOUT => "The application took too long to answer",
            other => other.canonical_reason().unwrap_or("This request was refused"),
        }
    }

    fn json(&self) -> Vec<u8> {
        let problem = Problem {
            status: self.status.as_u16(),
            error: self.reason(),
            incident: self.incident.as_deref(),
            request_id: self.failure_id(),
        };
        let mut body = serde_json::to_vec(&problem).unwrap_or_default();
        body.push(b'\n');
        body
    }

    fn text(&self) -> Vec<u8> {
        let mut text = format!("{}: {}\n", self.status.as_u16(), self.reason());
        if let Some(incident) = &self.incident {
            text += &format!("Incident: {incident}\n");
        }
        if let Some(id) = self.failure_id() {
            text += &format!("Request: {id}\n");
        }
        text.into_bytes()
    }

    /// What the operator can find a failure by; a refusal has its incident.
    fn failure_id(&self) -> Option<&str> {
        let is_failure = self.status.is_server_error() && self.incident.is_none();
        Some(self.dress.request_id.as_str()).filter(|id| is_failure && !id.is_empty())
    }

    /// Ids are hex digits of our own making: nothing here needs escaping.
    fn html(&self) -> Vec<u8> {
        let (code, reason) = (self.status.as_u16(), self.reason());
        if let Some(page) = self.dress.pages.find(code) {
            return page.filled(code, reason, &self.dress.request_id).into_bytes();
        }
        let incident = self.incident.as_ref().map_or_else(String::new, |id| {
            format!("<p>If you think this is a mistake, tell the site's operator this number:</p><p><code>{id}</code></p>")
        });
        let failure = self
            .failure_id()
            .map_or_else(String::new, |id| format!("<p>Request <code>{id}</code></p>"));
        format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>{code}</title><style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}}\
             code{{font-size:1.1rem}}</style><h1>{code}</h1><p>{reason}.</p>{incident}{failure}</html>\n"
        )
        .into_bytes()
    }
}

/// Sends an answer that is a head and nothing else: a redirect of a route, the answer to a preflight.
pub(super) async fn bare(session: &mut ServerSession, head: ResponseHeader) -> Result<()> {
    if !session.is_body_done() {
        session.set_keepalive(None);
    }
    session.write_response_header(Box::new(head)).await?;
    session.write_response_body(Bytes::new(), true).await?;
    linger(session).await;
    Ok(())
}

/// Reads on for a moment where a body is still coming: an answer whose connection (h1) or stream (h2) is reset
/// under the sender's hands is lost on many clients.
async fn linger(session: &mut ServerSession) {
    if session.is_body_done() || head::expects_continue(session.req_header()) {
        return;
    }
    let drained = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = session.read_request_body().await {
            read += chunk.len();
            if read > LINGER_BYTES {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, drained).await;
}

/// Answers a request that could not be proxied. Returns the status, or 0 if the client is gone or its answer
/// had begun already.
pub(super) async fn failure(session: &mut ServerSession, context: &RequestContext, error: &Error) -> u16 {
    let begun = session.response_written().is_some_and(|head| {
        !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS
    });
    let Some(status) = status_of(error).filter(|_| !begun) else {
        // A half-sent answer must not look complete: the connection ends here.
        session.shutdown().await;
        return 0;
    };
    session.set_keepalive(None);
    match Answer::plain(status).of(context).send(session).await {
        Ok(()) => status.as_u16(),
        Err(_) => 0,
    }
}

fn status_of(error: &Error) -> Option<StatusCode> {
    use ErrorType::*;
    match (error.etype(), error.esource()) {
        (HTTPStatus(code), _) => StatusCode::from_u16(*code).ok(),
        (
            ConnectTimedout | ConnectRefused | ConnectNoRoute | ConnectError | SocketError,
            ErrorSource::Upstream,
        ) => Some(StatusCode::SERVICE_UNAVAILABLE),
        (TLSHandshakeTimedout, ErrorSource::Upstream) => Some(StatusCode::SERVICE_UNAVAILABLE),
        (ReadTimedout, ErrorSource::Upstream) => Some(StatusCode::GATEWAY_TIMEOUT),
        (_, ErrorSource::Upstream) => Some(StatusCode::BAD_GATEWAY),
        // A body whose framing was refused at the listener.
        (ReadError, ErrorSource::Downstream) if is_invalid(error) => Some(StatusCode::BAD_REQUEST),
        (WriteError | ReadError | ConnectionClosed, ErrorSource::Downstream) => None,
        (ReadTimedout, ErrorSource::Downstream) => Some(StatusCode::REQUEST_TIMEOUT),
        (_, ErrorSource::Downstream) => Some(StatusCode::BAD_REQUEST),
        _ => Some(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn is_invalid(error: &Error) -> bool {
    let cause = error
        .cause
        .as_deref()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_the_incident_and_no_rule() {
        let answer = Answer::refusal(StatusCode::FORBIDDEN, "0123abcd");
        let (html, json) = (answer.html(), answer.json());
        assert!(String::from_utf8_lossy(&html).contains("0123abcd"));
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["incident"], "0123abcd");
        assert_eq!(json["status"], 403);
    }
}
