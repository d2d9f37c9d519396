//! The line at a route whose backends are all busy: bounded, first come first served, and nobody waits for ever.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Balancer;
use super::balancer::{NoBackend, Wish};
use super::endpoint::Lease;

/// Backends that come back do not call who waits: it looks by itself this often.
const LOOK: Duration = Duration::from_millis(250);

/// Who waits at one route.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: AtomicUsize,
    freed: Notify,
}

/// A place in the line; left when dropped.
struct Place<'l>(&'l Line);

impl Line {
    /// A backend has room for one more.
    pub(super) fn freed(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.freed.notify_one();
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn join(&self, longest: usize) -> Option<Place<'_>> {
        let place = Place(self);
        match self.waiting.fetch_add(1, Ordering::Relaxed) < longest {
            true => Some(place),
            false => None,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Balancer {
    /// The backend for a request, as soon as one has room for it.
    pub async fn lease(&self, wish: &Wish<'_>) -> Result<Lease, NoBackend> {
        let pick = || self.pick(wish, Instant::now(), rand::random);
        // Who waits already goes first.
        if self.line().waiting() == 0 {
            match pick() {
                Err(NoBackend::Full) => {}
                picked => return picked,
            }
        }
        let capacity = &self.policy().capacity;
        let place = self.line().join(capacity.queue).ok_or(NoBackend::Full)?;
        let deadline = Instant::now() + capacity.queue_timeout;
        loop {
            let freed = self.line().freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            match pick() {
                Err(NoBackend::Full) => {}
                picked => {
                    drop(place);
                    return picked;
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoBackend::Full);
            }
            let _ = tokio::time::timeout(left.min(LOOK), freed).await;
        }
    }
}
