//! A route's `health`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::upstream::placed;
use crate::config::decode::{Fault, Node, integer, some};
use crate::config::raw::Health;
use crate::config::values::host;
use crate::config::values::units::duration;

const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(24 * 60 * 60);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(10 * 60);
const PATH: &str = "a path such as \"/healthz\"";
const SERVICE: &str =
    "the full name of a service such as \"shop.v1.Orders\", or \"\" for the server as a whole";
const METHOD: &str = "a method such as \"GET\"";
const STATUS: &str = "a status such as 204, or a range of them such as \"200-299\"";

/// A route's `health`.
pub(super) fn health(node: Node<'_>) -> Option<Health> {
    node.open(|table| {
        Some(Health {
            path: table.take("path", |node| node.parse(PATH, parse_path)),
            grpc: table.take(
                "grpc",
                placed(|node: Node<'_>| node.parse(SERVICE, parse_service)),
            ),
            method: table.take(
                "method",
                placed(|node: Node<'_>| node.parse(METHOD, parse_method)),
            ),
            host: table.take(
                "host",
                placed(|node: Node<'_>| node.parse(host::AUTHORITY, host::parse_authority)),
            ),
            statuses: table.take("statuses", placed(some("statuses", status))),
            body: table.take("body", placed(|node: Node<'_>| node.parse("a text", parse_text))),
            port: table.take("port", integer(1..=65_535)),
            interval: table.take("interval", duration(INTERVAL)),
            timeout: table.take("timeout", duration(TIMEOUT)),
            up: table.take("up", integer(1..=100)),
            down: table.take("down", integer(1..=100)),
            jitter: table.take("jitter", integer(0..=100)),
        })
    })
}

/// `204`, or `"200-299"`.
pub(super) fn status(node: Node<'_>) -> Option<(u16, u16)> {
    if node.value().as_integer().is_some() {
        return integer(100..=599)(node).map(|status| (status, status));
    }
    node.parse(STATUS, parse_range)
}

fn parse_range(text: &str) -> Result<(u16, u16), Fault> {
    let range = text.split_once('-').unwrap_or((text, text));
    let (Ok(first), Ok(last)) = (range.0.trim().parse(), range.1.trim().parse()) else {
        return Err(Fault::new("not a status"));
    };
    match (100..=599).contains(&first) && (first..=599).contains(&last) {
        true => Ok((first, last)),
        false => Err(Fault::new("statuses are from 100 to 599, the smaller first")),
    }
}

fn parse_path(text: &str) -> Result<String, Fault> {
    match text.starts_with('/') && text.parse::<http::uri::PathAndQuery>().is_ok() {
        true => Ok(text.to_owned()),
        false => Err(Fault::new("not a path")),
    }
}

fn parse_method(text: &str) -> Result<String, Fault> {
    match text {
        "CONNECT" => Err(Fault::new("CONNECT opens a tunnel")),
        _ if http::Method::from_bytes(text.as_bytes()).is_ok() => Ok(text.to_owned()),
        _ => Err(Fault::new("not a method")),
    }
}

fn parse_service(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._".contains(&byte);
    match text.len() <= 256 && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(Fault::new("letters, digits, `.` and `_`")),
    }
}

fn parse_text(text: &str) -> Result<String, Fault> {
    match text.len() {
        1..=1024 => Ok(text.to_owned()),
        _ => Err(Fault::new("from 1 to 1024 bytes")),
    }
}
