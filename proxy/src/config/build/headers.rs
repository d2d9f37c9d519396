//! Security headers: a preset, and what is written over it.

use std::time::Duration;

use http::{HeaderName, HeaderValue, header};

use crate::config::errors::{Problem, Report};
use crate::config::raw::{self, Frames, Preset};
use crate::config::ready::{FrameHeaders, SecurityHeaders};

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const X_POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");

/// A year: the least that the preload list takes.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The headers of a route: its own options, else those of `[security_headers]`, else the preset's.
pub(super) fn security_headers(
    own: raw::SecurityHeaders,
    general: &raw::SecurityHeaders,
    report: &Report,
) -> SecurityHeaders {
    let says =
        own.hsts_max_age.is_some() || own.hsts_include_subdomains.is_some() || own.hsts_preload.is_some();
    let raw = own.or(general);
    // What is general was looked at once.
    if says {
        check_preload(&raw, report);
    }
    let recommended = raw.preset == Some(Preset::Recommended);
    let text = |written: Option<String>, preset: &'static str| match written {
        Some(written) => HeaderValue::from_str(&written).ok(),
        None => recommended.then(|| HeaderValue::from_static(preset)),
    };
    let nosniff = raw.content_type_options.unwrap_or(recommended);
    let set = [
        (header::STRICT_TRANSPORT_SECURITY, hsts(&raw, recommended)),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            nosniff.then(|| HeaderValue::from_static("nosniff")),
        ),
        (
            header::REFERRER_POLICY,
            text(raw.referrer_policy, "strict-origin-when-cross-origin"),
        ),
        (
            PERMISSIONS_POLICY,
            text(raw.permissions_policy, "browsing-topics=()"),
        ),
    ];
    let is_written = |(name, value): (HeaderName, Option<HeaderValue>)| {
        Some((name, value.filter(|value| !value.is_empty())?))
    };
    let own_default = if recommended {
        Frames::SameOrigin
    } else {
        Frames::Any
    };
    SecurityHeaders {
        set: set.into_iter().filter_map(is_written).collect(),
        frames: frames(raw.frames.unwrap_or(own_default)),
        overwrite: raw.overwrite.unwrap_or(false),
        remove: match raw.remove {
            Some(names) => names,
            None if recommended => vec![header::SERVER, X_POWERED_BY],
            None => Vec::new(),
        },
    }
}

/// The preload list takes not everything.
pub(super) fn check_preload(raw: &raw::SecurityHeaders, report: &Report) {
    let age = max_age(raw, raw.preset == Some(Preset::Recommended));
    let subdomains = raw.hsts_include_subdomains.unwrap_or(false);
    if let Some(preload) = raw.hsts_preload.as_ref().filter(|preload| preload.value)
        && (age < YEAR || !subdomains)
    {
        let reason = "the preload list takes no `hsts_max_age` below \"8760h\", and only with \
                      `hsts_include_subdomains`";
        report.problem(&preload.place, Problem::Contradiction(reason.to_owned()));
    }
}

fn max_age(raw: &raw::SecurityHeaders, recommended: bool) -> Duration {
    let preset = if recommended { YEAR } else { Duration::ZERO };
    raw.hsts_max_age.unwrap_or(preset)
}

/// RFC 6797 section 6.1, and `preload` as hstspreload.org has it.
fn hsts(raw: &raw::SecurityHeaders, recommended: bool) -> Option<HeaderValue> {
    let age = max_age(raw, recommended);
    let subdomains = raw.hsts_include_subdomains.unwrap_or(false);
    let preload = raw.hsts_preload.as_ref().filter(|preload| preload.value);
    // `max-age=0` would tell browsers to forget what the application itself has told them.
    if age.is_zero() {
        return None;
    }
    let subdomains = if subdomains { "; includeSubDomains" } else { "" };
    let preload = if preload.is_some() { "; preload" } else { "" };
    HeaderValue::from_str(&format!("max-age={}{subdomains}{preload}", age.as_secs())).ok()
}

fn frames(frames: Frames) -> Option<FrameHeaders> {
    let (options, policy) = match frames {
        Frames::Any => return None,
        Frames::SameOrigin => ("SAMEORIGIN", "frame-ancestors 'self'"),
        Frames::Nobody => ("DENY", "frame-ancestors 'none'"),
    };
    Some(FrameHeaders {
        options: HeaderValue::from_static(options),
        policy: HeaderValue::from_static(policy),
    })
}

impl raw::SecurityHeaders {
    fn or(self, general: &Self) -> Self {
        let general = general.clone();
        Self {
            preset: self.preset.or(general.preset),
            hsts_max_age: self.hsts_max_age.or(general.hsts_max_age),
            hsts_include_subdomains: self.hsts_include_subdomains.or(general.hsts_include_subdomains),
            hsts_preload: self.hsts_preload.or(general.hsts_preload),
            content_type_options: self.content_type_options.or(general.content_type_options),
            frames: self.frames.or(general.frames),
            referrer_policy: self.referrer_policy.or(general.referrer_policy),
            permissions_policy: self.permissions_policy.or(general.permissions_policy),
            overwrite: self.overwrite.or(general.overwrite),
            remove: self.remove.or(general.remove),
        }
    }
}
