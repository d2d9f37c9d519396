//! `[upstream]` and what a route says about its backends, without timeouts.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::decode::{At, Node, Table, boolean, integer, one_of, parsed};
use crate::config::raw::{Balancing, Ejection, Sticky, WeightedBackend};
use crate::config::ready::{AllDown, SameSite};
use crate::config::values::units::duration;
use crate::config::values::{backend, balance};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TIME: RangeInclusive<Duration> = Duration::from_millis(10)..=DAY;
const RAMP: RangeInclusive<Duration> = Duration::ZERO..=DAY;
const RESOLVE: RangeInclusive<Duration> = Duration::from_millis(500)..=DAY;
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
        ejection: table.section("ejection", ejection),
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
fn placed<T>(decode: impl Fn(Node<'_>) -> Option<T>) -> impl Fn(Node<'_>) -> Option<At<T>> {
    move |node| {
        let at = node.at(());
        Some(At {
            value: decode(node)?,
            place: at.place,
        })
    }
}
