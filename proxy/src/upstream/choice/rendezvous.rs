//! Consistent hashing as highest random weight (Thaler and Ravishankar 1998): each member gets a score from the key
//! and itself, and the highest wins. When a member goes, only its own keys move, over all others by weight; when one
//! comes, it takes only what is its own. A ring or a Maglev table moves more and needs a table; what they save, a walk
//! over all members, is some nanoseconds for each. (docs/decisions/0023-choosing-backends.md)

use sha2::{Digest, Sha256};

/// A member that may be chosen.
#[derive(Debug, Clone, Copy)]
pub(in crate::upstream) struct Seeded {
    /// Its index.
    pub(in crate::upstream) index: usize,
    /// Its weight; more than 0.
    pub(in crate::upstream) weight: f64,
    /// What [`seed`] says of it.
    pub(in crate::upstream) seed: u64,
}

/// What tells a member from others: the same in every process.
pub(in crate::upstream) fn seed(name: &str) -> u64 {
    key(name.as_bytes())
}

/// What tells a key from others: the same in every process, and nothing that a client could aim with.
pub fn key(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let hash = Sha256::digest(bytes);
    first
        .iter_mut()
        .zip(hash)
        .for_each(|(byte, hashed)| *byte = hashed);
    u64::from_be_bytes(first)
}

/// The member with the highest score.
pub(in crate::upstream) fn highest(candidates: impl Iterator<Item = Seeded>, key: u64) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for candidate in candidates {
        // In (0, 1): -ln is exponential, and the one with the shortest wait for its weight is first.
        let uniform = ((mix(key ^ candidate.seed) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        let score = candidate.weight / -uniform.ln();
        if best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, candidate.index));
        }
    }
    best.map(|(_, index)| index)
}

/// SplitMix64's finalizer (Steele, Lea and Flood 2014): each bit of the sum is that of a coin.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u32 = 20_000;

    fn place(members: &[(&str, f64)], number: u32) -> Option<String> {
        let candidates = members.iter().enumerate().map(|(index, (name, weight))| Seeded {
            index,
            weight: *weight,
            seed: seed(name),
        });
        highest(candidates, key(&number.to_be_bytes())).map(|index| members[index].0.to_owned())
    }

    fn count(members: &[(&str, f64)], name: &str) -> usize {
        (0..KEYS)
            .filter(|number| place(members, *number).as_deref() == Some(name))
            .count()
    }

    #[test]
    fn keys_are_spread_by_weight() {
        let members = [("a", 1.0), ("b", 1.0), ("c", 2.0)];
        for (name, expected) in [("a", 5_000), ("b", 5_000), ("c", 10_000)] {
            let count = count(&members, name);
            assert!(count.abs_diff(expected) < 300, "{name}: {count}");
        }
    }

    #[test]
    fn when_a_member_goes_only_its_own_keys_move_and_they_come_back() {
        let before = [("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", 1.0)];
        let after = [("a", 1.0), ("b", 1.0), ("d", 1.0)];
        let mut gained = std::collections::BTreeMap::new();
        for number in 0..KEYS {
            let (was, is) = (place(&before, number), place(&after, number));
            match was.as_deref() {
                Some("c") => *gained.entry(is).or_insert(0_usize) += 1,
                _ => assert_eq!(was, is),
            }
        }
        // What it had is spread over all others.
        assert!(
            gained.values().all(|count| count.abs_diff(1_667) < 200),
            "{gained:?}"
        );
        // The same members in another order: nothing moves.
        let turned = [("d", 1.0), ("b", 1.0), ("a", 1.0)];
        assert!((0..KEYS).all(|number| place(&turned, number) == place(&after, number)));
    }

    #[test]
    fn a_new_weight_moves_no_more_than_it_must() {
        let (before, after) = ([("a", 1.0), ("b", 1.0)], [("a", 1.0), ("b", 3.0)]);
        let moved: Vec<_> = (0..KEYS)
            .filter(|number| place(&before, *number) != place(&after, *number))
            .collect();
        assert!(moved.len().abs_diff(5_000) < 300, "{}", moved.len());
        assert!(
            moved
                .iter()
                .all(|number| place(&after, *number).as_deref() == Some("b"))
        );
    }

    #[test]
    fn a_key_is_the_same_in_every_process() {
        assert_eq!(key(b""), 0xe3b0_c442_98fc_1c14);
    }
}
