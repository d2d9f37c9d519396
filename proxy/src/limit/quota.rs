//! A token bucket as one number (GCRA, the generic cell rate algorithm of ITU-T I.371): the time at which the bucket
//! will be full again. How much a key owes is that time less the present.

use std::num::NonZeroU32;
use std::time::Duration;

/// How many requests in how much time. Times are nanoseconds on a clock that starts with the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// One token comes back in this time.
    token: u64,
    /// Of an empty bucket, until it is full.
    whole: u64,
}

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It passes.
    Pass(Standing),
    /// It has to wait.
    Wait(Standing),
}

/// How a bucket stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests that would pass now.
    pub remaining: u32,
    /// Until the bucket is full, if nothing more comes.
    pub full_in: Duration,
    /// Until a request passes; zero if one would now.
    pub next_in: Duration,
}

impl Quota {
    /// `requests` in each `per`, `burst` of them at once. Of what cannot be told in nanoseconds the nearest that can.
    pub fn new(requests: NonZeroU32, per: Duration, burst: NonZeroU32) -> Self {
        let per = u64::try_from(per.as_nanos()).unwrap_or(u64::MAX);
        let token = (per / u64::from(requests.get())).max(1);
        Self {
            token,
            whole: token.saturating_mul(u64::from(burst.get())),
        }
    }

    /// Charges one request at `now` to a bucket that is full at `full_at`. Returns when it is full then.
    pub fn charge(&self, full_at: u64, now: u64) -> (u64, Decision) {
        let charged = full_at.max(now).saturating_add(self.token);
        if charged - now > self.whole {
            let full_at = full_at.max(now);
            return (full_at, Decision::Wait(self.standing(full_at, now)));
        }
        (charged, Decision::Pass(self.standing(charged, now)))
    }

    fn standing(&self, full_at: u64, now: u64) -> Standing {
        let owed = full_at.saturating_sub(now);
        let left = self.whole.saturating_sub(owed);
        let short = owed.saturating_add(self.token).saturating_sub(self.whole);
        Standing {
            remaining: u32::try_from(left / self.token).unwrap_or(u32::MAX),
            full_in: Duration::from_nanos(owed),
            next_in: Duration::from_nanos(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn quota(requests: u32, seconds: u64, burst: u32) -> Quota {
        let count = |count| NonZeroU32::new(count).unwrap();
        Quota::new(count(requests), Duration::from_secs(seconds), count(burst))
    }

    #[test]
    fn a_burst_passes_and_then_one_request_at_a_time() {
        let quota = quota(60, 60, 3);
        let (mut full_at, mut passed) = (0, Vec::new());
        for tenth in 0..45 {
            let (next, decision) = quota.charge(full_at, 10 * SECOND + tenth * SECOND / 10);
            full_at = next;
            if matches!(decision, Decision::Pass(_)) {
                passed.push(tenth);
            }
        }
        assert_eq!(passed, [0, 1, 2, 10, 20, 30, 40]);
    }

    #[test]
    fn who_waits_is_told_how_long() {
        let quota = quota(6, 60, 2);
        let (full_at, first) = quota.charge(0, 0);
        let Decision::Pass(first) = first else {
            panic!("{first:?}")
        };
        assert_eq!(
            (first.remaining, first.full_in.as_secs(), first.next_in),
            (1, 10, Duration::ZERO)
        );
        let (full_at, _) = quota.charge(full_at, 0);
        let (full_at, refused) = quota.charge(full_at, SECOND);
        let Decision::Wait(refused) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(
            (
                refused.remaining,
                refused.full_in.as_secs(),
                refused.next_in.as_secs()
            ),
            (0, 19, 9)
        );
        assert!(matches!(
            quota.charge(full_at, 10 * SECOND),
            (_, Decision::Pass(_))
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the moments: in no stretch of time pass more than the burst and what comes back meanwhile.
        #[test]
        fn no_more_pass_than_the_quota_allows(
            requests in 1u32..200, seconds in 1u64..600, burst in 1u32..50,
            pauses in prop::collection::vec(0u64..3 * SECOND, 1..200),
        ) {
            let quota = quota(requests, seconds, burst);
            let (mut now, mut full_at, mut passed) = (0, 0, Vec::new());
            for pause in pauses {
                now += pause;
                let (next, decision) = quota.charge(full_at, now);
                full_at = next;
                if matches!(decision, Decision::Pass(_)) {
                    passed.push(now);
                }
            }
            for (first, from) in passed.iter().enumerate() {
                for (last, to) in passed.iter().enumerate().skip(first) {
                    let came_back = (to - from) / quota.token;
                    prop_assert!(((last - first) as u64) < u64::from(burst) + came_back);
                }
            }
        }

        /// Who waits as long as he is told passes, and not much earlier.
        #[test]
        fn the_wait_that_is_told_is_the_wait(
            requests in 1u32..1000, seconds in 1u64..3600, burst in 1u32..20, now in 0u64..u64::MAX / 4,
        ) {
            let quota = quota(requests, seconds, burst);
            let mut full_at = 0;
            let wait = loop {
                match quota.charge(full_at, now) {
                    (next, Decision::Pass(_)) => full_at = next,
                    (_, Decision::Wait(standing)) => break standing.next_in.as_nanos() as u64,
                }
            };
            prop_assert!(matches!(quota.charge(full_at, now + wait), (_, Decision::Pass(_))));
            prop_assert!(matches!(quota.charge(full_at, now + wait - 1), (_, Decision::Wait(_))));
        }

        /// Neither odd clocks nor odd quotas overflow.
        #[test]
        fn nothing_overflows(full_at: u64, now: u64, requests in 1u32.., burst in 1u32.., seconds in 1u64..86_400) {
            let _ = quota(requests, seconds, burst).charge(full_at, now);
        }
    }
}
