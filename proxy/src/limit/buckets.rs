//! The buckets of one limit, in memory that is bounded whatever comes.
//!
//! A table of sets with a small lock each; a key belongs to the set that a keyed hash gives it, and nobody outside knows
//! the key of that hash. A set holds [`WAYS`] buckets. A bucket that is full again is forgotten at no loss. Where a set
//! has none of these, the bucket that owes least gives way: so a flood of addresses pushes out its own newest buckets,
//! and whoever wants to lose a debt needs as many others in the same set that owe more than he does.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use super::{Decision, Quota};

/// Buckets in a set: enough that a table seldom forgets what it has room for, few enough to look through.
const WAYS: usize = 16;

/// Buckets by key.
pub struct Buckets {
    hasher: RandomState,
    sets: Box<[Mutex<Set>]>,
}

/// One place in a set: the hash of its key, and when the bucket is full (0: nobody's).
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    key: u64,
    full_at: u64,
}

type Set = [Bucket; WAYS];

impl Buckets {
    /// Room for so many buckets, 16 bytes each; rounded up to whole sets.
    pub fn new(capacity: usize, hasher: RandomState) -> Self {
        let sets = capacity.div_ceil(WAYS).max(1);
        Self {
            hasher,
            sets: (0..sets).map(|_| Mutex::default()).collect(),
        }
    }

    /// Charges one request at `now` to the bucket of `key`.
    pub fn charge(&self, quota: &Quota, key: impl Hash, now: u64) -> Decision {
        let hash = self.hasher.hash_one(key);
        // The remainder says which set, the quotient who in it: together they are the whole hash.
        let (index, key) = (hash as usize % self.sets.len(), hash / self.sets.len() as u64);
        let Some(set) = self.sets.get(index) else {
            // Not reached: there is a set for each remainder.
            return quota.charge(0, now).1;
        };
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        charge_in(&mut set, quota, key, now)
    }
}

/// Numbers of keys are nobody's business, and there are many.
impl std::fmt::Debug for Buckets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buckets({})", self.sets.len() * WAYS)
    }
}

fn charge_in(set: &mut Set, quota: &Quota, key: u64, now: u64) -> Decision {
    let known = set
        .iter()
        .position(|bucket| bucket.key == key && bucket.full_at > now);
    let place = match known {
        Some(place) => set.get_mut(place),
        None => set.iter_mut().min_by_key(|bucket| bucket.full_at),
    };
    let Some(bucket) = place else {
        return quota.charge(0, now).1;
    };
    let full_at = if known.is_some() { bucket.full_at } else { 0 };
    let (full_at, decision) = quota.charge(full_at, now);
    *bucket = Bucket { key, full_at };
    decision
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn quota(burst: u32) -> Quota {
        let burst = NonZeroU32::new(burst).unwrap();
        Quota::new(burst, Duration::from_secs(60), burst)
    }

    fn passes(buckets: &Buckets, quota: &Quota, key: impl Hash, now: u64) -> bool {
        matches!(buckets.charge(quota, key, now), Decision::Pass(_))
    }

    #[test]
    fn each_key_has_its_own_bucket() {
        let (buckets, quota) = (Buckets::new(4096, RandomState::new()), quota(2));
        for key in 0..500 {
            let passed: Vec<bool> = (0..3).map(|_| passes(&buckets, &quota, key, 5)).collect();
            assert_eq!(passed, [true, true, false], "{key}");
        }
    }

    #[test]
    fn capacity_is_a_bound() {
        assert_eq!(size_of::<Set>(), 256);
        for (capacity, sets) in [(0, 1), (1, 1), (16, 1), (17, 2), (65_536, 4096)] {
            assert_eq!(
                Buckets::new(capacity, RandomState::new()).sets.len(),
                sets,
                "{capacity}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// A flood of any size, each address with less than its whole quota, gives nobody back what he has used up.
        #[test]
        fn a_flood_of_addresses_resets_no_bucket(
            burst in 3u32..20, flood in 1usize..5000, each in 1u32..3, capacity in 1usize..256,
        ) {
            let (buckets, quota) = (Buckets::new(capacity, RandomState::new()), quota(burst));
            while passes(&buckets, &quota, "attacker", 0) {}
            for other in 0..flood {
                for _ in 0..each.min(burst - 1) {
                    buckets.charge(&quota, other, 1);
                }
            }
            prop_assert!(!passes(&buckets, &quota, "attacker", 2));
        }

        /// Where there is room for all, each key is served as if it were alone.
        #[test]
        fn within_its_capacity_a_table_forgets_nothing(
            moments in prop::collection::vec((0u8..8, 0u64..20_000_000_000), 1..300),
        ) {
            let (buckets, quota) = (Buckets::new(WAYS, RandomState::new()), quota(4));
            let mut alone = [0u64; 8];
            let mut now = 0;
            for (key, pause) in moments {
                now += pause;
                let (full_at, expected) = quota.charge(alone[usize::from(key)], now);
                alone[usize::from(key)] = full_at;
                prop_assert_eq!(buckets.charge(&quota, key, now), expected);
            }
        }
    }
}
