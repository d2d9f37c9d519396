//! Least requests, by the power of two choices: of two members that chance picks the less busy one. Asking all would
//! send everybody to the same one at once; asking two is nearly as good as knowing all (Mitzenmacher 2001).

/// A member that may be chosen.
#[derive(Debug, Clone, Copy)]
pub(in crate::upstream) struct Busy {
    /// Its index.
    pub(in crate::upstream) index: usize,
    /// Its weight; more than 0.
    pub(in crate::upstream) weight: f64,
    /// Requests it has in flight.
    pub(in crate::upstream) busy: usize,
}

/// The less busy of two, for their weights. Chance picks by weight too: while all are idle, shares are as weights say.
/// `random` gives 64 random bits.
pub(in crate::upstream) fn least_of_two(
    candidates: impl Iterator<Item = Busy> + Clone,
    mut random: impl FnMut() -> u64,
) -> Option<usize> {
    let first = sample(candidates.clone(), random())?;
    let others = candidates.filter(|other| other.index != first.index);
    let Some(second) = sample(others, random()) else {
        return Some(first.index);
    };
    let load = |of: Busy| of.busy as f64 / of.weight;
    match load(second) < load(first) {
        true => Some(second.index),
        false => Some(first.index),
    }
}

fn sample(candidates: impl Iterator<Item = Busy> + Clone, random: u64) -> Option<Busy> {
    let total: f64 = candidates.clone().map(|candidate| candidate.weight).sum();
    // 53 bits are what a float holds.
    let mut left = (random >> 11) as f64 / (1_u64 << 53) as f64 * total;
    let mut last = None;
    for candidate in candidates {
        left -= candidate.weight;
        last = Some(candidate);
        if left < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngCore, SeedableRng};

    use super::*;

    fn picks(members: &[(f64, usize)], count: usize) -> Vec<usize> {
        let mut random = StdRng::seed_from_u64(7);
        let mut picked = vec![0; members.len()];
        for _ in 0..count {
            let candidates = members.iter().enumerate().map(|(index, (weight, busy))| Busy {
                index,
                weight: *weight,
                busy: *busy,
            });
            if let Some(index) = least_of_two(candidates, || random.next_u64()) {
                picked[index] += 1;
            }
        }
        picked
    }

    #[test]
    fn idle_members_get_what_their_weights_say() {
        let picked = picks(&[(1.0, 0), (3.0, 0)], 10_000);
        assert!((2_300..2_700).contains(&picked[0]), "{picked:?}");
    }

    #[test]
    fn the_busiest_is_never_chosen_and_the_idlest_most() {
        let picked = picks(&[(1.0, 9), (1.0, 5), (1.0, 0)], 9_000);
        assert_eq!(picked[0], 0, "{picked:?}");
        // Two of three pairs hold the idle one.
        assert!((5_700..6_300).contains(&picked[2]), "{picked:?}");
    }

    #[test]
    fn a_heavier_one_may_be_busier() {
        assert_eq!(picks(&[(4.0, 7), (1.0, 2)], 1_000)[1], 0);
        assert_eq!(picks(&[(4.0, 9), (1.0, 2)], 1_000)[0], 0);
    }

    #[test]
    fn one_is_chosen_and_none_is_none() {
        assert_eq!(picks(&[(1.0, 99)], 3), [3]);
        assert_eq!(least_of_two(std::iter::empty(), || 0), None);
    }
}
