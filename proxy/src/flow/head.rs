//! Facts of a request's head, as the rest of the flow needs them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::{HeaderMap, Version};
use pingora_core::protocols::http::ServerSession;
use pingora_http::RequestHeader;

/// The host that the client asks for, lower case, without port or trailing dot: the authority of the
/// request target (h2, absolute form) before the Host field (RFC 9112 section 3.2.2).
pub(super) fn host(head: &RequestHeader) -> Option<String> {
    let host = without_port(authority(head)?);
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// The authority as it was sent: of the request target (h2, absolute form), else the Host field.
pub(super) fn authority(head: &RequestHeader) -> Option<&str> {
    let authority = match head.uri.authority() {
        Some(authority) => authority.as_str(),
        None => head.headers.get(http::header::HOST)?.to_str().ok()?,
    };
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// The authority without its port; brackets of an IPv6 literal stay.
pub(super) fn without_port(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.find(']').map_or(authority, |end| &authority[..=end]);
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

/// The version as SecLang's REQUEST_PROTOCOL shows it.
pub(super) fn protocol(version: Version) -> &'static [u8] {
    match version {
        Version::HTTP_09 => b"HTTP/0.9",
        Version::HTTP_10 => b"HTTP/1.0",
        Version::HTTP_2 => b"HTTP/2.0",
        Version::HTTP_3 => b"HTTP/3.0",
        _ => b"HTTP/1.1",
    }
}

/// The address of the socket's other end, or what its PROXY protocol header says; unspecified if the socket is already
/// gone.
pub(super) fn peer(session: &ServerSession) -> SocketAddr {
    address(session.client_addr())
}

/// The local address.
pub(super) fn server(session: &ServerSession) -> SocketAddr {
    address(session.server_addr())
}

fn address(address: Option<&pingora_core::protocols::l4::socket::SocketAddr>) -> SocketAddr {
    let unknown = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let found = address
        .and_then(|address| address.as_inet().copied())
        .unwrap_or(unknown);
    // An IPv4 client of a dual-stack socket is an IPv4 client to rules, logs and upstreams.
    SocketAddr::new(found.ip().to_canonical(), found.port())
}

/// The declared body length, if there is one and it is a number.
pub(super) fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(http::header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Whether the client waits for `100 Continue` (RFC 9110 section 10.1.1); of HTTP/1.0 that is ignored.
pub(super) fn expects_continue(request: &RequestHeader) -> bool {
    let interim = request.version != Version::HTTP_10;
    interim
        && request
            .headers
            .get(http::header::EXPECT)
            .is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str) -> RequestHeader {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        head.insert_header("Host", host).unwrap();
        head
    }

    #[test]
    fn the_host_is_bare_and_lower_case() {
        for (sent, wanted) in [
            ("App.Example.COM", "app.example.com"),
            ("app.example.com:8443", "app.example.com"),
            ("app.example.com.", "app.example.com"),
            ("[::1]:8443", "[::1]"),
        ] {
            assert_eq!(host(&request(sent)).as_deref(), Some(wanted), "{sent}");
        }
        assert_eq!(host(&request("")), None);
    }
}
