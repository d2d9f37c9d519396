//! What the files say about security headers.

use std::time::Duration;

use http::HeaderName;

use crate::config::decode::At;

/// `[security_headers]`, and a route's own.
#[derive(Debug, Clone)]
pub(in crate::config) struct SecurityHeaders {
    pub(in crate::config) preset: Option<Preset>,
    pub(in crate::config) hsts_max_age: Option<Duration>,
    pub(in crate::config) hsts_include_subdomains: Option<bool>,
    pub(in crate::config) hsts_preload: Option<At<bool>>,
    pub(in crate::config) content_type_options: Option<bool>,
    pub(in crate::config) frames: Option<Frames>,
    pub(in crate::config) referrer_policy: Option<String>,
    pub(in crate::config) permissions_policy: Option<String>,
    pub(in crate::config) overwrite: Option<bool>,
    pub(in crate::config) remove: Option<Vec<HeaderName>>,
}

/// What stands for the options that are not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Preset {
    Off,
    Recommended,
}

/// Who may show pages in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Frames {
    Any,
    SameOrigin,
    Nobody,
}
