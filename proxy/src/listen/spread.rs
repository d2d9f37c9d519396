//! How connections spread over workers. Each worker has accept loops of its own on the same sockets, and all are woken
//! for each connection; left to that, the one that the kernel wakes first would have most of them, and with them the
//! work of years: a connection stays where it was accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a worker leaves a connection to another that has fewer. Who sleeps is awake long before; for who computes
/// nobody waits longer. Tokio's clock knows nothing shorter.
const HEAD_START: Duration = Duration::from_millis(1);

/// An eighth more than another has is no reason to wait: busy workers are not to stand idle for a balance that comes about
/// by itself.
const SLACK: usize = 8;

/// How many connections each worker has.
#[derive(Debug, Clone)]
pub struct Spread(Arc<[Arc<AtomicUsize>]>);

/// How many connections one worker has, beside the others.
#[derive(Debug, Clone)]
pub struct Load {
    own: Arc<AtomicUsize>,
    all: Spread,
}

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub(super) struct Carried(Arc<AtomicUsize>);

impl Spread {
    /// Over so many workers.
    pub fn over(workers: usize) -> Self {
        Self((0..workers).map(|_| Arc::default()).collect())
    }

    /// One for each worker.
    pub fn loads(&self) -> impl Iterator<Item = Load> {
        self.0.iter().map(|own| Load {
            own: Arc::clone(own),
            all: self.clone(),
        })
    }

    /// The connections of each worker now.
    pub fn counts(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|count| count.load(Ordering::Relaxed))
    }
}

impl Load {
    /// Counts one more.
    pub(super) fn carry(&self) -> Carried {
        self.own.fetch_add(1, Ordering::Relaxed);
        Carried(Arc::clone(&self.own))
    }

    /// Until it is this worker's turn to accept.
    pub(super) async fn turn(&self) {
        let own = self.own.load(Ordering::Relaxed);
        if self.all.counts().any(|other| is_ahead(own, other)) {
            tokio::time::sleep(HEAD_START).await;
        }
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn is_ahead(own: usize, other: usize) -> bool {
    own > other + other / SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_whom() {
        for (own, other, waits) in [
            (0, 0, false),
            (1, 0, true),
            (1, 1, false),
            (2, 1, true),
            (0, 5, false),
            (8, 7, true),
            (9, 8, false),
            (10, 8, true),
            (112, 100, false),
            (113, 100, true),
        ] {
            assert_eq!(is_ahead(own, other), waits, "{own} {other}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_most_waits_a_moment_and_no_longer() {
        let spread = Spread::over(2);
        let [one, other] = spread.loads().collect::<Vec<_>>().try_into().unwrap();
        let since = tokio::time::Instant::now();
        let carried = [one.carry(), one.carry(), other.carry()];
        assert_eq!(spread.counts().collect::<Vec<_>>(), [2, 1]);
        other.turn().await;
        assert_eq!(since.elapsed(), Duration::ZERO);
        one.turn().await;
        assert!((HEAD_START..HEAD_START * 4).contains(&since.elapsed()));
        drop(carried);
        assert_eq!(spread.counts().sum::<usize>(), 0);
    }
}
