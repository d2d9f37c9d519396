//! `[listen]`: sockets, and what clients may do on them.

use std::net::SocketAddr;
use std::time::Duration;

use super::AddressSet;

/// Sockets, whom they believe, and their limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    /// TLS listeners.
    pub https: Vec<SocketAddr>,
    /// Plain listeners that only answer 301.
    pub http: Vec<SocketAddr>,
    /// Health and metrics; `None` switches them off.
    pub admin: Option<SocketAddr>,
    /// The port that a redirect names; 443 is left out of the Location. 0 if the file names none and the
    /// first https listener takes any free port: then that listener's own.
    pub redirect_port: u16,
    /// Who may say for whom a connection or a request comes.
    pub trusted_proxies: AddressSet,
    /// Which fields of theirs count.
    pub forwarding_headers: ForwardingHeaders,
    /// Whether their connections begin with a PROXY protocol header, which is theirs alone to send.
    pub proxy_protocol: bool,
    /// From accept to the end of the PROXY protocol header.
    pub proxy_protocol_timeout: Duration,
    /// From accept, or the end of the PROXY protocol header, to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From a request's first byte to the end of its head; for the first request of a connection from the end of the
    /// handshake.
    pub request_head_timeout: Duration,
    /// Idle keep-alive connections are closed after this.
    pub keepalive_timeout: Duration,
    /// Between two reads of a request body.
    pub request_body_timeout: Duration,
    /// Bytes of a request body per second of waiting for it; 0 for any.
    pub request_body_rate: usize,
    /// The waiting that `request_body_rate` does not count.
    pub request_body_grace: Duration,
    /// Between two writes of an answer that the client does not take.
    pub response_write_timeout: Duration,
    /// Connections at once; more wait in the kernel's backlog.
    pub max_connections: usize,
    /// Connections at once of one client: an IPv4 address or an IPv6 /64.
    pub max_connections_per_client: usize,
    /// Requests on one connection; `None` for any number.
    pub max_requests_per_connection: Option<u32>,
    /// Bytes of a request's head.
    pub max_request_head: usize,
    /// Fields in it.
    pub max_request_headers: usize,
    /// Bytes of its target.
    pub max_request_target: usize,
    /// Bytes of a request's body; `None` for any number.
    pub max_request_body: Option<u64>,
    /// Fields whose names hold `_`.
    pub underscores: Underscores,
    /// `%2F`, `%5C` and `\` in a path.
    pub escaped_slashes: EscapedSlashes,
    /// Whether `//` in a path is `/`.
    pub merge_slashes: bool,
    /// Hosts that the certificate of the handshake does not cover.
    pub sni_mismatch: SniMismatch,
    /// Fields behind a request's body.
    pub trailers: Trailers,
    /// The method TRACE.
    pub trace: Trace,
    /// `[listen.http2]`.
    pub http2: Http2,
}

/// What a client may do on an HTTP/2 connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http2 {
    /// Streams at once.
    pub max_streams: u32,
    /// Streams that the client may reset within the window.
    pub max_resets: u32,
    /// SETTINGS, PING, PRIORITY, empty DATA and unknown frames within the window.
    pub max_control_frames: u32,
    /// Streams that the edge had to reset for errors of the client, within the life of a connection.
    pub max_errors: usize,
    /// The window.
    pub window: Duration,
}

/// Which fields of trusted proxies say who the client is. One kind only: a proxy that sets one of them hands on the
/// other as the client wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardingHeaders {
    /// X-Forwarded-For, -Proto and -Host.
    XForwarded,
    /// Forwarded (RFC 7239).
    Forwarded,
    /// None: only the PROXY protocol counts.
    None,
}

/// What becomes of fields whose names hold `_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Underscores {
    /// They go no further.
    Drop,
    /// The request is refused.
    Reject,
    /// They are fields like others.
    Allow,
}

/// What becomes of escaped slashes and of backslashes in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscapedSlashes {
    /// They stay, as long as both readings lead to one route.
    Keep,
    /// The request is refused.
    Reject,
    /// They become slashes.
    Decode,
}

/// What a request gets for a host that the certificate of its connection does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SniMismatch {
    /// 421 Misdirected Request (RFC 9110 section 15.5.20).
    Refuse,
    /// What any other request gets.
    Allow,
}

/// What becomes of fields behind a request's body (RFC 9110 section 6.5). None go further: nobody would have inspected
/// them, and Pingora has no way for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trailers {
    /// They are read and forgotten.
    Drop,
    /// The request is refused.
    Reject,
}

/// What a TRACE request gets (RFC 9110 section 9.3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// 405 Method Not Allowed.
    Refuse,
    /// What any other request gets.
    Allow,
}
