//! `[upstream]` and what a route says about its backends, without timeouts.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::health;
use crate::config::decode::{At, Fault, Node, Table, boolean, integer, list, one_of, parsed};
use crate::config::raw::{Balancing, Ejection, Retries, Sticky, WeightedBackend};
use crate::config::ready::{AllDown, SameSite};
use crate::config::values::units::{duration, size};
use crate::config::values::{backend, balance, service};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TIME: RangeInclusive<Duration> = Duration::from_millis(10)..=DAY;
const RAMP: RangeInclusive<Duration> = Duration::ZERO..=DAY;
const RESOLVE: RangeInclusive<Duration> = Duration::from_millis(500)..=DAY;
/// Pingora reads no longer one.
const HEAD: RangeInclusive<usize> = 1024..=(1 << 20);
const KEEPALIVE: RangeInclusive<Duration> = Duration::from_millis(100)..=DAY;
const BACKOFF: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(10);
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(400 * 24 * 60 * 60);

/// What `[upstream]` and a route have in common.
pub(super) fn balancing(table: &mut Table<'_>) -> Balancing {
    const ALL_DOWN: &[(&str, AllDown)] = &[("try", AllDown::Try), ("refuse", AllDown::Refuse)];
    Balancing {
        balance: table.take("balance", |node| {
            node.parse(balance::BALANCE, balance::parse_balance)
        }),
        all_down: table.take("all_down", one_of(ALL_DOWN)),
        resolve_interval: table.take("resolve_interval", duration(RESOLVE)),
        resolve_min_interval: table.take("resolve_min_interval", duration(RESOLVE)),
        nameservers: table.take(
            "nameservers",
            list("addresses", |node: Node<'_>| {
                node.parse(service::SERVER, service::parse_server)
            }),
        ),
        ejection: table.section("ejection", ejection),
        max_requests: table.take("max_requests", integer(0..=1_000_000)),
        queue: table.take("queue", placed(integer(0..=1_000_000))),
        queue_timeout: table.take("queue_timeout", placed(duration(TIME))),
        keepalive_timeout: table.take("keepalive_timeout", duration(KEEPALIVE)),
        max_response_head: table.take("max_response_head", size(HEAD)),
        http2: table.take("http2", boolean),
        upgrades: table.take(
            "upgrades",
            list("protocols", |node: Node<'_>| {
                node.parse("a protocol such as \"websocket\"", parse_protocol)
            }),
        ),
        retries: table.section("retries", retries),
    }
}

fn retries(table: &mut Table<'_>) -> Retries {
    Retries {
        attempts: table.take("attempts", integer(0..=10)),
        statuses: table.take("statuses", list("statuses", health::status)),
        budget: table.take("budget", integer(0..=100)),
        backoff: table.take("backoff", duration(BACKOFF)),
    }
}

/// A token (RFC 9110 section 7.8), in lower case. HTTP/2 is not reached by an upgrade any more (RFC 9113 section 3.1).
fn parse_protocol(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+/".contains(&byte);
    match text.to_ascii_lowercase().as_str() {
        "" => Err(Fault::new("empty")),
        "h2c" => Err(Fault::new("clients speak HTTP/2 over TLS")),
        name if name.len() <= 64 && name.bytes().all(fits) => Ok(name.to_owned()),
        _ => Err(Fault::new("not the name of a protocol")),
    }
}

fn ejection(table: &mut Table<'_>) -> Ejection {
    Ejection {
        connect_failures: table.take("connect_failures", integer(1..=1000)),
        failures: table.take("failures", integer(1..=1000)),
        time: table.take("time", placed(duration(TIME))),
        max_time: table.take("max_time", placed(duration(TIME))),
        max_percent: table.take("max_percent", integer(0..=100)),
        slow_start: table.take("slow_start", duration(RAMP)),
    }
}

/// A route's `sticky`.
pub(super) fn sticky(node: Node<'_>) -> Option<At<Sticky>> {
    const SAME_SITE: &[(&str, SameSite)] = &[
        ("lax", SameSite::Lax),
        ("strict", SameSite::Strict),
        ("none", SameSite::None),
    ];
    let sticky = node.open(|table| {
        Some(Sticky {
            cookie: table.take("cookie", |node| {
                node.parse(balance::COOKIE, balance::parse_cookie)
            }),
            ttl: table.take("ttl", duration(TTL)),
            path: table.take("path", |node| {
                node.parse(balance::COOKIE_PATH, balance::parse_cookie_path)
            }),
            http_only: table.take("http_only", boolean),
            secure: table.take("secure", boolean),
            same_site: table.take("same_site", one_of(SAME_SITE)),
        })
    })?;
    Some(node.at(sticky))
}

/// An item of `backends`: a URL, or a table with more to say.
pub(super) fn weighted_backend(node: Node<'_>) -> Option<WeightedBackend> {
    let url = parsed(backend::BACKEND, backend::parse_backend);
    if node.value().is_table() {
        return node.open(|table| {
            let backend = table.require("url", backend::BACKEND, url);
            let weight = table.take("weight", integer(0..=1_000_000));
            Some(WeightedBackend {
                backend: backend?,
                weight,
            })
        });
    }
    Some(WeightedBackend {
        backend: url(node)?,
        weight: None,
    })
}

/// A value with its place.
pub(super) fn placed<'a, T>(decode: impl Fn(Node<'a>) -> Option<T>) -> impl Fn(Node<'a>) -> Option<At<T>> {
    move |node| {
        let at = node.at(());
        Some(At {
            value: decode(node)?,
            place: at.place,
        })
    }
}
