//! The memory that bodies under inspection may hold together, over all requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A shared budget, in bytes.
#[derive(Debug, Clone)]
pub struct BodyBudget {
    held: Arc<AtomicUsize>,
    limit: usize,
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: BodyBudget,
    bytes: usize,
}

impl BodyBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            held: Arc::new(AtomicUsize::new(0)),
            limit,
        }
    }

    /// The same bytes in use, under another limit: for a reload.
    pub fn with_limit(&self, limit: usize) -> Self {
        Self {
            held: Arc::clone(&self.held),
            limit,
        }
    }

    /// An empty share.
    pub fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            bytes: 0,
        }
    }

    /// Bytes in use.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

impl Share {
    /// Takes more; `false` (and nothing taken) if the budget is used up.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let before = self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.limit {
            self.budget.held.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Share {
    /// Gives everything back.
    pub fn release(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
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
        let budget = BodyBudget::new(10);
        let mut first = budget.share();
        assert!(first.grow(8));
        assert!(!budget.share().grow(3), "over the limit");
        assert_eq!(budget.held(), 8, "a refused growth takes nothing");
        drop(first);
        assert!(budget.share().grow(10));
    }
}
