//! The plain-text listener: it only sends clients to https.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use http::{HeaderValue, Response, StatusCode, header};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;

use super::context::request_id;
use super::parts::EdgeParts;
use super::{client, head, log};
use crate::telemetry::access::Entry;

/// Answers 301 with host, path and query kept.
#[derive(Debug)]
pub struct Redirect {
    port: u16,
    parts: EdgeParts,
}

#[async_trait]
impl ServeHttp for Redirect {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let since = (SystemTime::now(), Instant::now());
        // Nothing else is to be had here: a kept connection would only be in the way of a drain.
        session.set_keepalive(None);
        let request = session.req_header();
        let host = head::host(request);
        let location = host
            .as_deref()
            .and_then(|host| location(self.port, host, path_of(request)));
        let answer = answer(location);
        self.tell(session, host, answer.status().as_u16(), since);
        answer
    }
}

impl Redirect {
    /// To the port that https is reached at; 443 is left out.
    pub fn new(port: u16, parts: &EdgeParts) -> Self {
        Self {
            port,
            parts: parts.clone(),
        }
    }

    /// As all requests that have found no route.
    fn tell(
        &self,
        session: &ServerSession,
        host: Option<String>,
        status: u16,
        (time, since): (SystemTime, Instant),
    ) {
        log::count_request(&self.parts, Arc::from(""), status, since.elapsed());
        if !self.parts.access.is_on() {
            return;
        }
        let request = session.req_header();
        let config = Arc::clone(&self.parts.snapshots.load().config);
        let (client, _) = client::client(head::peer(session), &request.headers, &config.listen);
        let entry = Entry {
            time: log::rfc3339(time),
            request_id: request_id(time),
            client: client.ip().to_string(),
            protocol: "h1",
            method: request.method.to_string(),
            host: host.unwrap_or_default(),
            path: request.uri.path().to_owned(),
            status,
            duration_ms: log::millis(since.elapsed()),
            waf: "off",
            ..Entry::default()
        };
        self.parts.access.write(entry.line(self.parts.style));
    }
}

fn location(port: u16, host: &str, path: &str) -> Option<HeaderValue> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if !host.bytes().all(is_plain) {
        return None;
    }
    let port = match port {
        443 => String::new(),
        port => format!(":{port}"),
    };
    HeaderValue::from_str(&format!("https://{host}{port}{path}")).ok()
}

/// Path and query of an origin-form or absolute-form target; `*` becomes `/`.
fn path_of(request: &pingora_http::RequestHeader) -> &str {
    match request.uri.path_and_query() {
        Some(path) if path.as_str().starts_with('/') => path.as_str(),
        _ => "/",
    }
}

fn answer(location: Option<HeaderValue>) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    let status = if location.is_some() {
        StatusCode::MOVED_PERMANENTLY
    } else {
        StatusCode::BAD_REQUEST
    };
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_path_and_query_are_kept() {
        let location = |port, host, path| location(port, host, path).unwrap();
        assert_eq!(location(443, "a.example", "/x?y=1"), "https://a.example/x?y=1");
        assert_eq!(location(8443, "[::1]", "/"), "https://[::1]:8443/");
    }

    #[test]
    fn no_host_no_location() {
        assert_eq!(location(443, "evil.example/", "/x"), None);
        assert_eq!(answer(None).status(), StatusCode::BAD_REQUEST);
    }
}
