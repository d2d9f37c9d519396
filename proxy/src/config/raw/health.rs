//! A route's `health`.

use std::time::Duration;

use crate::config::decode::At;

/// A route's `health`.
#[derive(Debug)]
pub(in crate::config) struct Health {
    pub(in crate::config) path: Option<String>,
    pub(in crate::config) grpc: Option<At<String>>,
    pub(in crate::config) method: Option<At<String>>,
    pub(in crate::config) host: Option<At<String>>,
    pub(in crate::config) statuses: Option<At<Vec<(u16, u16)>>>,
    pub(in crate::config) body: Option<At<String>>,
    pub(in crate::config) port: Option<u16>,
    pub(in crate::config) interval: Option<Duration>,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) up: Option<u32>,
    pub(in crate::config) down: Option<u32>,
    pub(in crate::config) jitter: Option<u8>,
}
