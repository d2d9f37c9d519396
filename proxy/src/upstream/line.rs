//! The line at a route whose backends are all busy: bounded, first come first served, and nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Balancer;
use super::balancer::{NoBackend, Wish};
use super::endpoint::Lease;
use super::seats;

/// Backends that come back do not call who waits: the first in line looks by itself this often.
const LOOK: Duration = Duration::from_millis(250);

/// Who waits at one route.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: AtomicUsize,
    /// Held by the first in line. Tokio's mutex is handed over in the order in which it was asked for, and whoever
    /// leaves the line leaves that order.
    first: Mutex<()>,
}

/// A place in the line; left when dropped.
struct Place<'l>(&'l Line);

impl Line {
    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A place, if there is one. Nobody sees a place taken that is given back at once.
    fn join(&self, longest: usize) -> Option<Place<'_>> {
        let joined = self
            .waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
                (waiting < longest).then_some(waiting + 1)
            });
        joined.is_ok().then(|| Place(self))
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
        // Who waits already goes first. Who looks for another backend has had its turn.
        if self.line().waiting() == 0 || !wish.tried.is_empty() {
            match self.pick_now(wish) {
                Err(NoBackend::Full) => {}
                picked => return picked,
            }
        }
        let capacity = &self.policy().capacity;
        let _place = self.line().join(capacity.queue).ok_or(NoBackend::Full)?;
        tokio::time::timeout(capacity.queue_timeout, self.wait(wish))
            .await
            .unwrap_or(Err(NoBackend::Full))
    }

    async fn wait(&self, wish: &Wish<'_>) -> Result<Lease, NoBackend> {
        // One that looks for another backend waits for fewer than the others do: it must not hold them up.
        let _first = match wish.tried.is_empty() {
            true => Some(self.line().first.lock().await),
            false => None,
        };
        loop {
            let endpoints = self.endpoints();
            let freed = seats::freed(endpoints.iter().map(|endpoint| Arc::clone(endpoint.seats())));
            match self.pick_now(wish) {
                Err(NoBackend::Full) => {}
                picked => return picked,
            }
            let _ = tokio::time::timeout(LOOK, freed).await;
        }
    }

    fn pick_now(&self, wish: &Wish<'_>) -> Result<Lease, NoBackend> {
        self.pick(wish, Instant::now(), rand::random)
    }
}
