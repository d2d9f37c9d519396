//! What a route does to its requests and their answers.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::{HeaderName, StatusCode};

use super::TIMEOUT;
use crate::config::decode::{At, Fault, Node, Table, boolean, integer, list, one_of, some};
use crate::config::raw::{Compression, Cors, Filters, Mirror};
use crate::config::ready::{
    Backend, Coding, HeaderChanges, HeaderText, PathChange, Redirect, Scheme, UrlScheme,
};
use crate::config::values::units::{duration, size};
use crate::config::values::{backend, exclusion, header, pattern, url};

/// From nothing to what no disk holds.
const BODY: RangeInclusive<usize> = 0..=(1 << 50);
/// Copies are held in memory until they are sent.
const MIRRORED_BODY: RangeInclusive<usize> = 0..=(16 << 20);
const MAX_AGE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 60 * 60);
const SCHEMES: &[(&str, UrlScheme)] = &[("http", UrlScheme::Http), ("https", UrlScheme::Https)];
const CODINGS: &[(&str, Coding)] = &[
    ("zstd", Coding::Zstd),
    ("br", Coding::Brotli),
    ("gzip", Coding::Gzip),
];
const TYPE: &str = "a MIME type such as \"application/json\" or \"text/*\"";

/// A route's filters.
pub(super) fn filters(table: &mut Table<'_>) -> Filters {
    Filters {
        redirect: table.take("redirect", |node| placed(node, redirect)),
        rewrite: table.take("rewrite", |node| placed(node, rewrite)),
        request_headers: table.section("request_headers", changes),
        response_headers: table.section("response_headers", changes),
        cors: table.take("cors", |node| placed(node, cors)),
        mirror: table.take("mirror", |node| placed(node, mirror)),
        compression: table.take("compression", compression),
        request_timeout: table.take("request_timeout", duration(TIMEOUT)),
        max_request_body: table.take("max_request_body", size(BODY)),
        max_response_body: table.take("max_response_body", size(BODY)),
    }
}

fn placed<'a, T>(node: Node<'a>, read: impl FnOnce(&mut Table<'a>) -> Option<T>) -> Option<At<T>> {
    let value = node.open(read)?;
    Some(node.at(value))
}

fn redirect(table: &mut Table<'_>) -> Option<Redirect> {
    const STATUS: &str = "301, 302, 303, 307 or 308";
    let status = table.take("status", |node| {
        let status: u16 = integer(300..=399)(Node::clone(&node))?;
        match status {
            301 | 302 | 303 | 307 | 308 => StatusCode::from_u16(status).ok(),
            _ => {
                node.bad_value(STATUS, Fault::new("not a redirect to elsewhere"));
                None
            }
        }
    });
    let elsewhere = ["scheme", "host", "port", "path", "prefix", "regex"];
    if !elsewhere.iter().any(|key| table.has(key)) {
        let reason = "a redirect to where the client is already: it needs a scheme, a host, a port or a path";
        table.contradiction("status", reason);
    }
    Some(Redirect {
        scheme: table.take("scheme", one_of(SCHEMES)),
        host: table.take("host", |node| node.parse("a hostname", url::parse_host)),
        port: table.take("port", integer(1..=65_535)),
        path: path_change(table),
        status: status.unwrap_or(StatusCode::FOUND),
    })
}

fn rewrite(table: &mut Table<'_>) -> Option<PathChange> {
    let change = path_change(table);
    if !["path", "prefix", "regex"].iter().any(|key| table.has(key)) {
        table.missing("path", "`path`, `prefix`, or `regex` and `with`");
    }
    change
}

/// `path`, `prefix`, or `regex` with `with`.
fn path_change(table: &mut Table<'_>) -> Option<PathChange> {
    let path = table.take("path", |node| node.parse(url::PATH, url::parse_path));
    let prefix = table.take("prefix", |node| node.parse(url::PREFIX, url::parse_prefix));
    let regex = table.take("regex", |node| {
        node.parse(pattern::PATTERN, pattern::parse_pattern)
    });
    let with = match &regex {
        Some(regex) => table.require("with", url::REPLACEMENT, |node| {
            node.parse(url::REPLACEMENT, |text| url::parse_replacement(text, regex))
        }),
        None => table.take("with", |node| node.text(url::REPLACEMENT).map(str::to_owned)),
    };
    let there = |keys: &[&str]| keys.iter().filter(|key| table.has(key)).count();
    if there(&["path", "prefix", "regex"]) > 1 {
        table.contradiction("prefix", "one of `path`, `prefix` and `regex` changes a path");
        return None;
    }
    if there(&["with"]) > there(&["regex"]) {
        table.contradiction("with", "`with` takes the place of what a `regex` matches");
    }
    let regex = regex
        .zip(with)
        .map(|(regex, with)| PathChange::Regex(regex, with));
    path.map(PathChange::Full)
        .or(prefix.map(PathChange::Prefix))
        .or(regex)
}

fn changes(table: &mut Table<'_>) -> HeaderChanges {
    let changes = HeaderChanges {
        set: table.take("set", texts).unwrap_or_default(),
        add: table.take("add", texts).unwrap_or_default(),
        remove: table.take("remove", list("names", changed)).unwrap_or_default(),
    };
    let texts = changes.set.iter().chain(&changes.add).map(|(name, _)| name);
    let mut seen: Vec<&HeaderName> = Vec::new();
    for name in texts.chain(&changes.remove) {
        if seen.contains(&name) {
            let reason = format!("`{name}` is changed twice: a header is set, added to or removed");
            table.contradiction("remove", reason);
        }
        seen.push(name);
    }
    changes
}

fn texts(node: Node<'_>) -> Option<Vec<(HeaderName, HeaderText)>> {
    let entry = |(name, node): (&str, Node<'_>)| {
        let name = header::parse_changed(name).map_err(|fault| node.bad_value(header::CHANGED, fault));
        let text = node.parse(header::TEXT, header::parse_text);
        Some((name.ok()?, text?))
    };
    Some(node.entries()?.into_iter().filter_map(entry).collect())
}

fn changed(node: Node<'_>) -> Option<HeaderName> {
    node.parse(header::CHANGED, header::parse_changed)
}

fn cors(table: &mut Table<'_>) -> Option<Cors> {
    let origin = |node: Node<'_>| node.parse(url::ORIGIN, url::parse_origin);
    let origins = table.require(
        "allow_origins",
        url::ORIGIN,
        any_or(move |node| some("origins", origin)(node)),
    );
    let method = |node: Node<'_>| node.parse(exclusion::METHOD, exclusion::parse_method);
    let name = |node: Node<'_>| {
        let name = node.parse(header::NAME, header::parse_name)?;
        Some(name.as_str().to_owned())
    };
    let cors = Cors {
        allow_origins: origins.clone().flatten(),
        allow_credentials: table.take("allow_credentials", boolean),
        allow_methods: table.take("allow_methods", any_or(move |node| list("methods", method)(node))),
        allow_headers: table.take("allow_headers", any_or(move |node| list("headers", name)(node))),
        expose_headers: table.take("expose_headers", list("headers", name)),
        max_age: table.take("max_age", duration(MAX_AGE)),
    };
    origins.map(|_| cors)
}

/// `["*"]` and `"*"` stand for any: `Some(None)`.
fn any_or<'a, T>(
    decode: impl FnOnce(Node<'a>) -> Option<Vec<T>>,
) -> impl FnOnce(Node<'a>) -> Option<Option<Vec<T>>> {
    move |node| {
        let items = node.value().as_array();
        let only = items
            .filter(|items| items.len() == 1)
            .and_then(|items| items.first());
        let value = only.map_or(node.value(), |only| only.get_ref());
        match value.as_str() {
            Some("*") => Some(None),
            _ => decode(node).map(Some),
        }
    }
}

fn mirror(table: &mut Table<'_>) -> Option<Mirror> {
    let backend = table.require("backend", backend::BACKEND, |node| {
        node.parse(backend::BACKEND, |text| match backend::parse_backend(text)? {
            Backend {
                scheme: Scheme::H2c, ..
            } => Err(Fault::new("copies are sent by http or https")),
            backend => Ok(backend),
        })
    });
    let mirror = Mirror {
        percent: table.take("percent", integer(1..=100)),
        max_body: table.take("max_body", size(MIRRORED_BODY)),
        max_in_flight: table.take("max_in_flight", integer(1..=10_000)),
        remove: table.take("remove", list("names", changed)),
        backend: backend?,
    };
    Some(mirror)
}

/// `true`, `false`, or a table that says how.
fn compression(node: Node<'_>) -> Option<At<Option<Compression>>> {
    let at = node.at(());
    let value = match node.value().is_table() {
        true => Some(node.open(|table| {
            Some(Compression {
                codings: table.take("codings", some("codings", one_of(CODINGS))),
                min_size: table.take("min_size", size(BODY)),
                types: table.take("types", some("MIME types", mime_type)),
            })
        })?),
        false => boolean(node)?.then(Compression::default),
    };
    Some(At {
        value,
        place: at.place,
    })
}

fn mime_type(node: Node<'_>) -> Option<String> {
    node.parse(TYPE, |text| {
        let token = |part: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            !part.is_empty() && part.bytes().all(fits)
        };
        match text.split_once('/') {
            Some((kind, part)) if token(kind) && (part == "*" || token(part)) => {
                Ok(text.to_ascii_lowercase())
            }
            _ => Err(Fault::new("not a MIME type without parameters")),
        }
    })
}
