//! `[upstream]` and what a route says about its backends, without timeouts.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::decode::At;
use crate::config::ready::{AllDown, Backend, Balance, SameSite};

/// An item of `backends`.
#[derive(Debug)]
pub(in crate::config) struct WeightedBackend {
    pub(in crate::config) backend: At<Backend>,
    pub(in crate::config) weight: Option<u32>,
}

/// What `[upstream]` and a route have in common.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct Balancing {
    pub(in crate::config) balance: Option<Balance>,
    pub(in crate::config) all_down: Option<AllDown>,
    pub(in crate::config) resolve_interval: Option<Duration>,
    pub(in crate::config) resolve_min_interval: Option<Duration>,
    pub(in crate::config) nameservers: Option<Vec<SocketAddr>>,
    pub(in crate::config) ejection: Ejection,
    pub(in crate::config) max_requests: Option<usize>,
    pub(in crate::config) queue: Option<At<usize>>,
    pub(in crate::config) queue_timeout: Option<At<Duration>>,
    pub(in crate::config) keepalive_timeout: Option<Duration>,
    pub(in crate::config) max_response_head: Option<usize>,
    pub(in crate::config) http2: Option<bool>,
    pub(in crate::config) upgrades: Option<Vec<String>>,
    pub(in crate::config) retries: Retries,
}

/// `retries`.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct Retries {
    pub(in crate::config) attempts: Option<u32>,
    pub(in crate::config) statuses: Option<Vec<(u16, u16)>>,
    pub(in crate::config) budget: Option<u8>,
    pub(in crate::config) backoff: Option<Duration>,
}

/// `ejection`.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct Ejection {
    pub(in crate::config) connect_failures: Option<u32>,
    pub(in crate::config) failures: Option<u32>,
    pub(in crate::config) time: Option<At<Duration>>,
    pub(in crate::config) max_time: Option<At<Duration>>,
    pub(in crate::config) max_percent: Option<u8>,
    pub(in crate::config) slow_start: Option<Duration>,
}

/// A route's `sticky`.
#[derive(Debug)]
pub(in crate::config) struct Sticky {
    pub(in crate::config) cookie: Option<String>,
    pub(in crate::config) ttl: Option<Duration>,
    pub(in crate::config) path: Option<String>,
    pub(in crate::config) http_only: Option<bool>,
    pub(in crate::config) secure: Option<bool>,
    pub(in crate::config) same_site: Option<SameSite>,
}

impl Balancing {
    /// What is not said here is as there.
    pub(in crate::config) fn or(self, defaults: &Self) -> Self {
        Self {
            balance: self.balance.or_else(|| defaults.balance.clone()),
            all_down: self.all_down.or(defaults.all_down),
            resolve_interval: self.resolve_interval.or(defaults.resolve_interval),
            resolve_min_interval: self.resolve_min_interval.or(defaults.resolve_min_interval),
            nameservers: self.nameservers.or_else(|| defaults.nameservers.clone()),
            ejection: self.ejection.or(&defaults.ejection),
            max_requests: self.max_requests.or(defaults.max_requests),
            queue: self.queue.or_else(|| defaults.queue.clone()),
            queue_timeout: self.queue_timeout.or_else(|| defaults.queue_timeout.clone()),
            keepalive_timeout: self.keepalive_timeout.or(defaults.keepalive_timeout),
            max_response_head: self.max_response_head.or(defaults.max_response_head),
            http2: self.http2.or(defaults.http2),
            upgrades: self.upgrades.or_else(|| defaults.upgrades.clone()),
            retries: self.retries.or(&defaults.retries),
        }
    }
}

impl Retries {
    fn or(self, defaults: &Self) -> Self {
        Self {
            attempts: self.attempts.or(defaults.attempts),
            statuses: self.statuses.or_else(|| defaults.statuses.clone()),
            budget: self.budget.or(defaults.budget),
            backoff: self.backoff.or(defaults.backoff),
        }
    }
}

impl Ejection {
    fn or(self, defaults: &Self) -> Self {
        Self {
            connect_failures: self.connect_failures.or(defaults.connect_failures),
            failures: self.failures.or(defaults.failures),
            time: self.time.or_else(|| defaults.time.clone()),
            max_time: self.max_time.or_else(|| defaults.max_time.clone()),
            max_percent: self.max_percent.or(defaults.max_percent),
            slow_start: self.slow_start.or(defaults.slow_start),
        }
    }
}
