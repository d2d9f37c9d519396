//! When requests start: as soon as the one before is answered, or at a fixed rate whatever the answers take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// Hands out turns to all workers of a load.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    start: Instant,
    end: Instant,
    interval: Option<Duration>,
    turns: Arc<AtomicU32>,
}

impl Pace {
    pub(super) fn new(rate: Option<u32>, start: Instant, duration: Duration) -> Self {
        let interval = rate.map(|rate| Duration::from_secs(1) / rate.max(1));
        let turns = Arc::new(AtomicU32::new(0));
        Self {
            start,
            end: start + duration,
            interval,
            turns,
        }
    }

    /// The moment from which this request's latency counts; none when the load is over.
    ///
    /// At a fixed rate that is the moment the request was due if all workers were busy then: waiting for a slow
    /// proxy is latency. A worker that waited for its turn counts from when it woke: the client's timer, which
    /// is coarse, is none.
    pub(super) async fn turn(&self) -> Option<Instant> {
        let Some(interval) = self.interval else {
            let now = Instant::now();
            return (now < self.end).then_some(now);
        };
        let due = self.start + interval * self.turns.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        // What could not be sent in time is left out: a proxy that is too slow shows it in its rate.
        if due.max(now) >= self.end {
            return None;
        }
        if due <= now {
            return Some(due);
        }
        sleep_until(due.into()).await;
        Some(Instant::now())
    }
}
