//! `[listen]`: defaults, and options held against one another.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::config::decode::At;
use crate::config::errors::{Problem, Report};
use crate::config::raw;
use crate::config::ready::{
    AddressSet, EscapedSlashes, ForwardingHeaders, Http2, Listen, SniMismatch, Trace, Trailers, Underscores,
};

/// `[listen]`.
pub(super) fn listen(raw: raw::Listen, report: &Report) -> Listen {
    distinct_addresses(&raw, report);
    somebody_to_believe(&raw, report);
    let seconds = Duration::from_secs;
    let https = addresses(raw.https, 443);
    Listen {
        redirect_port: raw
            .redirect_port
            .unwrap_or_else(|| https.first().map_or(443, SocketAddr::port)),
        https,
        http: addresses(raw.http, 80),
        admin: match raw.admin {
            Some(written) => written.map(|address| address.value),
            None => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9180))),
        },
        trusted_proxies: AddressSet::new(raw.trusted_proxies.unwrap_or_default()),
        forwarding_headers: raw.forwarding_headers.unwrap_or(ForwardingHeaders::XForwarded),
        proxy_protocol: raw.proxy_protocol.is_some_and(|written| written.value),
        proxy_protocol_timeout: raw.proxy_protocol_timeout.unwrap_or(seconds(5)),
        handshake_timeout: raw.handshake_timeout.unwrap_or(seconds(10)),
        request_head_timeout: raw.request_head_timeout.unwrap_or(seconds(15)),
        keepalive_timeout: raw.keepalive_timeout.unwrap_or(seconds(60)),
        request_body_timeout: raw.request_body_timeout.unwrap_or(seconds(30)),
        request_body_rate: raw.request_body_rate.unwrap_or(256),
        request_body_grace: raw.request_body_grace.unwrap_or(seconds(15)),
        response_write_timeout: raw.response_write_timeout.unwrap_or(seconds(60)),
        max_connections: raw.max_connections.unwrap_or(10_000),
        max_connections_per_client: raw.max_connections_per_client.unwrap_or(500),
        max_requests_per_connection: raw.max_requests_per_connection.filter(|most| *most > 0),
        max_request_head: raw.max_request_head.unwrap_or(64 << 10),
        max_request_headers: raw.max_request_headers.unwrap_or(100),
        max_request_target: raw.max_request_target.unwrap_or(16 << 10),
        max_request_body: raw
            .max_request_body
            .filter(|most| *most > 0)
            .map(|most| most as u64),
        underscores: raw.underscores.unwrap_or(Underscores::Drop),
        escaped_slashes: raw.escaped_slashes.unwrap_or(EscapedSlashes::Keep),
        merge_slashes: raw.merge_slashes.unwrap_or(true),
        sni_mismatch: raw.sni_mismatch.unwrap_or(SniMismatch::Refuse),
        trailers: raw.trailers.unwrap_or(Trailers::Drop),
        trace: raw.trace.unwrap_or(Trace::Refuse),
        http2: http2(&raw.http2),
    }
}

fn http2(raw: &raw::Http2) -> Http2 {
    Http2 {
        max_streams: raw.max_streams.unwrap_or(100),
        max_resets: raw.max_resets.unwrap_or(500),
        max_control_frames: raw.max_control_frames.unwrap_or(5_000),
        max_errors: raw.max_errors.unwrap_or(100),
        window: raw.window.unwrap_or(Duration::from_secs(10)),
    }
}

fn addresses(written: Option<Vec<At<SocketAddr>>>, port: u16) -> Vec<SocketAddr> {
    match written {
        Some(written) => written.into_iter().map(|address| address.value).collect(),
        None => vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))],
    }
}

/// A header from anywhere would let anybody be anybody.
fn somebody_to_believe(raw: &raw::Listen, report: &Report) {
    let Some(at) = raw.proxy_protocol.as_ref().filter(|written| written.value) else {
        return;
    };
    if raw.trusted_proxies.as_ref().is_none_or(Vec::is_empty) {
        let reason = "`proxy_protocol` needs `trusted_proxies`: those whose PROXY headers count";
        report.problem(&at.place, Problem::Contradiction(reason.to_owned()));
    }
}

/// One socket, one purpose; port 0 is another port each time.
fn distinct_addresses(raw: &raw::Listen, report: &Report) {
    let mut seen = HashMap::new();
    let written = [raw.https.iter().flatten(), raw.http.iter().flatten()];
    for address in written.into_iter().flatten().chain(raw.admin.iter().flatten()) {
        if address.value.port() == 0 {
            continue;
        }
        if let Some(first) = seen.insert(address.value, address.place.clone()) {
            let what = format!("the address {}", address.value);
            report.problem(&address.place, Problem::Duplicate { what, first });
        }
    }
}
