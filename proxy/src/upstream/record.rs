//! What a backend's own answers say about it: whether it is left alone for a while, and how it comes back. Pure: the
//! time is an argument, in milliseconds since the backend became known.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::config::Ejection;

/// A backend that returns begins with this share of its weight.
const RAMP_START: f64 = 0.1;

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection was made.
    Connect,
    /// No answer, none in time, a broken one, 502, 503 or 504.
    Answer,
}

/// Failures in a row and ejections so far.
#[derive(Debug, Default)]
pub(super) struct Record {
    connect_failures: AtomicU32,
    failures: AtomicU32,
    /// Until when it is, or was, left alone; 0 once it has its whole weight again.
    until: AtomicU64,
    /// When the last ejection ended.
    last: AtomicU64,
    /// Ejections that followed one another.
    in_row: AtomicU32,
    ejections: AtomicU64,
    /// When an active check found it to be up again; 0 if none did.
    up_again: AtomicU64,
}

impl Record {
    /// Whether it is left alone.
    pub(super) fn is_out(&self, now: impl FnOnce() -> u64) -> bool {
        // Mostly there is nothing to compare with: no clock is asked.
        match self.until.load(Ordering::Relaxed) {
            0 => false,
            until => now() < until,
        }
    }

    /// The part of its weight that it has, from 0.1 to 1.
    pub(super) fn ramp(&self, slow_start: Duration, now: impl FnOnce() -> u64) -> f64 {
        let since = self
            .until
            .load(Ordering::Relaxed)
            .max(self.up_again.load(Ordering::Relaxed));
        if since == 0 || slow_start.is_zero() {
            return 1.0;
        }
        let passed = now().saturating_sub(since) as f64 / slow_start.as_millis().max(1) as f64;
        (RAMP_START + passed * (1.0 - RAMP_START)).min(1.0)
    }

    /// Ejections so far.
    pub(super) fn ejections(&self) -> u64 {
        self.ejections.load(Ordering::Relaxed)
    }

    /// A good answer: what failed before is forgotten, and it begins to return if it was left alone.
    pub(super) fn succeeded(&self, slow_start: Duration, now: impl FnOnce() -> u64) {
        // Read first: the line stays shared between cores while nothing changes.
        for count in [&self.connect_failures, &self.failures] {
            if count.load(Ordering::Relaxed) != 0 {
                count.store(0, Ordering::Relaxed);
            }
        }
        let until = self.until.load(Ordering::Relaxed);
        if until == 0 {
            return;
        }
        let now = now();
        if now < until {
            self.until.store(now.max(1), Ordering::Relaxed);
            self.last.store(now, Ordering::Relaxed);
        } else if now - until >= millis(slow_start) {
            self.until.store(0, Ordering::Relaxed);
        }
    }

    /// A failure; true if it is left alone from now on. `may_eject` tells whether one more of its kind may be.
    pub(super) fn failed(
        &self,
        failure: Failure,
        policy: &Ejection,
        now: u64,
        may_eject: impl FnOnce() -> bool,
    ) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let connect_failures = match failure {
            Failure::Connect => self.connect_failures.fetch_add(1, Ordering::Relaxed) + 1,
            Failure::Answer => 0,
        };
        let enough = failures >= policy.failures || connect_failures >= policy.connect_failures;
        if !enough || self.is_out(|| now) || !may_eject() {
            return false;
        }
        self.eject(policy, now);
        true
    }

    /// An active check found it to be up again after it was down.
    pub(super) fn returned(&self, now: u64) {
        self.succeeded(Duration::ZERO, || now);
        self.up_again.store(now.max(1), Ordering::Relaxed);
    }

    fn eject(&self, policy: &Ejection, now: u64) {
        let (time, longest) = (millis(policy.time), millis(policy.max_time));
        let last = self.last.load(Ordering::Relaxed);
        // Whoever stood for as long as the longest ejection begins anew.
        let stood = now.saturating_sub(last) > longest;
        let in_row = if stood {
            0
        } else {
            self.in_row.load(Ordering::Relaxed)
        };
        let long = time.saturating_mul(1_u64.checked_shl(in_row.min(63)).unwrap_or(u64::MAX));
        self.in_row.store(in_row.saturating_add(1), Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        self.connect_failures.store(0, Ordering::Relaxed);
        let until = now.saturating_add(long.min(longest)).max(1);
        self.until.store(until, Ordering::Relaxed);
        self.last.store(until, Ordering::Relaxed);
        self.ejections.fetch_add(1, Ordering::Relaxed);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Ejection {
        Ejection {
            connect_failures: 1,
            failures: 3,
            time: Duration::from_secs(5),
            max_time: Duration::from_secs(15),
            max_percent: 100,
            slow_start: Duration::from_secs(10),
        }
    }

    fn fail(record: &Record, failure: Failure, now: u64) -> bool {
        record.failed(failure, &policy(), now, || true)
    }

    #[test]
    fn one_refused_connection_is_enough_and_bad_answers_have_to_be_in_a_row() {
        let record = Record::default();
        assert!(fail(&record, Failure::Connect, 10));
        assert!(record.is_out(|| 5_009) && !record.is_out(|| 5_010));

        let record = Record::default();
        assert!(!fail(&record, Failure::Answer, 1) && !fail(&record, Failure::Answer, 2));
        record.succeeded(Duration::ZERO, || 2);
        assert!(!fail(&record, Failure::Answer, 3) && !fail(&record, Failure::Answer, 4));
        assert!(fail(&record, Failure::Answer, 5));
        assert_eq!(record.ejections(), 1);
    }

    #[test]
    fn each_ejection_is_twice_as_long_as_the_one_before_up_to_the_longest() {
        let record = Record::default();
        let mut now = 1_000;
        for long in [5_000, 10_000, 15_000, 15_000] {
            assert!(fail(&record, Failure::Connect, now));
            assert!(
                record.is_out(|| now + long - 1) && !record.is_out(|| now + long),
                "{long}"
            );
            now += long + 1;
        }
        // It stood for long enough.
        now += 15_001;
        assert!(fail(&record, Failure::Connect, now));
        assert!(!record.is_out(|| now + 5_000));
    }

    #[test]
    fn while_it_is_out_failures_do_not_prolong_it() {
        let record = Record::default();
        assert!(fail(&record, Failure::Connect, 0));
        assert!(!fail(&record, Failure::Connect, 4_000));
        assert!(!record.is_out(|| 5_000));
    }

    #[test]
    fn a_good_answer_ends_it_and_the_return_is_slow_all_the_same() {
        let (record, slow) = (Record::default(), Duration::from_secs(10));
        assert!(fail(&record, Failure::Connect, 0));
        record.succeeded(slow, || 1_000);
        assert!(!record.is_out(|| 1_001));
        for (now, expected) in [(1_000, 0.1), (6_000, 0.55), (11_000, 1.0)] {
            record.succeeded(slow, || now);
            assert!((record.ramp(slow, || now) - expected).abs() < 1e-9, "{now}");
        }
    }

    #[test]
    fn not_more_than_may_be() {
        let record = Record::default();
        assert!(!record.failed(Failure::Connect, &policy(), 0, || false));
        assert!(!record.is_out(|| 1));
    }

    #[test]
    fn it_returns_slowly() {
        let record = Record::default();
        let ramp = |now| record.ramp(Duration::from_secs(10), || now);
        assert_eq!(ramp(0), 1.0);
        assert!(fail(&record, Failure::Connect, 0));
        for (now, expected) in [(5_000, 0.1), (10_000, 0.55), (15_000, 1.0), (99_000, 1.0)] {
            assert!((ramp(now) - expected).abs() < 1e-9, "{now}: {}", ramp(now));
        }
        assert_eq!(record.ramp(Duration::ZERO, || 5_000), 1.0);
        record.returned(20_000);
        assert!((ramp(25_000) - 0.55).abs() < 1e-9);
    }
}
