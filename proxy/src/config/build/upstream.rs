//! How a route's backends are chosen: defaults, and options held against one another.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::decode::At;
use crate::config::errors::{Problem, Report};
use crate::config::raw;
use crate::config::ready::{
    AllDown, Balance, Balancing, Capacity, Ejection, HealthCheck, Resolving, Retries, SameSite, Sticky,
};

/// What a route says, over what `[upstream]` says.
pub(super) fn balancing(
    raw: raw::Balancing,
    sticky: Option<At<raw::Sticky>>,
    health: Option<HealthCheck>,
    report: &Report,
) -> Balancing {
    let resolving = resolving(&raw);
    Balancing {
        balance: raw.balance.unwrap_or(Balance::RoundRobin),
        sticky: sticky.map(|sticky| self::sticky(sticky, report)),
        all_down: raw.all_down.unwrap_or(AllDown::Try),
        ejection: ejection(raw.ejection, report),
        resolving,
        capacity: Capacity {
            max_requests: raw.max_requests.and_then(NonZeroUsize::new),
            queue: raw.queue.map_or(100, |at| at.value),
            queue_timeout: raw.queue_timeout.map_or(Duration::from_secs(5), |at| at.value),
        },
        health,
    }
}

/// A route's longest interval may be shorter than the shortest of all: then it is both.
fn resolving(raw: &raw::Balancing) -> Resolving {
    let known = Resolving::default();
    let interval = raw.resolve_interval.unwrap_or(known.interval);
    Resolving {
        interval,
        min_interval: raw
            .resolve_min_interval
            .unwrap_or(known.min_interval)
            .min(interval),
        nameservers: raw.nameservers.clone().unwrap_or_default(),
    }
}

/// Who waits, waits for a backend that is full.
pub(super) fn check_queue(raw: &raw::Balancing, defaults: &raw::Balancing, report: &Report) {
    let capped = raw
        .max_requests
        .or(defaults.max_requests)
        .is_some_and(|most| most > 0);
    let queue = raw.queue.as_ref().map(|at| ("queue", &at.place));
    let timeout = raw.queue_timeout.as_ref().map(|at| ("queue_timeout", &at.place));
    for (option, place) in queue.into_iter().chain(timeout).filter(|_| !capped) {
        let reason = format!("`{option}` has no effect without `max_requests`: nobody has to wait");
        report.problem(place, Problem::Contradiction(reason));
    }
}

/// When a request is tried again.
pub(super) fn retries(raw: raw::Retries) -> Retries {
    Retries {
        attempts: raw.attempts.unwrap_or(1),
        statuses: raw.statuses.unwrap_or_default(),
        budget: raw.budget.unwrap_or(20),
        backoff: raw.backoff.unwrap_or(Duration::from_millis(25)),
    }
}

fn ejection(raw: raw::Ejection, report: &Report) -> Ejection {
    let time = raw.time.as_ref().map_or(Duration::from_secs(5), |at| at.value);
    let max_time = raw
        .max_time
        .as_ref()
        .map_or(Duration::from_secs(60), |at| at.value);
    if time > max_time
        && let Some(at) = raw.time.as_ref().or(raw.max_time.as_ref())
    {
        let reason = "the first ejection (`time`) is longer than the longest (`max_time`)";
        report.problem(&at.place, Problem::Contradiction(reason.to_owned()));
    }
    Ejection {
        connect_failures: raw.connect_failures.unwrap_or(1),
        failures: raw.failures.unwrap_or(5),
        time,
        max_time,
        max_percent: raw.max_percent.unwrap_or(100),
        slow_start: raw.slow_start.unwrap_or(Duration::from_secs(10)),
    }
}

fn sticky(raw: At<raw::Sticky>, report: &Report) -> Sticky {
    let At { value: raw, place } = raw;
    let secure = raw.secure.unwrap_or(true);
    let same_site = raw.same_site.unwrap_or(SameSite::Lax);
    if same_site == SameSite::None && !secure {
        let reason = "browsers drop a cookie with same_site = \"none\" that is not `secure`";
        report.problem(&place, Problem::Contradiction(reason.to_owned()));
    }
    Sticky {
        cookie: raw.cookie.unwrap_or_else(|| "palisade-backend".to_owned()),
        ttl: raw.ttl,
        path: raw.path.unwrap_or_else(|| "/".to_owned()),
        http_only: raw.http_only.unwrap_or(true),
        secure,
        same_site,
    }
}
