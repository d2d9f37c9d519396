//! Every key, the table it stands in and how it is read: the configuration's table of contents.

mod access;
mod auth;
mod bans;
mod client_certificate;
mod errors;
mod filters;
mod headers;
mod health;
mod listen;
mod matching;
mod route;
mod services;
mod upstream;
mod waf;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::decode::{At, Fault, Node, Table, integer, list, one_of, parsed};
use super::raw;
use super::ready::{CertificateFiles, LogFormat, TlsVersion, UnknownSni};
use super::values::units::{duration, size};
use super::values::{host, log};

/// No timeout is longer: a longer one is a slip of the pen.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=DAY;
const GRACE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60 * 60);
const BODY_MEMORY: RangeInclusive<usize> = (1 << 20)..=(1 << 40);

/// The entry file, without the files it includes: their patterns come second.
pub(super) fn entry(table: &mut Table<'_>) -> (raw::Config, Vec<At<String>>) {
    let include = table.take("include", include).unwrap_or_default();
    let (timeouts, balancing, idle_connections, sticky_key) = table.section("upstream", |table| {
        let idle = table.take("idle_connections", integer(1..=1_000_000));
        let key = table.take("sticky_key", services::secret);
        (timeouts(table), upstream::balancing(table), idle, key)
    });
    let config = raw::Config {
        server: table.section("server", server),
        listen: table.section("listen", listen::listen),
        tls: table.section("tls", tls),
        log: table.section("log", logging),
        errors: table.section("errors", errors::errors),
        waf: table.section("waf", waf),
        access: table.section("access", access::access),
        bans: table.section("bans", bans::bans),
        security_headers: table.section("security_headers", headers::security_headers),
        upstream: timeouts,
        balancing,
        idle_connections,
        sticky_key,
        zones: table.sections("zones", services::zone),
        acme: table.section("acme", services::acme),
        dns: table.section("dns", services::dns),
        ddns: table.section("ddns", services::ddns),
        routes: table.sections("routes", route::route),
    };
    (config, include)
}

/// A file that an `include` names: an app's routes and nothing else, so that no app can change another's
/// protection.
pub(super) fn included(table: &mut Table<'_>) -> Vec<raw::Route> {
    table.sections("routes", route::route)
}

fn server(table: &mut Table<'_>) -> raw::Server {
    raw::Server {
        grace: table.take("grace", duration(GRACE)),
        workers: table.take("workers", integer(0..=1024)),
        data_dir: table.take("data_dir", path),
        drain_delay: table.take("drain_delay", duration(GRACE)),
        upgrade_socket: table.take("upgrade_socket", upgrade_socket),
    }
}

fn tls(table: &mut Table<'_>) -> raw::Tls {
    raw::Tls {
        min_version: table.take(
            "min_version",
            one_of(&[("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)]),
        ),
        unknown_sni: table.take(
            "unknown_sni",
            one_of(&[("default", UnknownSni::Default), ("reject", UnknownSni::Reject)]),
        ),
        self_signed: table.take(
            "self_signed",
            list("hostnames", |node: Node<'_>| {
                node.parse(host::PATTERN, host::parse_pattern)
            }),
        ),
        names_certificates: table.has("certificates"),
        certificates: table.sections("certificates", certificate),
        place: table.place(),
    }
}

fn certificate(table: &mut Table<'_>) -> Option<CertificateFiles> {
    let certificate = table.require("certificate", "a PEM file", readable);
    let key = table.require("key", "a PEM file", readable);
    Some(CertificateFiles {
        certificate: certificate?,
        key: key?,
    })
}

fn logging(table: &mut Table<'_>) -> raw::Log {
    const FORMATS: &[(&str, LogFormat)] = &[
        ("auto", LogFormat::Auto),
        ("json", LogFormat::Json),
        ("text", LogFormat::Text),
    ];
    raw::Log {
        level: table.take("level", |node| node.parse(log::FILTER, log::parse_filter)),
        format: table.take("format", one_of(FORMATS)),
        access: table.take("access", log::target),
        audit: table.take("audit", log::target),
        matches: table.take("matches", log::target),
    }
}

fn waf(table: &mut Table<'_>) -> raw::Waf {
    raw::Waf {
        rules: table.take("rules", path),
        body_memory: table.take("body_memory", size(BODY_MEMORY)),
        body_memory_per_client: table.take("body_memory_per_client", size(BODY_MEMORY)),
        policy: waf::policy(table),
    }
}

fn timeouts(table: &mut Table<'_>) -> raw::Timeouts {
    raw::Timeouts {
        connect: table.take("connect_timeout", duration(TIMEOUT)),
        first_byte: table.take("first_byte_timeout", duration(TIMEOUT)),
        idle: table.take("idle_timeout", duration(TIMEOUT)),
    }
}

/// One pattern, or an array of them.
fn include(node: Node<'_>) -> Option<Vec<At<String>>> {
    const PATTERN: &str = "a path, with `*` or `?` in the file's name only";
    let pattern = parsed(PATTERN, |text| {
        let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
        match text {
            "" => Err(Fault::new("an empty path")),
            _ if text.ends_with('/') => Err(Fault::new("a folder").suggesting(format!("{text}*.toml"))),
            _ if folder.contains(['*', '?']) => Err(Fault::new("a folder cannot be a pattern")),
            _ => Ok(text.to_owned()),
        }
    });
    if node.value().is_str() {
        Some(vec![pattern(node)?])
    } else {
        list("paths", pattern)(node)
    }
}

/// A path, or `false`.
fn upgrade_socket(node: Node<'_>) -> Option<Option<PathBuf>> {
    match node.value().as_bool() {
        Some(false) => Some(None),
        Some(true) => {
            node.wrong_type("false, or a path such as \"/run/palisade/upgrade.sock\"", None);
            None
        }
        None => path(node).map(Some),
    }
}

fn path(node: Node<'_>) -> Option<PathBuf> {
    node.path().map(|path| path.value)
}

fn readable(node: Node<'_>) -> Option<PathBuf> {
    node.readable().map(|path| path.value)
}
