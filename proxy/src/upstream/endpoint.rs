//! One address of a backend, with all that is known of it. It outlives reloads as long as its backend is configured.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arc_swap::ArcSwapOption;

use super::choice;
use super::health::ProbeError;
use super::record::{Failure, Record};
use super::seats::{Hall, Seats};
use crate::config::{Backend, Ejection};

/// One address of a backend.
#[derive(Debug)]
pub struct Endpoint {
    backend: Arc<Backend>,
    address: SocketAddr,
    /// Whether its backend may have others.
    named: bool,
    /// As logs name it.
    label: Arc<str>,
    seed: u64,
    born: Instant,
    /// Shared with other routes that lead there.
    seats: Arc<Seats>,
    record: Record,
    /// What active checks made of it; up where there are none, and before the first has ended.
    down: AtomicBool,
    /// What the last check had to complain of.
    complaint: ArcSwapOption<ProbeError>,
}

/// How an endpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It takes requests.
    Up,
    /// Its own failures had it left alone for a while.
    Ejected,
    /// Active checks found it to be down.
    Down,
}

/// What active checks make of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is well.
    Up,
    /// It is not.
    Down,
}

/// A request at an endpoint: counted as in flight until this is dropped, whichever way the request ends.
#[derive(Debug)]
pub struct Lease {
    endpoint: Arc<Endpoint>,
}

impl Endpoint {
    pub(super) fn new(backend: &Arc<Backend>, address: SocketAddr, hall: &Hall, now: Instant) -> Self {
        let named = backend.host.parse::<std::net::IpAddr>().is_err();
        let label = match named {
            true => format!("{}:{} ({address})", backend.host, backend.port),
            false => address.to_string(),
        };
        Self {
            backend: Arc::clone(backend),
            address,
            named,
            label: label.into(),
            seed: choice::seed(&address.to_string()),
            born: now,
            seats: hall.seats(address),
            record: Record::default(),
            down: AtomicBool::new(false),
            complaint: ArcSwapOption::empty(),
        }
    }

    /// What it is an address of.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// As logs name it: the address, behind the name that it was found by.
    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// Requests in flight, of all routes that lead there.
    pub fn in_flight(&self) -> usize {
        self.seats.taken()
    }

    pub(super) fn seats(&self) -> &Arc<Seats> {
        &self.seats
    }

    /// How often it was left alone.
    pub fn ejections(&self) -> u64 {
        self.record.ejections()
    }

    /// How it stands.
    pub fn standing(&self, now: Instant) -> Standing {
        if self.down.load(Ordering::Relaxed) {
            return Standing::Down;
        }
        match self.record.is_out(|| self.millis(now)) {
            true => Standing::Ejected,
            false => Standing::Up,
        }
    }

    /// Whether it takes requests.
    pub fn is_up(&self, now: Instant) -> bool {
        self.standing(now) == Standing::Up
    }

    /// What the last check had to complain of, if it did.
    pub fn complaint(&self) -> Option<Arc<ProbeError>> {
        self.complaint.load_full()
    }

    /// Active checks have come to another verdict.
    pub(super) fn judge(&self, verdict: Verdict, complaint: Option<&ProbeError>, now: Instant) {
        let down = verdict == Verdict::Down;
        let was_down = self.down.swap(down, Ordering::Relaxed);
        if was_down && !down {
            self.record.returned(self.millis(now));
        }
        self.complaint.store(complaint.cloned().map(Arc::new));
    }

    /// A check failed, but not often enough.
    pub(super) fn complained(&self, complaint: &ProbeError) {
        self.complaint.store(Some(Arc::new(complaint.clone())));
    }

    /// It is no longer asked: what checks made of it is forgotten.
    pub(super) fn forget_checks(&self) {
        self.down.store(false, Ordering::Relaxed);
        self.complaint.store(None);
    }

    /// Whether it is another address of the same backend.
    pub(super) fn is_sibling_of(&self, other: &Self) -> bool {
        self.named && Arc::ptr_eq(&self.backend, &other.backend) && self.address != other.address
    }

    /// Whether its backend may have several addresses.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// Whether it takes one more request.
    pub(super) fn has_room(&self, most: Option<NonZeroUsize>) -> bool {
        most.is_none_or(|most| self.in_flight() < most.get())
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The part of its weight that it has.
    pub(super) fn ramp(&self, policy: &Ejection, now: Instant) -> f64 {
        self.record.ramp(policy.slow_start, || self.millis(now))
    }

    pub(super) fn succeeded(&self, policy: &Ejection, now: Instant) {
        self.record.succeeded(policy.slow_start, || self.millis(now));
    }

    pub(super) fn failed(
        &self,
        failure: Failure,
        policy: &Ejection,
        now: Instant,
        may_eject: impl FnOnce() -> bool,
    ) -> bool {
        self.record.failed(failure, policy, self.millis(now), may_eject)
    }

    fn millis(&self, at: Instant) -> u64 {
        // One more than 0, which means never.
        let since = at.saturating_duration_since(self.born).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl Lease {
    /// One more request in flight, if there is room for it.
    pub(super) fn take(endpoint: &Arc<Endpoint>, most: Option<NonZeroUsize>) -> Option<Self> {
        endpoint.seats.take(most).then(|| Self {
            endpoint: Arc::clone(endpoint),
        })
    }

    /// One more request in flight in any case.
    pub(super) fn unbounded(endpoint: &Arc<Endpoint>) -> Self {
        endpoint.seats.take(None);
        Self {
            endpoint: Arc::clone(endpoint),
        }
    }

    /// Where the request is.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.endpoint.seats.free();
    }
}
