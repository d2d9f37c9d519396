//! Who talks to whom, and the transaction itself.

use std::net::SocketAddr;
use std::ops::ControlFlow;

use crate::transaction::Facts;

use super::Variable;
use super::view::{Visit, maybe, one};

pub(super) fn visit(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    match variable {
        Variable::RemoteAddr | Variable::RemoteHost => text(facts.client.map(address), visit),
        Variable::RemotePort => text(facts.client.map(|client| client.port().to_string()), visit),
        Variable::ServerAddr => text(facts.server.map(address), visit),
        Variable::ServerPort => text(facts.server.map(|server| server.port().to_string()), visit),
        Variable::UniqueId => one(facts.origin.id.as_bytes(), visit),
        Variable::WebAppId => text(facts.web_app_id.clone(), visit),
        Variable::ModsecBuild => one(b"030000000", visit),
        // The engine has no clock; what a request took is the edge's to measure.
        Variable::Duration => one(b"0", visit),
        Variable::MscPcreError | Variable::MscPcreLimitsExceeded => one(b"0", visit),
        // No location database.
        Variable::Geo => Some(ControlFlow::Continue(())),
        _ => None,
    }
}

/// An IPv4 client that came in over an IPv6 socket is an IPv4 client to every rule.
pub(crate) fn address(peer: SocketAddr) -> String {
    peer.ip().to_canonical().to_string()
}

fn text(value: Option<String>, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    maybe(value.as_deref().map(str::as_bytes), visit)
}
