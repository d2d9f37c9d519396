//! Round robin over the backends that answer. Pure: the time is an argument.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Resolver;
use crate::config::Backend;

/// How long a backend that refused a connection is left alone while others answer. Short enough that a
/// restarted pod is back in turn before anyone notices, long enough that a dead one costs few requests.
const COOL_DOWN: Duration = Duration::from_secs(5);

/// One backend with its health.
#[derive(Debug)]
pub struct Endpoint {
    /// Where.
    pub backend: Backend,
    /// Its addresses.
    pub resolver: Resolver,
    /// Milliseconds after the balancer's start until which it counts as down; 0 for up.
    down_until: AtomicU64,
}

/// The backends of one route.
#[derive(Debug)]
pub struct Balancer {
    endpoints: Vec<Endpoint>,
    next: AtomicUsize,
    start: Instant,
}

impl Balancer {
    /// A balancer whose clock starts at `now`.
    pub fn new(backends: impl IntoIterator<Item = Backend>, now: Instant) -> Self {
        let endpoints = backends
            .into_iter()
            .map(|backend| Endpoint {
                resolver: Resolver::new(&backend),
                backend,
                down_until: AtomicU64::new(0),
            })
            .collect();
        Self {
            endpoints,
            next: AtomicUsize::new(0),
            start: now,
        }
    }

    /// All backends.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The next backend in turn that is up and not in `tried`. If all that are left count as down, the one
    /// whose turn it is gets its chance: a route with one backend recovers with its first request.
    pub fn pick(&self, tried: &[usize], now: Instant) -> Option<usize> {
        let count = self.endpoints.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let untried = || {
            (0..count)
                .map(|step| first.wrapping_add(step) % count)
                .filter(|i| !tried.contains(i))
        };
        untried()
            .find(|index| self.is_up(*index, now))
            .or_else(|| untried().next())
    }

    /// Takes a backend out of turn for a while: a connection to it failed.
    pub fn mark_down(&self, index: usize, now: Instant) {
        if let Some(endpoint) = self.endpoints.get(index) {
            endpoint
                .down_until
                .store(self.millis(now + COOL_DOWN), Ordering::Relaxed);
        }
    }

    /// Puts a backend back in turn: a connection to it was made.
    pub fn mark_up(&self, index: usize) {
        if let Some(endpoint) = self.endpoints.get(index) {
            // Read first: the line stays shared between cores while nothing changes.
            if endpoint.down_until.load(Ordering::Relaxed) != 0 {
                endpoint.down_until.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Whether a backend is in turn.
    pub fn is_up(&self, index: usize, now: Instant) -> bool {
        self.endpoints
            .get(index)
            .is_some_and(|endpoint| endpoint.down_until.load(Ordering::Relaxed) <= self.millis(now))
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three(now: Instant) -> Balancer {
        let backend = |port| Backend {
            tls: false,
            host: "127.0.0.1".to_owned(),
            port,
        };
        Balancer::new([backend(1), backend(2), backend(3)], now)
    }

    #[test]
    fn takes_turns() {
        let now = Instant::now();
        let balancer = three(now);
        let picks: Vec<_> = (0..6).filter_map(|_| balancer.pick(&[], now)).collect();
        assert_eq!(picks, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn leaves_a_dead_backend_alone_and_takes_it_back() {
        let now = Instant::now();
        let balancer = three(now);
        balancer.mark_down(1, now);
        let soon = now + Duration::from_secs(1);
        assert!((0..9).all(|_| balancer.pick(&[], soon) != Some(1)));
        let later = now + COOL_DOWN + Duration::from_millis(1);
        assert!((0..3).any(|_| balancer.pick(&[], later) == Some(1)));
    }

    #[test]
    fn tries_a_dead_one_rather_than_none() {
        let now = Instant::now();
        let balancer = three(now);
        (0..3).for_each(|index| balancer.mark_down(index, now));
        assert!(balancer.pick(&[], now).is_some());
        assert_eq!(balancer.pick(&[0, 1, 2], now), None);
    }
}
