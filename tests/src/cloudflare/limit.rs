//! The rate limit: so many requests by a token in a window, then none for as long as a window.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};

/// How many requests in what time.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// `q`.
    pub requests: u64,
    /// `w`, and how long a token is blocked that exceeded it.
    pub window: Duration,
}

/// What each token has used.
#[derive(Debug)]
pub(super) struct Limiter {
    quota: Quota,
    windows: HashMap<String, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    used: u64,
    blocked: bool,
}

/// What the limiter says to one request.
#[derive(Debug)]
pub(super) struct Allowance {
    quota: Quota,
    remaining: u64,
    until: Duration,
    pub exceeded: bool,
}

impl Limiter {
    pub(super) fn new(quota: Quota) -> Self {
        Limiter {
            quota,
            windows: HashMap::new(),
        }
    }

    /// Counts a request of the token.
    pub(super) fn count(&mut self, token: &str, now: Instant) -> Allowance {
        let quota = self.quota;
        let fresh = || Window {
            ends: now + quota.window,
            used: 0,
            blocked: false,
        };
        let window = self.windows.entry(token.to_owned()).or_insert_with(fresh);
        if window.ends <= now {
            *window = fresh();
        }
        window.used += 1;
        if window.used > quota.requests && !window.blocked {
            window.blocked = true;
            window.ends = now + quota.window;
        }
        Allowance {
            quota,
            remaining: quota.requests.saturating_sub(window.used),
            until: window.ends.saturating_duration_since(now),
            exceeded: window.blocked,
        }
    }
}

impl Allowance {
    /// Adds the documented headers.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let until = rounded_up(self.until);
        let limit = format!("\"default\";r={};t={until}", self.remaining);
        let (requests, window) = (self.quota.requests, rounded_up(self.quota.window));
        let policy = format!("\"default\";q={requests};w={window}");
        headers.insert(HeaderName::from_static("ratelimit"), value(&limit));
        headers.insert(HeaderName::from_static("ratelimit-policy"), value(&policy));
        if self.exceeded {
            headers.insert(RETRY_AFTER, value(&until.to_string()));
        }
    }
}

fn rounded_up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap()
}
