//! `[listen]`.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::TIMEOUT;
use crate::config::decode::{At, Fault, Node, Table, boolean, integer, list, one_of, parsed, some};
use crate::config::raw::{Http2, Listen};
use crate::config::ready::{EscapedSlashes, ForwardingHeaders, SniMismatch, Trace, Trailers, Underscores};
use crate::config::values::address;
use crate::config::values::units::{duration, size};

const ADDRESS: &str = "an address and a port such as \"[::]:443\" or \"127.0.0.1:9180\"";
const HEAD: RangeInclusive<usize> = 1024..=(1 << 20);
/// Pingora holds at most 256, HTTP/2's four own ones included.
const HEADERS: RangeInclusive<usize> = 16..=250;
/// The `http` crate holds no longer ones.
const TARGET: RangeInclusive<usize> = 256..=65_000;
const RATE: RangeInclusive<usize> = 0..=(1 << 30);
const BODY: RangeInclusive<usize> = 0..=(1 << 50);

const FORWARDING_HEADERS: &[(&str, ForwardingHeaders)] = &[
    ("x-forwarded", ForwardingHeaders::XForwarded),
    ("forwarded", ForwardingHeaders::Forwarded),
    ("none", ForwardingHeaders::None),
];
const UNDERSCORES: &[(&str, Underscores)] = &[
    ("drop", Underscores::Drop),
    ("reject", Underscores::Reject),
    ("allow", Underscores::Allow),
];
const ESCAPED_SLASHES: &[(&str, EscapedSlashes)] = &[
    ("keep", EscapedSlashes::Keep),
    ("reject", EscapedSlashes::Reject),
    ("decode", EscapedSlashes::Decode),
];
const SNI_MISMATCH: &[(&str, SniMismatch)] =
    &[("refuse", SniMismatch::Refuse), ("allow", SniMismatch::Allow)];

const TRAILERS: &[(&str, Trailers)] = &[("drop", Trailers::Drop), ("reject", Trailers::Reject)];
const TRACE: &[(&str, Trace)] = &[("refuse", Trace::Refuse), ("allow", Trace::Allow)];

/// `[listen]`.
pub(super) fn listen(table: &mut Table<'_>) -> Listen {
    Listen {
        https: table.take("https", some("addresses", socket)),
        http: table.take("http", list("addresses", socket)),
        admin: table.take("admin", admin),
        redirect_port: table.take("redirect_port", integer(1..=65_535)),
        trusted_proxies: table.take(
            "trusted_proxies",
            list("networks", |node: Node<'_>| {
                node.parse(address::NETWORK, address::parse_network)
            }),
        ),
        forwarding_headers: table.take("forwarding_headers", one_of(FORWARDING_HEADERS)),
        proxy_protocol: table.take("proxy_protocol", |node| {
            let at = node.at(());
            let value = boolean(node)?;
            Some(At {
                value,
                place: at.place,
            })
        }),
        proxy_protocol_timeout: table.take("proxy_protocol_timeout", duration(TIMEOUT)),
        handshake_timeout: table.take("handshake_timeout", duration(TIMEOUT)),
        request_head_timeout: table.take("request_head_timeout", duration(TIMEOUT)),
        keepalive_timeout: table.take("keepalive_timeout", duration(TIMEOUT)),
        request_body_timeout: table.take("request_body_timeout", duration(TIMEOUT)),
        request_body_rate: table.take("request_body_rate", size(RATE)),
        request_body_grace: table.take("request_body_grace", duration(TIMEOUT)),
        response_write_timeout: table.take("response_write_timeout", duration(TIMEOUT)),
        max_connections: table.take("max_connections", integer(1..=1_000_000)),
        max_connections_per_client: table.take("max_connections_per_client", integer(1..=1_000_000)),
        max_requests_per_connection: table.take("max_requests_per_connection", integer(0..=u32::MAX)),
        max_request_head: table.take("max_request_head", size(HEAD)),
        max_request_headers: table.take("max_request_headers", integer(HEADERS)),
        max_request_target: table.take("max_request_target", size(TARGET)),
        max_request_body: table.take("max_request_body", size(BODY)),
        underscores: table.take("underscores", one_of(UNDERSCORES)),
        escaped_slashes: table.take("escaped_slashes", one_of(ESCAPED_SLASHES)),
        merge_slashes: table.take("merge_slashes", boolean),
        sni_mismatch: table.take("sni_mismatch", one_of(SNI_MISMATCH)),
        trailers: table.take("trailers", one_of(TRAILERS)),
        trace: table.take("trace", one_of(TRACE)),
        http2: table.section("http2", http2),
    }
}

fn http2(table: &mut Table<'_>) -> Http2 {
    Http2 {
        max_streams: table.take("max_streams", integer(1..=10_000)),
        max_resets: table.take("max_resets", integer(1..=u32::MAX)),
        max_control_frames: table.take("max_control_frames", integer(10..=u32::MAX)),
        max_errors: table.take("max_errors", integer(1..=1_000_000)),
        window: table.take("window", duration(TIMEOUT)),
    }
}

fn socket(node: Node<'_>) -> Option<At<SocketAddr>> {
    parsed(ADDRESS, |text| {
        text.parse().map_err(|_| {
            let fault = Fault::new("not an address and a port");
            match text.strip_prefix(':').or_else(|| text.strip_prefix("*:")) {
                Some(port) => fault.suggesting(format!("[::]:{port}")),
                None if text.starts_with("localhost:") => {
                    fault.suggesting(text.replace("localhost", "127.0.0.1"))
                }
                None => fault,
            }
        })
    })(node)
}

/// An address, or `false`.
fn admin(node: Node<'_>) -> Option<Option<At<SocketAddr>>> {
    match node.value().as_bool() {
        Some(false) => Some(None),
        Some(true) => {
            node.wrong_type("false, or an address and a port such as \"127.0.0.1:9180\"", None);
            None
        }
        None => socket(node).map(Some),
    }
}
