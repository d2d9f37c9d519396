//! The application behind the engine: what the CRS project's test server answers.
//!
//! A `POST /reflect` describes the answer it wants as JSON; everything else is answered 200 without a body.
//! The server also does what any server of several hosts does: it refuses a `Host` that names none.

mod sniff;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::wire::Message;

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// In the order of their names.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reflection {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(rename = "encodedBody")]
    encoded_body: String,
}

/// Answers a request.
pub fn answer(message: &Message) -> Response {
    if !has_valid_host(message) {
        return refused("invalid Host");
    }
    let path = message
        .target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default();
    if message.method == b"POST" && (path == b"/reflect" || path.starts_with(b"/reflect/")) {
        return reflected(&message.body);
    }
    Response::new(200, BTreeMap::new(), Vec::new())
}

impl Response {
    fn new(status: u16, headers: BTreeMap<String, String>, body: Vec<u8>) -> Self {
        let mut headers: Vec<(String, String)> = headers.into_iter().collect();
        let has = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if !body.is_empty() && !has(&headers, "content-type") {
            headers.push(("Content-Type".into(), sniff::content_type(&body).into()));
        }
        if !has(&headers, "content-length") {
            headers.push(("Content-Length".into(), body.len().to_string()));
        }
        Self {
            status,
            headers,
            body,
        }
    }
}

fn refused(reason: &str) -> Response {
    Response::new(400, BTreeMap::new(), reason.as_bytes().to_vec())
}

fn reflected(description: &[u8]) -> Response {
    let Ok(wanted) = serde_json::from_slice::<Reflection>(description) else {
        return refused("Invalid JSON in request body");
    };
    let status = match wanted.status {
        0 => 200,
        status @ 100..=599 => status,
        _ => return refused("Invalid status code"),
    };
    let body = if wanted.body.is_empty() {
        STANDARD.decode(&wanted.encoded_body).unwrap_or_default()
    } else {
        wanted.body.into_bytes()
    };
    Response::new(status, wanted.headers, body)
}

/// RFC 9112 section 3.2: a request of HTTP/1.1 names its host, and the name is one (RFC 3986 section 3.2.2:
/// letters, digits and a few marks; escapes would be allowed in a name that is no domain, but no host has
/// such a name).
fn has_valid_host(message: &Message) -> bool {
    let Some(host) = message.header("host") else {
        return message.protocol != b"HTTP/1.1";
    };
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]!$&'()*+,;=".contains(byte);
    host.iter().all(known) && (!host.is_empty() || message.protocol != b"HTTP/1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(head: &str) -> Response {
        answer(&Message::parse(format!("{head}\r\n\r\n").as_bytes()))
    }

    fn reflect(json: &str) -> Response {
        let length = json.len();
        let wire = format!("POST /reflect HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{json}");
        answer(&Message::parse(wire.as_bytes()))
    }

    #[test]
    fn any_request_is_answered_with_an_empty_200() {
        let response = get("GET /reflect HTTP/1.1\r\nHost: a");
        assert_eq!((response.status, response.body.len()), (200, 0));
    }

    #[test]
    fn a_reflection_says_its_answer() {
        let response =
            reflect(r#"{"status": 503, "headers": {"X-A": "b"}, "body": "<html>x", "logMessage": "y"}"#);
        assert_eq!(response.status, 503);
        assert_eq!(response.body, b"<html>x");
        assert_eq!(response.headers[0], ("X-A".into(), "b".into()));
        assert_eq!(
            response.headers[1],
            ("Content-Type".into(), "text/html; charset=utf-8".into())
        );
    }

    #[test]
    fn a_reflected_body_may_be_encoded() {
        assert_eq!(reflect(r#"{"encodedBody": "AAE="}"#).body, [0, 1]);
    }

    #[test]
    fn a_description_that_is_none_is_refused() {
        for json in ["<x>", r#"{"status": 99}"#, r#"{"status": 600}"#, r#"{"body": 1}"#] {
            assert_eq!(reflect(json).status, 400, "{json}");
        }
    }

    #[test]
    fn a_host_is_needed_and_is_a_name() {
        let table = [
            ("HTTP/1.1\r\nHost: a.example:80", 200),
            ("HTTP/1.1\r\nHost: [::1]:80", 200),
            ("HTTP/1.0", 200),
            ("HTTP/1.0\r\nHost:", 200),
            ("HTTP/1.1\r\nHost:", 400),
            ("HTTP/1.1", 400),
            ("HTTP/1.1\r\nHost: a%00", 400),
        ];
        for (rest, status) in table {
            assert_eq!(get(&format!("GET / {rest}")).status, status, "{rest:?}");
        }
    }
}
