//! `[[routes]]`.

use super::{access, filters, headers, health, matching, readable, services, timeouts, upstream, waf};
use crate::config::decode::{At, Fault, Node, Table, boolean, parsed, some};
use crate::config::raw::{Route, Target, UpstreamTls};
use crate::config::ready::HostPattern;
use crate::config::values::host;

/// Names are labels of metrics and words in logs.
const NAME: &str = "letters, digits, `-`, `_` and `.`, at most 64";
const TARGET: &str = "backends = [\"http://10.0.0.5:8080\"], echo = true, or a redirect";

/// A route; `None` if it lacks what nothing can stand for.
pub(super) fn route(table: &mut Table<'_>) -> Option<Route> {
    let name = table.require("name", "a unique name", parsed(NAME, parse_name));
    let hosts = table.require("hosts", "the hostnames it serves", some("hostnames", pattern));
    let paths = table.take("paths", some("paths", matching::route_path));
    let conditions = matching::conditions(table);
    let target = target(table);
    let timeouts = timeouts(table);
    let balancing = upstream::balancing(table);
    let sticky = table.take("sticky", upstream::sticky);
    let health = table.take("health", health::health);
    let host = table.take("host", upstream_host);
    let tls = table.take("tls", upstream_tls);
    let waf = table.section("waf", waf::policy);
    let dns = table.section("dns", services::route_dns);
    let filters = filters::filters(table);
    let access = access::route_access(table);
    let security_headers = table.section("security_headers", headers::security_headers);
    let (hosts, target) = (hosts?, target?);
    let complete = hosts.len() == table.count("hosts")
        && match &target {
            Target::Backends(backends) => backends.len() == table.count("backends"),
            Target::Echo | Target::Elsewhere => true,
        };
    Some(Route {
        name: name?,
        hosts,
        complete,
        paths,
        conditions,
        target,
        timeouts,
        balancing,
        sticky,
        health,
        host,
        tls,
        waf,
        dns,
        filters,
        access,
        security_headers,
    })
}

fn target(table: &mut Table<'_>) -> Option<Target> {
    let backends = table.take("backends", some("URLs", upstream::weighted_backend));
    let echo = table.take("echo", boolean);
    if table.has("redirect") {
        for key in ["backends", "echo"].into_iter().filter(|key| table.has(key)) {
            table.contradiction(key, "a route that redirects has no backend");
        }
        return Some(Target::Elsewhere);
    }
    match (table.has("backends"), table.has("echo")) {
        (true, true) if echo != Some(false) => {
            table.contradiction("echo", "a route has `backends` or `echo`, not both");
            None
        }
        (true, _) => backends.map(Target::Backends),
        (false, true) if echo != Some(false) => echo.map(|_| Target::Echo),
        (false, _) => {
            table.missing("backends", TARGET);
            None
        }
    }
}

fn pattern(node: Node<'_>) -> Option<At<HostPattern>> {
    parsed(host::PATTERN, host::parse_pattern)(node)
}

/// `"preserve"` passes the client's Host on.
fn upstream_host(node: Node<'_>) -> Option<Option<String>> {
    node.parse(host::AUTHORITY, |text| match text {
        "preserve" => Ok(None),
        name => host::parse_authority(name).map(Some),
    })
}

fn upstream_tls(node: Node<'_>) -> Option<At<UpstreamTls>> {
    let tls = node.open(|table| {
        let verify = table.take("verify", boolean);
        let ca = table.take("ca", readable);
        let server_name = table.take("server_name", |node| node.parse(host::NAME, host::parse_upstream));
        let certificate = table.take("certificate", readable);
        let key = table.take("key", readable);
        for (option, other) in [("certificate", "key"), ("key", "certificate")] {
            if table.has(option) && !table.has(other) {
                table.contradiction(option, format!("`{option}` needs `{other}`"));
            }
        }
        if verify == Some(false) && table.has("ca") {
            table.contradiction("ca", "`ca` has no effect while `verify` is false");
        }
        Some(UpstreamTls {
            verify,
            ca,
            server_name,
            certificate,
            key,
        })
    })?;
    Some(node.at(tls))
}

fn parse_name(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match text.len() {
        0 => Err(Fault::new("empty")),
        1..=64 if text.bytes().all(fits) => Ok(text.to_owned()),
        _ => Err(Fault::new("not a name")),
    }
}
