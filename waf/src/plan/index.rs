//! Which links need only look at candidates, and where: what links share is found once, at load.
//!
//! Links that look at the same values through the same transformations form a group. What a request holds for a
//! group is looked up, transformed and scanned in parts that groups share (selections, lists of them, unions of what a
//! transformation makes of a list); a link tests one bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::scanners::{Kind, Scanners, kind_of, without_case};
use crate::operators::Comparison;
use crate::prefilter::{ByteSet, Scanner};
use crate::rule::{Link, Question, Rule, Selector, Target};
use crate::transformations::{Transformation, is_touched_anyway};
use crate::variables::{Origin, Variable};

/// How a link asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Each value, one by one.
    Plain,
    /// Only values for which the operator is a candidate.
    Candidates {
        /// Where the candidates stand.
        group: GroupId,
        /// The operator's bit.
        slot: usize,
    },
    /// A member of `TX`, compared with a number: most of the rules that steer others.
    Number(NumberAsk),
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
const ANY_VALUE: u64 = 1 << 63;

/// The value as it is.
pub(crate) const RAW: NodeId = 0;

/// What links of a rule set share.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// No other index of the process has it, nor will.
    id: u64,
    selections: Vec<Target>,
    lists: Vec<Vec<SelectionId>>,
    nodes: Vec<Node>,
    /// What some transformation cares about; their places are bits.
    touches: Vec<ByteSet>,
    unions: Vec<Union>,
    groups: Vec<Group>,
    scanners: Arc<Scanners>,
    tx_names: Vec<Vec<u8>>,
    origins: Origins,
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
}

/// Gathers an [`Index`].
#[derive(Debug)]
pub(super) struct IndexBuilder {
    index: Index,
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
        let touches = self.touches.iter().enumerate();
        touches.fold(ANY_VALUE, |traits, (place, touch)| {
            traits | u64::from(touch.intersects(present)) << place.min(62)
        })
    }

    /// The scanner for values that this transformation has changed last.
    pub(crate) fn scanner(&self, kind: Kind, change: Option<Transformation>) -> &Scanner {
        self.scanners.scanner(kind, change)
    }
}

impl Origins {
    fn of(index: &Index) -> Self {
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

impl IndexBuilder {
    pub(super) fn new(scanners: Arc<Scanners>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let root = Node {
            parent: RAW,
            transformation: None,
            alone: RAW,
            cares: 0,
            cares_but_for_case: 0,
        };
        Self {
            index: Index {
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                nodes: vec![root],
                scanners,
                ..Index::default()
            },
        }
    }

    pub(super) fn add(&mut self, rule: &Rule) -> Box<[Ask]> {
        rule.links.iter().map(|link| self.ask(link)).collect()
    }

    pub(super) fn finish(self) -> Index {
        let mut index = self.index;
        index.origins = Origins::of(&index);
        index
    }

    fn ask(&mut self, link: &Link) -> Ask {
        let Some(question) = &link.question else {
            return Ask::Plain;
        };
        if let Some(ask) = self.number(link, question) {
            return Ask::Number(ask);
        }
        let Some(kind) = kind_of(question) else {
            return Ask::Plain;
        };
        let Some(slot) = self.index.scanners.slot(kind, &question.operator) else {
            return Ask::Plain;
        };
        let group = self.group(question, link.actions.multi_match, kind);
        Ask::Candidates { group, slot }
    }

    fn number(&mut self, link: &Link, question: &Question) -> Option<NumberAsk> {
        let (comparison, number) = question.operator.comparison()?;
        let [target] = question.targets.as_slice() else {
            return None;
        };
        let Selector::Key(name) = &target.selector else {
            return None;
        };
        let is_plain = target.variable == Variable::Tx
            && target.exclusions.is_empty()
            && question.transformations.is_empty()
            && !link.actions.multi_match
            // Captures, which are no members like others.
            && !matches!(name.as_slice(), [b'0'..=b'9']);
        is_plain.then(|| NumberAsk {
            name: place(&mut self.index.tx_names, name.to_ascii_lowercase()),
            count: target.count,
            comparison,
            number,
            negated: question.negated,
        })
    }

    fn group(&mut self, question: &Question, multi_match: bool, kind: Kind) -> GroupId {
        let selections = question.targets.iter().map(|target| self.selection(target));
        let selections: Vec<_> = selections.collect();
        let list = place(&mut self.index.lists, selections);
        let node = self
            .chain(&question.transformations)
            .last()
            .copied()
            .unwrap_or(RAW);
        let mut nodes = self.chain(without_case(&question.transformations));
        if !multi_match {
            nodes.drain(..nodes.len() - 1);
        }
        let unions = nodes.iter().map(|node| self.union(list, *node, kind)).collect();
        let group = Group {
            list,
            unions,
            nodes,
            node,
            multi_match,
            kind,
        };
        place(&mut self.index.groups, group)
    }

    fn union(&mut self, list: ListId, node: NodeId, kind: Kind) -> UnionId {
        let raw = if node == RAW {
            self.index.unions.len()
        } else {
            self.union(list, RAW, kind)
        };
        let unions = &mut self.index.unions;
        let known = unions
            .iter()
            .position(|known| (known.list, known.node, known.kind) == (list, node, kind));
        known.unwrap_or_else(|| {
            unions.push(Union {
                list,
                node,
                kind,
                raw,
            });
            unions.len() - 1
        })
    }

    fn selection(&mut self, target: &Target) -> SelectionId {
        place(&mut self.index.selections, target.clone())
    }

    /// The nodes of the transformations, from the root on.
    fn chain(&mut self, transformations: &[Transformation]) -> Vec<NodeId> {
        let mut chain = vec![RAW];
        let mut node = RAW;
        for transformation in transformations {
            node = self.child(node, *transformation);
            chain.push(node);
        }
        chain
    }

    fn child(&mut self, parent: NodeId, transformation: Transformation) -> NodeId {
        let mut nodes = self.index.nodes.iter();
        let known =
            nodes.position(|node| node.parent == parent && node.transformation == Some(transformation));
        known.unwrap_or_else(|| {
            let alone = (parent != RAW).then(|| self.child(RAW, transformation));
            let (cares, but_for_case) = self.cares(transformation);
            let before = &self.index.nodes[parent];
            let node = Node {
                parent,
                transformation: Some(transformation),
                alone: alone.unwrap_or(self.index.nodes.len()),
                cares: before.cares | cares,
                cares_but_for_case: before.cares_but_for_case | but_for_case,
            };
            self.index.nodes.push(node);
            self.index.nodes.len() - 1
        })
    }

    fn cares(&mut self, transformation: Transformation) -> (u64, u64) {
        let Some(touched) = transformation.touches() else {
            return (ANY_VALUE, ANY_VALUE);
        };
        let folds = matches!(
            transformation,
            Transformation::Lowercase | Transformation::CmdLine
        );
        let capitals = if folds {
            ByteSet::range(b'A', b'Z')
        } else {
            ByteSet::EMPTY
        };
        let but_for_case = touched.intersection(capitals.complement());
        (self.bit(touched), self.bit(but_for_case))
    }

    fn bit(&mut self, touched: ByteSet) -> u64 {
        // There are fewer kinds of them than bits.
        1 << place(&mut self.index.touches, touched).min(62)
    }
}

/// Where the thing stands in the list, put behind it if it is new.
fn place<T: PartialEq>(list: &mut Vec<T>, thing: T) -> usize {
    let known = list.iter().position(|known| *known == thing);
    known.unwrap_or_else(|| {
        list.push(thing);
        list.len() - 1
    })
}
