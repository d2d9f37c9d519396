//! The memory that bodies under inspection may hold together, over all requests, and those of one client.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ClientKey;

/// Parts of the table of clients, each with a lock of its own.
const PARTS: usize = 16;

/// A shared budget, in bytes.
#[derive(Debug, Clone)]
pub struct BodyBudget {
    shared: Arc<Shared>,
    limit: usize,
    per_client: usize,
}

#[derive(Debug, Default)]
struct Shared {
    held: AtomicUsize,
    hasher: RandomState,
    clients: [Mutex<HashMap<ClientKey, usize>>; PARTS],
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: BodyBudget,
    client: Option<ClientKey>,
    bytes: usize,
}

impl BodyBudget {
    /// A budget of `limit` bytes, of which one client gets no more than `per_client`.
    pub fn new(limit: usize, per_client: usize) -> Self {
        Self {
            shared: Arc::default(),
            limit,
            per_client,
        }
    }

    /// The same bytes in use, under other limits: for a reload.
    pub fn with_limits(&self, limit: usize, per_client: usize) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            limit,
            per_client,
        }
    }

    /// An empty share of nobody's.
    pub fn share(&self) -> Share {
        self.share_of(None)
    }

    /// An empty share of a client's, which has what its others left it; a first one may take all.
    pub fn share_of(&self, client: Option<ClientKey>) -> Share {
        Share {
            budget: self.clone(),
            client,
            bytes: 0,
        }
    }

    /// Bytes in use.
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn part(&self, client: ClientKey) -> MutexGuard<'_, HashMap<ClientKey, usize>> {
        let part = &self.clients[self.hasher.hash_one(client) as usize % PARTS];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes more; `false` (and nothing taken) if the budget, or the client's part of it, is used up.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let (shared, limit) = (&self.budget.shared, self.budget.limit);
        let before = shared.held.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > limit || !self.grow_of_client(bytes) {
            self.budget.shared.held.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }

    fn grow_of_client(&self, bytes: usize) -> bool {
        let Some(client) = self.client.filter(|_| bytes > 0) else {
            return true;
        };
        let mut part = self.budget.shared.part(client);
        let held = part.get(&client).copied().unwrap_or_default();
        let is_alone = held == self.bytes;
        if !is_alone && held.saturating_add(bytes) > self.budget.per_client {
            return false;
        }
        part.insert(client, held.saturating_add(bytes));
        true
    }

    /// Gives everything back.
    pub fn release(&mut self) {
        self.budget.shared.held.fetch_sub(self.bytes, Ordering::Relaxed);
        if let Some(client) = self.client
            && let Entry::Occupied(mut held) = self.budget.shared.part(client).entry(client)
        {
            *held.get_mut() = held.get().saturating_sub(self.bytes);
            if *held.get() == 0 {
                held.remove();
            }
        }
        self.bytes = 0;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_comes_back_when_its_request_ends() {
        let budget = BodyBudget::new(10, 10);
        let mut first = budget.share();
        assert!(first.grow(8));
        assert!(!budget.share().grow(3), "over the limit");
        assert_eq!(budget.held(), 8, "a refused growth takes nothing");
        drop(first);
        assert!(budget.share().grow(10));
    }

    #[test]
    fn one_client_leaves_room_for_others() {
        let budget = BodyBudget::new(100, 20);
        let of = |address: &str| {
            let client = ClientKey::from(address.parse::<std::net::IpAddr>().unwrap());
            budget.share_of(Some(client))
        };
        let mut first = of("192.0.2.1");
        assert!(
            first.grow(15) && first.grow(15),
            "a large body alone is one that a route takes"
        );
        assert!(!of("192.0.2.1").grow(1));
        let mut other = of("2001:db8::1");
        assert!(other.grow(15));
        assert!(!of("2001:db8::2").grow(6), "the /64 is one client");
        assert!(of("2001:db8::2").grow(5));
        assert_eq!(budget.held(), 45);
        drop(first);
        let (mut one, mut two) = (of("192.0.2.1"), of("192.0.2.1"));
        assert!(one.grow(10) && two.grow(10) && !two.grow(1));
        drop((one, two, other));
        let left = budget
            .shared
            .clients
            .iter()
            .map(|part| part.lock().unwrap().len());
        assert_eq!((left.sum::<usize>(), budget.held()), (0, 0));
    }
}
