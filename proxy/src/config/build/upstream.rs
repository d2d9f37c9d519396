//! How a route's backends are chosen: defaults, and options held against one another.

use std::time::Duration;

use crate::config::decode::At;
use crate::config::errors::{Problem, Report};
use crate::config::raw;
use crate::config::ready::{AllDown, Balance, Balancing, Ejection, SameSite, Sticky};

/// What a route says, over what `[upstream]` says.
pub(super) fn balancing(
    raw: raw::Balancing,
    sticky: Option<At<raw::Sticky>>,
    report: &Report,
) -> Balancing {
    Balancing {
        balance: raw.balance.unwrap_or(Balance::RoundRobin),
        sticky: sticky.map(|sticky| self::sticky(sticky, report)),
        all_down: raw.all_down.unwrap_or(AllDown::Try),
        ejection: ejection(raw.ejection, report),
        resolve_interval: raw.resolve_interval.unwrap_or(Duration::from_secs(5)),
    }
}

fn ejection(raw: raw::Ejection, report: &Report) -> Ejection {
    let time = raw.time.as_ref().map_or(Duration::from_secs(5), |at| at.value);
    let max_time = raw.max_time.as_ref().map_or(Duration::from_secs(60), |at| at.value);
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
