//! How many requests of a route may be tried again: a share of all. When everything fails, retries would double the
//! load of what is left. Pure.

use std::sync::atomic::{AtomicU32, Ordering};

/// Retries that may come at once, after enough requests that needed none.
const MOST: u32 = 10;
/// What one retry costs, in hundredths of a request.
const COST: u32 = 100;

/// The budget of one route; it begins full.
#[derive(Debug)]
pub struct RetryBudget {
    /// In percent of a retry.
    left: AtomicU32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            left: AtomicU32::new(MOST * COST),
        }
    }
}

impl RetryBudget {
    /// One more request: `percent` of a retry more.
    pub fn request(&self, percent: u8) {
        // Read first: the line stays shared between cores while the budget is full, which it mostly is.
        let left = self.left.load(Ordering::Relaxed);
        if left < MOST * COST {
            self.left.fetch_add(u32::from(percent), Ordering::Relaxed);
        }
    }

    /// One retry, if the budget has it.
    pub fn retry(&self) -> bool {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(COST)
            });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_requests() {
        let budget = RetryBudget::default();
        let at_once = (0..100).filter(|_| budget.retry()).count();
        assert_eq!(at_once, 10);
        let later = (0..1_000)
            .filter(|_| {
                budget.request(20);
                budget.retry()
            })
            .count();
        assert_eq!(later, 200);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let budget = RetryBudget::default();
        (0..1_000_000).for_each(|_| budget.request(100));
        assert!((10..=11).contains(&(0..100).filter(|_| budget.retry()).count()));
    }

    #[test]
    fn none_at_all() {
        let budget = RetryBudget::default();
        while budget.retry() {}
        budget.request(0);
        assert!(!budget.retry());
    }
}
