//! Which links need only look at candidates, and where: what links share is found once, at load.
//!
//! Links that look at the same values through the same transformations form a group. What a request holds for a
//! group is looked up, transformed and scanned in parts that groups share (selections, lists of them, unions of what a
//! transformation makes of a list); a link tests one bit.

use std::sync::Arc;

use super::scanners::{Kind, Scanners};
use crate::operators::Comparison;
use crate::prefilter::{ByteSet, Finder, Scanner, Sought};
use crate::rule::Target;
use crate::transformations::{Transformation, is_touched_anyway};
use crate::variables::Origin;

/// How a link asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Each value, one by one.
    Plain,
    /// Only values for which the operator is a candidate.
    Candidates(CandidateAsk),
    /// A member of `TX`, compared with a number: most of the rules that steer others.
    Number(NumberAsk),
    /// How many values there are, compared with a number.
    Count(CountAsk),
}

/// Where the candidates of a link stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CandidateAsk {
    pub(crate) group: GroupId,
    /// That of the group.
    pub(crate) list: ListId,
    /// The bit of what is asked.
    pub(crate) slot: usize,
}

/// `&REQUEST_HEADERS:Host "@eq 0"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CountAsk {
    /// What is counted.
    pub(crate) selection: SelectionId,
    pub(crate) comparison: Comparison,
    pub(crate) number: i64,
    pub(crate) negated: bool,
}

impl CountAsk {
    /// Whether the link matches if there are as many values.
    #[inline]
    pub(crate) fn holds(&self, count: usize) -> bool {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.comparison.holds(count, self.number) != self.negated
    }
}

/// `TX:name "@lt 2"`, or `&TX:name "@eq 0"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberAsk {
    /// Which of [`Index::tx_names`].
    pub(crate) name: usize,
    /// The number of members is asked for.
    pub(crate) count: bool,
    pub(crate) comparison: Comparison,
    pub(crate) number: i64,
    pub(crate) negated: bool,
}

impl NumberAsk {
    /// Whether the link matches if this is the member's value as a number.
    #[inline]
    pub(crate) fn holds(&self, value: Option<i64>) -> bool {
        let value = match (self.count, value) {
            (true, value) => i64::from(value.is_some()),
            (false, Some(value)) => value,
            (false, None) => return false,
        };
        self.comparison.holds(value, self.number) != self.negated
    }
}

pub(crate) type GroupId = usize;
pub(crate) type SelectionId = usize;
pub(crate) type ListId = usize;
pub(crate) type NodeId = usize;
pub(crate) type UnionId = usize;

/// The bit that every value has.
pub(super) const ANY_VALUE: u64 = 1 << 63;

/// The value as it is.
pub(crate) const RAW: NodeId = 0;

/// What links of a rule set share.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// No other index of the process has it, nor will.
    pub(super) id: u64,
    pub(super) selections: Vec<Target>,
    pub(super) lists: Vec<Vec<SelectionId>>,
    pub(super) nodes: Vec<Node>,
    /// What some transformation cares about; their places are bits.
    pub(super) touches: Vec<ByteSet>,
    /// All of it.
    pub(super) touched: ByteSet,
    pub(super) unions: Vec<Union>,
    pub(super) groups: Vec<Group>,
    pub(super) scanners: Arc<Scanners>,
    /// Of a set of candidates, by kind.
    pub(super) words: [usize; 2],
    pub(super) tx_names: Vec<Vec<u8>>,
    pub(super) origins: Origins,
    /// What values are asked behind each node that is scanned, all links together.
    pub(super) shares: Vec<Share>,
    /// What the values of each selection are asked, all links together.
    pub(super) asked: Vec<Vec<u64>>,
}

/// The latest of what the values come from.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    pub(crate) selections: ByOrigin,
    pub(crate) lists: ByOrigin,
    pub(crate) unions: ByOrigin,
    pub(crate) groups: ByOrigin,
}

/// Some things by what they come from: at most some of them change when a request goes on.
#[derive(Debug, Default)]
pub(crate) struct ByOrigin {
    pub(crate) length: usize,
    /// Those of the body or of what comes later.
    body: Vec<usize>,
    /// Those of what comes later than the body.
    response: Vec<usize>,
}

impl ByOrigin {
    pub(crate) fn new(origins: impl Iterator<Item = Origin> + Clone) -> Self {
        let since = |first: Origin| {
            let places = origins.clone().enumerate().filter(|(_, origin)| *origin >= first);
            places.map(|(place, _)| place).collect()
        };
        Self {
            length: origins.clone().count(),
            body: since(Origin::Body),
            response: since(Origin::Response),
        }
    }

    /// Forgets in a list with a place for each thing what comes from what has changed.
    pub(crate) fn forget<T: Copy>(&self, list: &mut Vec<T>, changed: Origin, unknown: T) {
        let places = match changed {
            Origin::Head => {
                list.clear();
                &[]
            }
            Origin::Body => &self.body[..],
            Origin::Response => &self.response[..],
        };
        for place in places {
            if let Some(known) = list.get_mut(*place) {
                *known = unknown;
            }
        }
        list.resize(self.length, unknown);
    }
}

/// A transformation behind others: transformations form a tree whose root is the value as it is.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: NodeId,
    pub(crate) transformation: Option<Transformation>,
    /// The node of this transformation alone.
    pub(crate) alone: NodeId,
    /// All transformations from the root to here are the identity on a value whose [`Index::traits`] share no
    /// bit with this.
    pub(crate) cares: u64,
    /// The same, but for the case of letters.
    pub(crate) cares_but_for_case: u64,
}

/// All values of some selections, and what transformations make of them, scanned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Union {
    pub(crate) list: ListId,
    pub(crate) node: NodeId,
    pub(crate) kind: Kind,
    /// The same values as they are.
    pub(crate) raw: UnionId,
}

/// What is asked of a request's values behind a node.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) node: NodeId,
    pub(crate) slots: Vec<u64>,
}

/// The same values, the same transformations.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) list: ListId,
    /// What is scanned: one node, or with `multiMatch` all of them.
    pub(crate) nodes: Vec<NodeId>,
    /// The list with each node.
    pub(crate) unions: Vec<UnionId>,
    /// What the operator is asked with.
    pub(crate) node: NodeId,
    pub(crate) multi_match: bool,
    pub(crate) kind: Kind,
    /// No node changes more than the case of a value whose [`Index::traits`] share no bit with this.
    pub(crate) cares_but_for_case: u64,
}

impl Index {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The members of `TX` that are compared with numbers, in small letters.
    pub(crate) fn tx_names(&self) -> &[Vec<u8>] {
        &self.tx_names
    }

    pub(crate) fn selection(&self, id: SelectionId) -> &Target {
        &self.selections[id]
    }

    /// What the values of a selection are asked: a bit for each thing.
    pub(crate) fn asked(&self, id: SelectionId) -> &[u64] {
        self.asked.get(id).map_or(&[], |slots| slots)
    }

    /// The selections of a list: those of a link's targets, in their order.
    pub(crate) fn list(&self, id: ListId) -> &[SelectionId] {
        &self.lists[id]
    }

    pub(crate) fn union(&self, id: UnionId) -> &Union {
        &self.unions[id]
    }

    pub(crate) fn group(&self, id: GroupId) -> &Group {
        &self.groups[id]
    }

    /// What the values of selections, lists, unions and groups come from.
    pub(crate) fn origins(&self) -> &Origins {
        &self.origins
    }

    pub(crate) fn shares(&self) -> &[Share] {
        &self.shares
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A bit for each thing that some transformation cares about and the value has.
    pub(crate) fn traits(&self, value: &[u8], present: &ByteSet) -> u64 {
        if is_touched_anyway(value) {
            return u64::MAX;
        }
        if !self.touched.intersects(present) {
            return ANY_VALUE;
        }
        let touches = self.touches.iter().enumerate();
        touches.fold(ANY_VALUE, |traits, (place, touch)| {
            traits | u64::from(touch.intersects(present)) << place.min(62)
        })
    }

    /// Words of a set of candidates.
    #[inline]
    pub(crate) fn words(&self, kind: Kind) -> usize {
        self.words[kind as usize]
    }

    /// Words of the longest set of candidates.
    pub(crate) fn most_words(&self) -> usize {
        self.words[0].max(self.words[1])
    }

    /// The scanner for values that this transformation has changed last; of whole variables, or of others.
    /// Of the matches of what is asked, among all that [`Self::starts`] finds.
    #[inline]
    pub(crate) fn sought(&self, kind: Kind, slot: usize) -> Option<Sought> {
        self.scanners.sought(kind, slot)
    }

    /// Where matches may start.
    pub(crate) fn starts(&self) -> &Finder {
        self.scanners.starts()
    }

    pub(crate) fn scanner(&self, kind: Kind, whole: bool, change: Option<Transformation>) -> &Scanner {
        self.scanners.scanner(kind, whole, change)
    }
}

impl Origins {
    pub(super) fn of(index: &Index) -> Self {
        let selections = index.selections.iter();
        let selections: Vec<_> = selections.map(|target| target.variable.origin()).collect();
        let latest = |list: &Vec<SelectionId>| list.iter().map(|id| selections[*id]).max();
        let lists = index
            .lists
            .iter()
            .map(|list| latest(list).unwrap_or(Origin::Head));
        let lists: Vec<_> = lists.collect();
        Self {
            unions: ByOrigin::new(index.unions.iter().map(|union| lists[union.list])),
            groups: ByOrigin::new(index.groups.iter().map(|group| lists[group.list])),
            selections: ByOrigin::new(selections.iter().copied()),
            lists: ByOrigin::new(lists.iter().copied()),
        }
    }
}
