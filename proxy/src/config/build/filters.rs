//! Filters: defaults, and what does not go together.

use std::time::Duration;

use crate::config::decode::At;
use crate::config::errors::{Place, Problem, Report};
use crate::config::raw;
use crate::config::ready::{
    Coding, Compression, Cors, Filters, Mirror, PathChange, PathMatch, Redirect, RoutePath,
};

/// Types that are text, or made of it: what compression is worth its time for.
const TYPES: [&str; 11] = [
    "text/*",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/javascript",
    "application/xml",
    "application/atom+xml",
    "application/rss+xml",
    "application/xhtml+xml",
    "application/wasm",
    "image/svg+xml",
];

/// A route's filters. `paths` are those of the route.
pub(super) fn filters(raw: raw::Filters, paths: &[RoutePath], report: &Report) -> Filters {
    without_effect(&raw, report);
    let rewrite = raw.rewrite.map(|rewrite| path_change(rewrite, paths, report));
    Filters {
        redirect: raw
            .redirect
            .map(|redirect| self::redirect(redirect, paths, report)),
        rewrite,
        request_headers: raw.request_headers,
        response_headers: raw.response_headers,
        cors: raw.cors.map(|cors| self::cors(cors, report)),
        mirror: raw.mirror.map(|mirror| self::mirror(mirror.value)),
        compression: raw.compression.and_then(|written| written.value).map(compression),
        request_timeout: raw.request_timeout,
        max_request_body: raw.max_request_body,
        max_response_body: raw.max_response_body,
    }
}

/// Options that cannot have an effect are slips of the pen.
fn without_effect(raw: &raw::Filters, report: &Report) {
    if raw.redirect.is_none() {
        return;
    }
    let tell = |name: &str, place: Option<&Place>| {
        if let Some(place) = place {
            let reason = format!("`{name}` has no effect: this route only redirects");
            report.problem(place, Problem::Contradiction(reason));
        }
    };
    tell("rewrite", raw.rewrite.as_ref().map(|written| &written.place));
    tell("mirror", raw.mirror.as_ref().map(|written| &written.place));
    tell(
        "compression",
        raw.compression.as_ref().map(|written| &written.place),
    );
}

fn redirect(written: At<Redirect>, paths: &[RoutePath], report: &Report) -> Redirect {
    let At { value, place } = written;
    let path = value.path.clone().map(|value| {
        let place = place.clone();
        path_change(At { value, place }, paths, report)
    });
    Redirect { path, ..value }
}

/// A prefix can be replaced only where prefixes choose the route.
fn path_change(written: At<PathChange>, paths: &[RoutePath], report: &Report) -> PathChange {
    let is_prefix = |path: &RoutePath| matches!(path, RoutePath::Plain(PathMatch::Prefix(_)));
    if matches!(written.value, PathChange::Prefix(_)) && !paths.iter().all(is_prefix) {
        let reason =
            "`prefix` replaces the prefix that a route is chosen by: each of its paths has to be one";
        report.problem(&written.place, Problem::Contradiction(reason.to_owned()));
    }
    written.value
}

fn cors(written: At<raw::Cors>, report: &Report) -> Cors {
    let raw = written.value;
    let allow_credentials = raw.allow_credentials.unwrap_or(false);
    if allow_credentials && raw.allow_origins.is_none() {
        let reason = "with `allow_credentials` any site could act as your users: name the origins";
        report.problem(&written.place, Problem::Contradiction(reason.to_owned()));
    }
    let simple = || Some(["GET", "HEAD", "POST"].map(str::to_owned).to_vec());
    Cors {
        allow_origins: raw.allow_origins,
        allow_credentials,
        allow_methods: raw.allow_methods.unwrap_or_else(simple),
        allow_headers: raw.allow_headers.unwrap_or_else(|| Some(Vec::new())),
        expose_headers: raw.expose_headers.unwrap_or_default(),
        max_age: raw.max_age.unwrap_or(Duration::from_secs(5)),
    }
}

fn mirror(raw: raw::Mirror) -> Mirror {
    Mirror {
        backend: raw.backend,
        percent: raw.percent.unwrap_or(100),
        max_body: raw.max_body.unwrap_or(64 << 10),
        max_in_flight: raw.max_in_flight.unwrap_or(100),
        remove: raw.remove.unwrap_or_default(),
    }
}

fn compression(raw: raw::Compression) -> Compression {
    let codings = || vec![Coding::Zstd, Coding::Brotli, Coding::Gzip];
    Compression {
        codings: raw.codings.unwrap_or_else(codings),
        min_size: raw.min_size.unwrap_or(1024),
        types: raw.types.unwrap_or_else(|| TYPES.map(str::to_owned).to_vec()),
    }
}
