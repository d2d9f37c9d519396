//! The plain-text listener: it only sends clients to https.

use async_trait::async_trait;
use http::{HeaderValue, Response, StatusCode, header};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;

use super::head;

/// Answers 301 with host, path and query kept.
#[derive(Debug, Clone, Copy)]
pub struct Redirect {
    /// The port that https is reached at; 443 is left out.
    pub port: u16,
}

#[async_trait]
impl ServeHttp for Redirect {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        // Nothing else is to be had here: a kept connection would only be in the way of a drain.
        session.set_keepalive(None);
        let request = session.req_header();
        let location = head::host(request).and_then(|host| self.location(&host, path_of(request)));
        answer(location)
    }
}

impl Redirect {
    fn location(&self, host: &str, path: &str) -> Option<HeaderValue> {
        if !host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
        {
            return None;
        }
        let port = if self.port == 443 {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        HeaderValue::from_str(&format!("https://{host}{port}{path}")).ok()
    }
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
        let location = |port, host, path| Redirect { port }.location(host, path).unwrap();
        assert_eq!(location(443, "a.example", "/x?y=1"), "https://a.example/x?y=1");
        assert_eq!(location(8443, "[::1]", "/"), "https://[::1]:8443/");
    }

    #[test]
    fn no_host_no_location() {
        assert_eq!(Redirect { port: 443 }.location("evil.example/", "/x"), None);
        assert_eq!(answer(None).status(), StatusCode::BAD_REQUEST);
    }
}
