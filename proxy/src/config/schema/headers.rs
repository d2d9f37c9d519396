//! `[security_headers]`, and a route's own.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::decode::{At, Node, Table, boolean, list, one_of};
use crate::config::raw::{Frames, Preset, SecurityHeaders};
use crate::config::values::access as values;
use crate::config::values::units::duration;

/// The preload list's own longest is two years.
const MAX_AGE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(2 * 366 * 24 * 60 * 60);

/// The headers.
pub(super) fn security_headers(table: &mut Table<'_>) -> SecurityHeaders {
    const PRESETS: &[(&str, Preset)] = &[("off", Preset::Off), ("recommended", Preset::Recommended)];
    const FRAMES: &[(&str, Frames)] = &[
        ("any", Frames::Any),
        ("same-origin", Frames::SameOrigin),
        ("nobody", Frames::Nobody),
    ];
    let header = |node: Node<'_>| node.parse(values::HEADER, values::parse_header);
    let value = |node: Node<'_>| node.parse(values::VALUE, values::parse_value);
    SecurityHeaders {
        preset: table.take("preset", one_of(PRESETS)),
        hsts_max_age: table.take("hsts_max_age", duration(MAX_AGE)),
        hsts_include_subdomains: table.take("hsts_include_subdomains", boolean),
        hsts_preload: table.take("hsts_preload", placed(boolean)),
        content_type_options: table.take("content_type_options", boolean),
        frames: table.take("frames", one_of(FRAMES)),
        referrer_policy: table.take("referrer_policy", value),
        permissions_policy: table.take("permissions_policy", value),
        overwrite: table.take("overwrite", boolean),
        remove: table.take("remove", list("names", header)),
    }
}

/// What `decode` reads, with its place.
pub(super) fn placed<T>(decode: impl Fn(Node<'_>) -> Option<T>) -> impl Fn(Node<'_>) -> Option<At<T>> {
    move |node| {
        let at = node.at(());
        Some(At {
            value: decode(node)?,
            place: at.place,
        })
    }
}
