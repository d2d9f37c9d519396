//! `[listen]`.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::decode::At;
use crate::config::ready::{EscapedSlashes, ForwardingHeaders, SniMismatch, Trace, Trailers, Underscores};

/// `[listen]`.
#[derive(Debug)]
pub(in crate::config) struct Listen {
    pub(in crate::config) https: Option<Vec<At<SocketAddr>>>,
    pub(in crate::config) http: Option<Vec<At<SocketAddr>>>,
    pub(in crate::config) admin: Option<Option<At<SocketAddr>>>,
    pub(in crate::config) redirect_port: Option<u16>,
    pub(in crate::config) trusted_proxies: Option<Vec<IpNet>>,
    pub(in crate::config) forwarding_headers: Option<ForwardingHeaders>,
    pub(in crate::config) proxy_protocol: Option<At<bool>>,
    pub(in crate::config) proxy_protocol_timeout: Option<Duration>,
    pub(in crate::config) handshake_timeout: Option<Duration>,
    pub(in crate::config) request_head_timeout: Option<Duration>,
    pub(in crate::config) keepalive_timeout: Option<Duration>,
    pub(in crate::config) request_body_timeout: Option<Duration>,
    pub(in crate::config) request_body_rate: Option<usize>,
    pub(in crate::config) request_body_grace: Option<Duration>,
    pub(in crate::config) response_write_timeout: Option<Duration>,
    pub(in crate::config) max_connections: Option<usize>,
    pub(in crate::config) max_connections_per_client: Option<usize>,
    pub(in crate::config) max_requests_per_connection: Option<u32>,
    pub(in crate::config) max_request_head: Option<usize>,
    pub(in crate::config) max_request_headers: Option<usize>,
    pub(in crate::config) max_request_target: Option<usize>,
    pub(in crate::config) max_request_body: Option<usize>,
    pub(in crate::config) underscores: Option<Underscores>,
    pub(in crate::config) escaped_slashes: Option<EscapedSlashes>,
    pub(in crate::config) merge_slashes: Option<bool>,
    pub(in crate::config) sni_mismatch: Option<SniMismatch>,
    pub(in crate::config) trailers: Option<Trailers>,
    pub(in crate::config) trace: Option<Trace>,
    pub(in crate::config) http2: Http2,
}

/// `[listen.http2]`.
#[derive(Debug)]
pub(in crate::config) struct Http2 {
    pub(in crate::config) max_streams: Option<u32>,
    pub(in crate::config) max_resets: Option<u32>,
    pub(in crate::config) max_control_frames: Option<u32>,
    pub(in crate::config) max_errors: Option<usize>,
    pub(in crate::config) window: Option<Duration>,
}
