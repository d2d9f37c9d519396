//! The word of another service: it is asked with the request's head, and either lets it pass or answers the client.
//!
//! The request's body is not touched: uploads stream on to the application, and WebSockets open as they would.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::{Certificate, Client, redirect};

use super::{AccessError, Asked};
use crate::config::ForwardAuth;

/// An answer of the service is a page to log in at the most.
const LONGEST: usize = 1 << 20;

/// What the service is not told: it is about this connection, the body, or another copy of the answer.
const KEPT_BACK: [HeaderName; 16] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    header::RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Where services name the user, for the access log.
const USERS: [&str; 4] = [
    "remote-user",
    "x-auth-request-user",
    "x-authentik-username",
    "x-forwarded-user",
];

/// What the service is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Question<'r> {
    /// The client.
    pub client: IpAddr,
    /// The host with its port, as it was sent.
    pub authority: &'r str,
    /// The method.
    pub method: &'r Method,
    /// Path and query, as they were sent.
    pub target: &'r [u8],
    /// The headers, as they were sent.
    pub headers: &'r HeaderMap,
}

/// What the service said.
#[derive(Debug)]
pub enum Verdict {
    /// The request may pass.
    Pass {
        /// Headers for the upstream.
        request: Vec<(HeaderName, HeaderValue)>,
        /// Headers for the client.
        answer: Vec<(HeaderName, HeaderValue)>,
        /// Who the client is, where the service says so.
        user: Option<String>,
    },
    /// The client gets this.
    Answer {
        /// The status.
        status: StatusCode,
        /// Headers, those of the connection aside.
        headers: Vec<(HeaderName, HeaderValue)>,
        /// The body.
        body: Vec<u8>,
    },
}

/// The service said nothing that could be understood.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// No answer, or a broken one.
    #[error("the auth service cannot be asked: {}", cause(.0))]
    Http(reqwest::Error),
    /// A page without end.
    #[error("the auth service's answer is longer than 1 MiB")]
    TooLong,
}

/// The service of a route.
#[derive(Debug)]
pub struct Forward {
    auth: ForwardAuth,
    client: Client,
}

impl Forward {
    /// The service, with a pool of connections of its own.
    pub fn new(auth: &ForwardAuth) -> Result<Self, AccessError> {
        let failed = |path: &std::path::Path, reason: String| AccessError::Ca {
            path: path.to_owned(),
            reason,
        };
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(auth.timeout)
            .timeout(auth.timeout);
        if let Some(path) = &auth.ca {
            let pem = std::fs::read(path).map_err(|error| failed(path, error.to_string()))?;
            let roots =
                Certificate::from_pem_bundle(&pem).map_err(|error| failed(path, error.to_string()))?;
            if roots.is_empty() {
                return Err(failed(path, "the file holds no CERTIFICATE block".to_owned()));
            }
            builder = builder.tls_certs_only(roots);
        }
        Ok(Self {
            client: builder.build().map_err(AccessError::Client)?,
            auth: auth.clone(),
        })
    }

    /// What it was made of.
    pub fn auth(&self) -> &ForwardAuth {
        &self.auth
    }

    /// Whether the service has to be asked about a request.
    pub fn concerns(&self, asked: &Asked<'_>) -> bool {
        self.auth.except.is_empty() || !asked.is_for(&self.auth.except)
    }

    /// Asks the service.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Verdict, Unheard> {
        let request = self.client.get(&self.auth.url).headers(told(question));
        let mut answer = request.send().await.map_err(Unheard::Http)?;
        if answer.status().is_success() {
            return Ok(Verdict::Pass {
                request: named(answer.headers(), &self.auth.request_headers),
                answer: named(answer.headers(), &self.auth.answer_headers),
                user: user(answer.headers()),
            });
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(Unheard::Http)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(Unheard::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status();
        let sent = std::mem::take(answer.headers_mut());
        let mut headers = Vec::with_capacity(sent.len());
        for (name, value) in &sent {
            if !KEPT_BACK.contains(name) {
                headers.push((name.clone(), value.clone()));
            }
        }
        Ok(Verdict::Answer {
            status,
            headers,
            body,
        })
    }
}

/// The client's headers, and what the service goes by: X-Forwarded-* as Traefik and Caddy send them, X-Original-* as
/// nginx does. What a client says of these itself is no word of ours.
fn told(question: &Question<'_>) -> HeaderMap {
    let mut told = HeaderMap::with_capacity(question.headers.len() + 8);
    for (name, value) in question.headers {
        let folded = name.as_str().replace('_', "-");
        let ours =
            folded.starts_with("x-forwarded-") || folded.starts_with("x-original-") || folded == "forwarded";
        if !ours && folded != "x-real-ip" && !KEPT_BACK.contains(name) {
            told.append(name.clone(), value.clone());
        }
    }
    let mut set = |name: &'static str, value: Result<HeaderValue, header::InvalidHeaderValue>| {
        if let Ok(value) = value {
            told.insert(name, value);
        }
    };
    let client = question.client.to_string();
    let url = [b"https://", question.authority.as_bytes(), question.target].concat();
    set(
        "x-forwarded-method",
        HeaderValue::from_str(question.method.as_str()),
    );
    set("x-forwarded-proto", Ok(HeaderValue::from_static("https")));
    set("x-forwarded-host", HeaderValue::from_str(question.authority));
    set("x-forwarded-uri", HeaderValue::from_bytes(question.target));
    set("x-forwarded-for", HeaderValue::from_str(&client));
    set("x-real-ip", HeaderValue::from_str(&client));
    set(
        "x-original-method",
        HeaderValue::from_str(question.method.as_str()),
    );
    set("x-original-url", HeaderValue::from_bytes(&url));
    told
}

fn named(headers: &HeaderMap, names: &[HeaderName]) -> Vec<(HeaderName, HeaderValue)> {
    let values = |name: &HeaderName| {
        let name = name.clone();
        headers
            .get_all(&name)
            .into_iter()
            .cloned()
            .map(move |value| (name.clone(), value))
            .collect::<Vec<_>>()
    };
    names.iter().flat_map(values).collect()
}

fn user(headers: &HeaderMap) -> Option<String> {
    let named = |name: &&str| headers.get(*name)?.to_str().ok().map(str::to_owned);
    USERS.iter().find_map(named)
}

/// The error with its causes and without the URL, which may hold a secret.
fn cause(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    if error.is_timeout() {
        text.push_str("no answer in time");
        source = None;
    }
    while let Some(error) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        source = error.source();
    }
    if text.is_empty() {
        "the exchange failed".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::testing::headers;
    use super::*;

    #[test]
    fn a_client_cannot_speak_for_the_edge() {
        let sent = headers(&[
            ("cookie", "session=1"),
            ("x-forwarded-uri", "/public"),
            ("x_forwarded_method", "GET"),
            ("x-original-url", "https://other.test/"),
            ("forwarded", "for=6.6.6.6"),
            ("if-none-match", "\"a\""),
            ("content-length", "12"),
            ("connection", "upgrade"),
        ]);
        let told = told(&Question {
            client: "192.0.2.1".parse().unwrap(),
            authority: "app.test:8443",
            method: &Method::POST,
            target: b"/private?a=b",
            headers: &sent,
        });
        let mut told: Vec<_> = told
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "cookie: session=1",
                "x-forwarded-for: 192.0.2.1",
                "x-forwarded-host: app.test:8443",
                "x-forwarded-method: POST",
                "x-forwarded-proto: https",
                "x-forwarded-uri: /private?a=b",
                "x-original-method: POST",
                "x-original-url: https://app.test:8443/private?a=b",
                "x-real-ip: 192.0.2.1",
            ]
        );
    }
}
