//! What a route does to its requests and their answers.

use std::time::Duration;

use http::HeaderName;

use crate::config::decode::At;
use crate::config::ready::{Backend, Coding, HeaderChanges, Origin, PathChange, Redirect};

/// A route's filters.
#[derive(Debug)]
pub(in crate::config) struct Filters {
    pub(in crate::config) redirect: Option<At<Redirect>>,
    pub(in crate::config) rewrite: Option<At<PathChange>>,
    pub(in crate::config) request_headers: HeaderChanges,
    pub(in crate::config) response_headers: HeaderChanges,
    pub(in crate::config) cors: Option<At<Cors>>,
    pub(in crate::config) mirror: Option<At<Mirror>>,
    pub(in crate::config) compression: Option<At<Option<Compression>>>,
    pub(in crate::config) request_timeout: Option<Duration>,
    pub(in crate::config) max_request_body: Option<usize>,
    pub(in crate::config) max_response_body: Option<usize>,
}

/// A route's `cors`.
#[derive(Debug)]
pub(in crate::config) struct Cors {
    /// `None` for any.
    pub(in crate::config) allow_origins: Option<Vec<Origin>>,
    pub(in crate::config) allow_credentials: Option<bool>,
    /// `Some(None)` for any.
    pub(in crate::config) allow_methods: Option<Option<Vec<String>>>,
    pub(in crate::config) allow_headers: Option<Option<Vec<String>>>,
    pub(in crate::config) expose_headers: Option<Vec<String>>,
    pub(in crate::config) max_age: Option<Duration>,
}

/// A route's `mirror`.
#[derive(Debug)]
pub(in crate::config) struct Mirror {
    pub(in crate::config) backend: Backend,
    pub(in crate::config) percent: Option<u8>,
    pub(in crate::config) max_body: Option<usize>,
    pub(in crate::config) max_in_flight: Option<usize>,
    pub(in crate::config) remove: Option<Vec<HeaderName>>,
}

/// A route's `compression`, where it is a table.
#[derive(Debug, Default)]
pub(in crate::config) struct Compression {
    pub(in crate::config) codings: Option<Vec<Coding>>,
    pub(in crate::config) min_size: Option<usize>,
    pub(in crate::config) types: Option<Vec<String>>,
}
