//! The request as the upstream gets it: the edge says who the client is, whatever the client says itself.

use std::net::IpAddr;

use http::{HeaderName, HeaderValue, header};
use pingora_error::Result;
use pingora_http::RequestHeader;

use super::context::RequestContext;
use super::{kind, reading};
use crate::config::ForwardingHeaders;
use crate::upstream::Kind;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Forwarding headers that a client may send and no upstream may believe.
const DROPPED: [HeaderName; 3] = [
    X_FORWARDED_PORT,
    header::FORWARDED,
    HeaderName::from_static("x-original-forwarded-for"),
];

/// Sets the forwarding headers and what the route asks for.
pub(super) fn request(context: &RequestContext, request: &mut RequestHeader) -> Result<()> {
    drop_untrusted(request);
    let client = context.client.ip().to_string();
    request.insert_header(X_FORWARDED_FOR, client.as_str())?;
    request.insert_header(X_REAL_IP, client)?;
    let scheme = context.told.scheme.unwrap_or("https");
    request.insert_header(X_FORWARDED_PROTO, HeaderValue::from_static(scheme))?;
    request.insert_header(X_REQUEST_ID, context.id.as_str())?;
    let host = match &context.told.host {
        Some(host) => host.clone(),
        None => original_host(context, request),
    };
    if context.snapshot.config.listen.forwarding_headers == ForwardingHeaders::Forwarded {
        request.insert_header(header::FORWARDED, forwarded(context.client.ip(), scheme, &host))?;
    }
    request.insert_header(X_FORWARDED_HOST, host)?;
    to_origin_form(request)?;
    if context.path.is_some() {
        let target = context.target(request.raw_path()).into_owned();
        request.set_raw_path(&target)?;
    }
    let Some(route) = context.route.as_deref() else {
        return Ok(());
    };
    if let Some(host) = &route.route.upstream.host {
        request.insert_header(header::HOST, host.as_str())?;
    }
    if route.route.waf.inspect_responses {
        // Phase 4 reads what is sent: the upstream is not asked for a coded body.
        request.remove_header(&header::ACCEPT_ENCODING);
    }
    if context.kind == Kind::Grpc {
        // Pingora takes it for hop-by-hop, which it is; servers of gRPC want to see it.
        request.insert_header(header::TE, HeaderValue::from_static("trailers"))?;
    }
    if context.kind == Kind::OtherUpgrade {
        kind::join_upgrade(request)?;
    }
    if matches!(context.kind, Kind::WebSocket | Kind::OtherUpgrade) {
        // The gate tells only later that there is no body: this keeps Pingora from announcing one until then.
        request.insert_header(header::CONTENT_LENGTH, 0)?;
    }
    if context.held_bytes > 0 || !context.has_body {
        // The body is here already, or there is none: the client's wish was answered by the edge.
        request.remove_header(&header::EXPECT);
    }
    Ok(())
}

/// RFC 7239, as the only element: nobody before the edge is to be believed.
fn forwarded(client: IpAddr, scheme: &str, host: &HeaderValue) -> String {
    let client = match client {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("\"[{v6}]\""),
    };
    let host = host.to_str().unwrap_or_default();
    format!("for={client};proto={scheme};host=\"{host}\"")
}

/// All of X-Forwarded-*, whatever its spelling: many servers fold `_` into `-`, and upstreams believe
/// X-Forwarded-User and its like. The edge's own are set afterwards.
fn drop_untrusted(request: &mut RequestHeader) {
    for name in &DROPPED {
        request.remove_header(name);
    }
    let spelled: Vec<HeaderName> = request
        .headers
        .keys()
        .filter(|name| is_ours(name.as_str()))
        .cloned()
        .collect();
    for name in &spelled {
        request.remove_header(name);
    }
}

fn is_ours(name: &str) -> bool {
    let is = |ours: &str| name.len() == ours.len() && begins_with(name, ours);
    begins_with(name, "x-forwarded-")
        || is("client-cert")
        || is("client-cert-chain")
        || is("x-real-ip")
        || is("x-request-id")
        || is("forwarded")
}

/// Whether a name begins so, with `_` for `-` or not.
fn begins_with(name: &str, start: &str) -> bool {
    let mut bytes = name.bytes().map(|byte| if byte == b'_' { b'-' } else { byte });
    start.bytes().all(|byte| bytes.next() == Some(byte))
}

/// A target in absolute form names a host that the upstream would take before Host (RFC 9112 section 3.2.2).
fn to_origin_form(request: &mut RequestHeader) -> Result<()> {
    if let Some(authority) = request.uri.authority().map(ToString::to_string) {
        // A new path takes the authority away, and HTTP/2 clients name their host nowhere else.
        request.insert_header(header::HOST, authority)?;
    }
    if request.raw_path().starts_with(b"/") {
        return Ok(());
    }
    if let Some(path) = reading::path_of_url(request.raw_path()) {
        let slash: &[u8] = if path.starts_with(b"/") { b"" } else { b"/" };
        return request.set_raw_path(&[slash, path].concat());
    }
    if request.uri.authority().is_none() {
        return Ok(());
    }
    let path = request
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    request.set_raw_path(path.as_bytes())
}

/// The host with its port, as the client sent it.
fn original_host(context: &RequestContext, request: &RequestHeader) -> HeaderValue {
    let sent = request.headers.get(header::HOST).cloned();
    let authority = request
        .uri
        .authority()
        .and_then(|a| HeaderValue::from_str(a.as_str()).ok());
    authority
        .or(sent)
        .or_else(|| HeaderValue::from_str(&context.host).ok())
        .unwrap_or_else(|| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_is_shown_a_path() {
        for (sent, wanted) in [
            ("/a?b", "/a?b"),
            ("*", "*"),
            ("http://a.example", "/"),
            ("http://a.example?b", "/?b"),
            ("http://a.example/c?b", "/c?b"),
        ] {
            let mut request = RequestHeader::build("GET", sent.as_bytes(), None).unwrap();
            to_origin_form(&mut request).unwrap();
            assert_eq!(request.raw_path(), wanted.as_bytes(), "{sent}");
        }
    }

    #[test]
    fn no_spelling_of_a_forwarding_header_passes() {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        request.append_header("X_Forwarded_For", "6.6.6.6").unwrap();
        request.append_header("Forwarded", "for=6.6.6.6").unwrap();
        request.append_header("X-Forwarded-User", "root").unwrap();
        request.append_header("X_Custom", "kept").unwrap();
        drop_untrusted(&mut request);
        assert!(!request.headers.contains_key("x_forwarded_for"));
        assert!(!request.headers.contains_key("x-forwarded-user"));
        assert!(!request.headers.contains_key("forwarded"));
        assert!(request.headers.contains_key("x_custom"));
    }
}
