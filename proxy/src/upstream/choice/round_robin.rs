//! Smooth weighted round robin (as nginx does it): `a a b` with weights 2 and 1 is `a b a`, not `a a b`. The order is
//! computed once for each set of usable members and then only walked: no lock is on a request's way.

/// A schedule is no longer than this, whatever the weights: beyond it they are rounded.
const LONGEST: u64 = 2048;

/// Which members are usable, for the first 128 of them. It only tells whether a schedule is of today: members are
/// looked at again before one is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::upstream) struct Mask(u128);

/// The order of turns.
#[derive(Debug, Default)]
pub(in crate::upstream) struct Schedule {
    mask: Mask,
    order: Box<[u16]>,
}

impl Mask {
    /// With this member.
    pub(in crate::upstream) fn with(self, index: usize) -> Self {
        Self(
            self.0
                | 1_u128
                    .checked_shl(u32::try_from(index).unwrap_or(u32::MAX))
                    .unwrap_or(0),
        )
    }

    fn has(self, index: usize) -> bool {
        index >= 128 || self.0 & (1_u128 << index) != 0
    }
}

impl Schedule {
    /// The order of the members in `mask`, each as often as its share says.
    pub(in crate::upstream) fn new(shares: &[u32], mask: Mask) -> Self {
        let of = |(index, share): (usize, &u32)| if mask.has(index) { i64::from(*share) } else { 0 };
        let shares: Vec<i64> = shares.iter().enumerate().map(of).collect();
        let total: i64 = shares.iter().sum();
        let mut current = vec![0_i64; shares.len()];
        let mut order = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
        for _ in 0..total {
            current
                .iter_mut()
                .zip(&shares)
                .for_each(|(now, share)| *now += share);
            // The first of the greatest: equal shares go in the order of the configuration.
            let first = |best: Option<usize>, index: usize| match best {
                Some(best) if current[best] >= current[index] => Some(best),
                _ if shares[index] == 0 => best,
                _ => Some(index),
            };
            let Some(next) = (0..shares.len()).fold(None, first) else {
                break;
            };
            current[next] -= total;
            order.extend(u16::try_from(next));
        }
        Self {
            mask,
            order: order.into(),
        }
    }

    /// Whether it is that of these members.
    pub(in crate::upstream) fn is_of(&self, mask: Mask) -> bool {
        self.mask == mask
    }

    /// The members from `turn` on, once round.
    pub(in crate::upstream) fn from(&self, turn: usize) -> impl Iterator<Item = usize> {
        let count = self.order.len();
        (0..count).filter_map(move |step| {
            let at = turn.wrapping_add(step) % count.max(1);
            self.order.get(at).map(|index| usize::from(*index))
        })
    }
}

/// Whole shares for weights that are each spread over a number of members (the addresses of one backend): as small as
/// they can be, and not more than a schedule holds. One share for each member, in order.
pub(in crate::upstream) fn shares(weights: &[(u32, usize)]) -> Vec<u32> {
    let members = |(_, count): &&(u32, usize)| *count > 0;
    let common = weights.iter().filter(members).fold(1_u64, |common, (_, count)| {
        let count = *count as u64;
        // Beyond any sensible number of addresses exactness does not matter.
        (common / gcd(common, count))
            .saturating_mul(count)
            .min(LONGEST * LONGEST)
    });
    let each: Vec<u64> = weights
        .iter()
        .flat_map(|(weight, count)| {
            let share = u64::from(*weight).saturating_mul(common) / (*count as u64).max(1);
            std::iter::repeat_n(share, *count)
        })
        .collect();
    let divisor = each.iter().copied().fold(0, gcd).max(1);
    let total: u64 = each
        .iter()
        .map(|share| share / divisor)
        .fold(0, u64::saturating_add);
    let whole = |share: &u64| match share / divisor {
        0 => 0,
        share if total <= LONGEST => share,
        share => (u128::from(share) * u128::from(LONGEST) / u128::from(total)).max(1) as u64,
    };
    each.iter()
        .map(|share| u32::try_from(whole(share)).unwrap_or(u32::MAX))
        .collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    match b {
        0 => a,
        b => gcd(b, a % b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(count: usize) -> Mask {
        (0..count).fold(Mask::default(), Mask::with)
    }

    fn walk(shares: &[u32], mask: Mask) -> Vec<usize> {
        Schedule::new(shares, mask).from(0).collect()
    }

    #[test]
    fn turns_are_spread_evenly() {
        for (shares, expected) in [
            (&[1, 1, 1][..], &[0, 1, 2][..]),
            (&[2, 1], &[0, 1, 0]),
            (&[5, 1, 1], &[0, 0, 1, 0, 2, 0, 0]),
            (&[0, 1], &[1]),
            (&[1], &[0]),
            (&[], &[]),
            (&[0, 0], &[]),
        ] {
            assert_eq!(walk(shares, all(shares.len())), expected, "{shares:?}");
        }
    }

    #[test]
    fn the_turns_of_one_that_is_down_are_spread_over_the_others() {
        let mask = Mask::default().with(0).with(2);
        assert_eq!(walk(&[1, 1, 1], mask), [0, 2]);
        assert_eq!(walk(&[2, 4, 1], mask), [0, 2, 0]);
    }

    #[test]
    fn a_walk_begins_anywhere_and_goes_once_round() {
        let schedule = Schedule::new(&[1, 1, 1], all(3));
        assert_eq!(schedule.from(1).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(schedule.from(usize::MAX).count(), 3);
        assert_eq!(Schedule::default().from(7).count(), 0);
    }

    #[test]
    fn shares_are_whole_small_and_true_to_weights() {
        for (weights, expected) in [
            (&[(1, 1), (1, 1)][..], &[1, 1][..]),
            (&[(10, 1), (30, 1)], &[1, 3]),
            // Three addresses of one backend have together what the other has alone.
            (&[(1, 3), (1, 1)], &[1, 1, 1, 3]),
            (&[(1, 2), (1, 3)], &[3, 3, 2, 2, 2]),
            (&[(0, 1), (5, 1)], &[0, 1]),
            (&[(1, 0), (5, 1)], &[1]),
            (&[(0, 2)], &[0, 0]),
            (&[], &[]),
        ] {
            assert_eq!(shares(weights), expected, "{weights:?}");
        }
    }

    #[test]
    fn a_schedule_stays_short_and_nobody_is_left_out() {
        let many = shares(&[(1_000_000, 1), (999_999, 1), (1, 1)]);
        let total: u64 = many.iter().map(|share| u64::from(*share)).sum();
        assert!(total <= LONGEST + 3, "{total}");
        assert_eq!(many[2], 1);
        let crowd = shares(&[(7, 97), (11, 89), (13, 83)]);
        assert!(crowd.iter().all(|share| *share > 0));
    }
}
