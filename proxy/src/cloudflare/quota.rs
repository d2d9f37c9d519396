//! How many calls are left. Whoever goes on asking past the limit is blocked for five minutes, and with him
//! everything else that the same user does at Cloudflare: so the client stops by itself.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

/// For how long calls are blocked once the limit is passed, if the answer does not say.
const BLOCKED: Duration = Duration::from_secs(5 * 60);
/// No header holds us off for longer.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What the API said of its limits, last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Calls that are left until the window ends.
    pub remaining: Option<u64>,
    /// Calls that a window has.
    pub limit: Option<u64>,
    until: Option<Instant>,
}

impl Quota {
    /// For how long nothing may be sent.
    pub fn wait(&self) -> Option<Duration> {
        let until = self.until?;
        let rest = until.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }

    /// Reads an answer's headers: `Ratelimit: "default";r=50;t=30`, `Ratelimit-Policy: "burst";q=100;w=60`, and
    /// `Retry-After` of a 429.
    pub(super) fn note(&mut self, status: StatusCode, headers: &HeaderMap) {
        let tightest = items(headers, "ratelimit", "r").min();
        if let Some((remaining, _)) = tightest {
            self.remaining = Some(remaining);
        }
        if let Some((limit, _)) = items(headers, "ratelimit-policy", "q").min() {
            self.limit = Some(limit);
        }
        let window = tightest.and_then(|(_, window)| window);
        let wait = match (status, tightest) {
            (StatusCode::TOO_MANY_REQUESTS, _) => retry_after(headers).or(window).unwrap_or(BLOCKED),
            (_, Some((0, _))) => window.unwrap_or(BLOCKED),
            _ => return,
        };
        self.until = Some(Instant::now() + wait.clamp(Duration::from_secs(1), LONGEST));
    }
}

/// The items of such a header: the number that is asked for, and `t`.
fn items(headers: &HeaderMap, name: &str, number: &str) -> impl Iterator<Item = (u64, Option<Duration>)> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(move |item| {
        let field = |key: &str| {
            let mut fields = item.split(';').filter_map(|field| field.trim().split_once('='));
            fields.find(|(name, _)| *name == key)?.1.parse::<u64>().ok()
        };
        Some((field(number)?, field("t").map(Duration::from_secs)))
    })
}

/// Seconds; a date is as good as nothing, the API sends none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[tokio::test(start_paused = true)]
    async fn dns_limits_are_read_from_headers() {
        /// Status, headers; remaining calls, seconds to wait.
        type Row = (
            u16,
            &'static [(&'static str, &'static str)],
            Option<u64>,
            Option<u64>,
        );
        const TABLE: &[Row] = &[
            (200, &[], None, None),
            (200, &[("ratelimit", "\"default\";r=50;t=30")], Some(50), None),
            (200, &[("ratelimit", "\"default\";r=0;t=30")], Some(0), Some(30)),
            (
                200,
                &[("ratelimit", "\"a\";r=9;t=30, \"b\";r=0;t=7")],
                Some(0),
                Some(7),
            ),
            (200, &[("ratelimit", "\"default\";r=0")], Some(0), Some(300)),
            (429, &[("retry-after", "17")], None, Some(17)),
            (
                429,
                &[("retry-after", "17"), ("ratelimit", "\"default\";r=0;t=3")],
                Some(0),
                Some(17),
            ),
            (429, &[("ratelimit", "\"default\";r=0;t=3")], Some(0), Some(3)),
            (429, &[], None, Some(300)),
            (429, &[("retry-after", "0")], None, Some(1)),
            (429, &[("retry-after", "99999999999")], None, Some(3600)),
            (
                429,
                &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")],
                None,
                Some(300),
            ),
            (200, &[("ratelimit", "nonsense;;r=;t=x,,")], None, None),
        ];
        for (status, lines, remaining, wait) in TABLE {
            let mut quota = Quota::default();
            quota.note(StatusCode::from_u16(*status).unwrap(), &headers(lines));
            assert_eq!(quota.remaining, *remaining, "{lines:?}");
            assert_eq!(quota.wait().map(|wait| wait.as_secs()), *wait, "{lines:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dns_a_wait_ends() {
        let mut quota = Quota::default();
        quota.note(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "5")]));
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(quota.wait(), Some(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(quota.wait(), None);
        quota.note(
            StatusCode::OK,
            &headers(&[("ratelimit-policy", "\"default\";q=1200;w=300")]),
        );
        assert_eq!(quota.limit, Some(1200));
    }
}
