//! The built-in upstream: answers with what it received, so that a first try needs no application.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::{Response, StatusCode};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;
use serde::Serialize;

/// The echo application.
#[derive(Debug, Clone, Copy)]
pub struct Echo;

#[derive(Serialize)]
struct Received {
    method: String,
    uri: String,
    headers: BTreeMap<String, Vec<String>>,
    body_bytes: usize,
}

#[async_trait]
impl ServeHttp for Echo {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        // Counted and dropped: an upload of any size costs one buffer.
        let mut body_bytes = 0;
        while let Ok(Some(chunk)) = session.read_request_body().await {
            body_bytes += chunk.len();
        }
        let head = session.req_header();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &head.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.as_str().to_owned()).or_default().push(value);
        }
        let received = Received {
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            headers,
            body_bytes,
        };
        respond(&received)
    }
}

fn respond(received: &Received) -> Response<Vec<u8>> {
    let mut body = serde_json::to_vec_pretty(received).unwrap_or_default();
    body.push(b'\n');
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    headers.insert(http::header::CONTENT_LENGTH, http::HeaderValue::from(body.len()));
    *response.body_mut() = body;
    response
}
