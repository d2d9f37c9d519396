//! Groups of windows: each has its bit in the table of pairs, and is looked for behind its gate alone.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use super::super::ByteSet;
use super::super::classes::{CLASSES, COMMONNESS, PAIRS, class, pair};
use super::{Atom, Key};

/// Literals of other gates, and those that have none, share the last one.
pub(super) const GATES: usize = 3;

/// For each gate the groups of windows of two bytes, of three, and of four.
pub(super) const GROUPS: [[Range<u32>; 3]; GATES] =
    [[0..1, 3..4, 7..10], [1..2, 4..5, 10..12], [2..3, 5..7, 12..16]];

pub(super) const TWO: u32 = mask(0..3);
pub(super) const THREE: u32 = mask(3..7);
pub(super) const FOUR: u32 = mask(7..16);

/// The table of pairs.
pub(super) fn grouped(windows: &[(Key, Atom, usize)]) -> Box<[u32; PAIRS]> {
    let mut all = GROUPS.map(|groups| groups.map(Groups::new));
    for (key, _, gate) in windows {
        let [first, second, third, fourth] = (*key as u32).to_le_bytes().map(class);
        let begins = pair(first, second);
        let [two, three, four] = &mut all[*gate];
        match key >> 32 {
            2 => two.add(begins, 0..PAIRS),
            3 => three.add(begins, pair(third, 0)..pair(third, 0) + CLASSES),
            _ => four.add(begins, pair(third, fourth)..pair(third, fourth) + 1),
        }
    }
    let mut pairs = Box::new([0; PAIRS]);
    for groups in all.into_iter().flatten() {
        groups.spread(&mut pairs);
    }
    pairs
}

/// The gate that most literals have, all others that are closed in ordinary values, and the open one.
pub(super) fn gates_of(literals: &[(&[u8], ByteSet)]) -> [ByteSet; GATES] {
    let mut counts: BTreeMap<ByteSet, usize> = BTreeMap::new();
    for (_, gate) in literals.iter().filter(|(_, gate)| *gate != ByteSet::ALL) {
        *counts.entry(*gate).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(_, count)| **count);
    let most = most.map_or(ByteSet::EMPTY, |(gate, _)| *gate);
    let others = counts.keys().fold(ByteSet::EMPTY, |all, gate| all.union(*gate));
    [most, others, ByteSet::ALL]
}

/// The bits of some groups.
pub(super) const fn mask(groups: Range<u32>) -> u32 {
    (1 << groups.end) - (1 << groups.start)
}

/// Windows of one length by what they begin with. A group's first and second pairs go together in any way: groups are to
/// have few of either.
struct Groups {
    groups: Range<u32>,
    /// The second pairs of each first one.
    firsts: BTreeMap<usize, Vec<Range<usize>>>,
}

/// What a group has so far.
struct Group {
    bit: u32,
    /// How common its first pairs are, and its second ones.
    first: f64,
    second: f64,
    seconds: Vec<bool>,
}

impl Groups {
    fn new(groups: Range<u32>) -> Self {
        Self {
            groups,
            firsts: BTreeMap::new(),
        }
    }

    fn add(&mut self, first: usize, second: Range<usize>) {
        self.firsts.entry(first).or_default().push(second);
    }

    /// Puts each first pair with its second ones into the group where that adds least to what is met in vain; those with
    /// most of them first.
    fn spread(self, pairs: &mut [u32; PAIRS]) {
        let mut firsts: Vec<_> = self.firsts.into_iter().collect();
        firsts.sort_by_key(|(first, seconds)| (Reverse(seconds.len()), *first));
        let groups = self.groups.map(|group| Group {
            bit: 1 << group,
            first: 0.0,
            second: 0.0,
            seconds: vec![false; PAIRS],
        });
        let mut groups: Vec<_> = groups.collect();
        for (first, seconds) in firsts {
            // With one group there is nothing to choose.
            let best = match groups.len() {
                1 => Some(0),
                count => (0..count).min_by(|one, other| {
                    let [one, other] = [one, other].map(|place| groups[*place].growth(first, &seconds));
                    one.total_cmp(&other)
                }),
            };
            let Some(group) = best.and_then(|place| groups.get_mut(place)) else {
                return;
            };
            group.first += COMMONNESS[first];
            pairs[first] |= group.bit;
            for pair in seconds.into_iter().flatten() {
                if !std::mem::replace(&mut group.seconds[pair], true) {
                    group.second += COMMONNESS[pair];
                    pairs[pair] |= group.bit << 16;
                }
            }
        }
    }
}

impl Group {
    /// How much more would be met in vain with these pairs.
    fn growth(&self, first: usize, seconds: &[Range<usize>]) -> f64 {
        let new = seconds
            .iter()
            .cloned()
            .flatten()
            .filter(|pair| !self.seconds[*pair]);
        let second = self.second + new.map(|pair| COMMONNESS[pair]).sum::<f64>();
        (self.first + COMMONNESS[first]) * second - self.first * self.second
    }
}
