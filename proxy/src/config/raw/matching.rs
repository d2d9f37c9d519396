//! Which requests a route takes.

use crate::config::decode::At;
use crate::config::ready::{HeaderMatch, QueryMatch};

/// A route's `methods`, `headers` and `query`.
#[derive(Debug)]
pub(in crate::config) struct Conditions {
    pub(in crate::config) methods: Option<Vec<At<String>>>,
    pub(in crate::config) headers: Vec<At<HeaderMatch>>,
    pub(in crate::config) query: Vec<At<QueryMatch>>,
}
