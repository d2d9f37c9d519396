//! What the listener has turned away before there was a request: its line in the access log, its place in the metrics,
//! and whether it counts towards a ban.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::bans;
use super::context::request_id;
use super::log;
use super::parts::EdgeParts;
use crate::config::BanCause;
use crate::telemetry::RefusedRequest;
use crate::telemetry::access::Entry;

/// Told by listeners.
#[derive(Debug, Clone)]
pub struct TurnedAway {
    parts: EdgeParts,
}

impl TurnedAway {
    /// Tells these logs and metrics.
    pub fn new(parts: &EdgeParts) -> Self {
        Self { parts: parts.clone() }
    }

    /// A request that was refused: logged and counted as any other that has found no route.
    pub fn request(&self, request: RefusedRequest) {
        log::count_request(&self.parts, Arc::from(""), request.status, Duration::ZERO);
        if self.parts.access.is_on() {
            self.parts.access.write(entry(request).line(self.parts.style));
        }
    }

    /// Something that may count towards a ban of the client.
    pub fn misdeed(&self, client: SocketAddr, cause: BanCause) {
        let config = Arc::clone(&self.parts.snapshots.load().config);
        let now = SystemTime::now();
        bans::count(&self.parts, &config, client.ip(), cause, (now, &request_id(now)));
    }
}

fn entry(request: RefusedRequest) -> Entry {
    let now = SystemTime::now();
    Entry {
        time: log::rfc3339(now),
        request_id: request_id(now),
        client: request.client.ip().to_canonical().to_string(),
        protocol: "h1",
        tls: request.tls,
        method: request.method,
        path: request.path,
        status: request.status,
        refused: Some(request.reason),
        waf: "off",
        error: Some(request.detail.to_owned()),
        ..Entry::default()
    }
}
