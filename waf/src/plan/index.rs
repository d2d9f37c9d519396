//! Which links need only look at candidates, and where: what links share is found once, at load.
//!
//! Links that look at the same values through the same transformations form a group. What a request holds for a
//! group is looked up, transformed and scanned in parts that groups share (unions); a link tests a bit in each.

use std::sync::Arc;

use super::scanners::{Kind, Scanners, kind_of, without_case};
use crate::prefilter::{ByteSet, Scanner};
use crate::rule::{Link, Question, Rule, Target};
use crate::transformations::{Transformation, is_touched_anyway};

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
}

pub(crate) type GroupId = usize;
pub(crate) type SelectionId = usize;
pub(crate) type NodeId = usize;
pub(crate) type UnionId = usize;

/// The bit that every value has.
const ANY_VALUE: u64 = 1 << 63;

/// The value as it is.
pub(crate) const RAW: NodeId = 0;

/// What links of a rule set share.
#[derive(Debug, Default)]
pub(crate) struct Index {
    selections: Vec<Target>,
    nodes: Vec<Node>,
    /// What some transformation cares about; their places are bits.
    touches: Vec<ByteSet>,
    unions: Vec<Union>,
    groups: Vec<Group>,
    scanners: Arc<Scanners>,
}

/// A transformation behind others: transformations form a tree whose root is the value as it is.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: NodeId,
    pub(crate) transformation: Option<Transformation>,
    /// All transformations from the root to here are the identity on a value whose [`Index::traits`] share no
    /// bit with this.
    pub(crate) cares: u64,
    /// The same, but for the case of letters.
    pub(crate) cares_but_for_case: u64,
}

/// Some values and what transformations make of them, scanned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Union {
    pub(crate) selection: SelectionId,
    pub(crate) node: NodeId,
    pub(crate) kind: Kind,
    /// The same values as they are.
    pub(crate) raw: UnionId,
}

/// The same values, the same transformations.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) selections: Vec<SelectionId>,
    /// What is scanned: one node, or with `multiMatch` all of them.
    pub(crate) nodes: Vec<NodeId>,
    /// Each selection with each node.
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
    pub(crate) fn selection(&self, id: SelectionId) -> &Target {
        &self.selections[id]
    }

    pub(crate) fn selections(&self) -> usize {
        self.selections.len()
    }

    pub(crate) fn union(&self, id: UnionId) -> &Union {
        &self.unions[id]
    }

    pub(crate) fn unions(&self) -> usize {
        self.unions.len()
    }

    pub(crate) fn group(&self, id: GroupId) -> &Group {
        &self.groups[id]
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

impl IndexBuilder {
    pub(super) fn new(scanners: Arc<Scanners>) -> Self {
        let root = Node {
            parent: RAW,
            transformation: None,
            cares: 0,
            cares_but_for_case: 0,
        };
        Self {
            index: Index {
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
        self.index
    }

    fn ask(&mut self, link: &Link) -> Ask {
        let Some(question) = &link.question else {
            return Ask::Plain;
        };
        let Some(kind) = kind_of(question) else {
            return Ask::Plain;
        };
        let Some(slot) = self.index.scanners.slot(kind, &question.operator) else {
            return Ask::Plain;
        };
        let group = self.group(question, link.actions.multi_match, kind);
        Ask::Candidates { group, slot }
    }

    fn group(&mut self, question: &Question, multi_match: bool, kind: Kind) -> GroupId {
        let selections = question.targets.iter().map(|target| self.selection(target));
        let selections: Vec<_> = selections.collect();
        let node = self
            .chain(&question.transformations)
            .last()
            .copied()
            .unwrap_or(RAW);
        let mut nodes = self.chain(without_case(&question.transformations));
        if !multi_match {
            nodes.drain(..nodes.len() - 1);
        }
        let mut unions = Vec::new();
        for selection in &selections {
            unions.extend(nodes.iter().map(|node| self.union(*selection, *node, kind)));
        }
        let group = Group {
            selections,
            unions,
            nodes,
            node,
            multi_match,
            kind,
        };
        place(&mut self.index.groups, group)
    }

    fn union(&mut self, selection: SelectionId, node: NodeId, kind: Kind) -> UnionId {
        let raw = if node == RAW {
            self.index.unions.len()
        } else {
            self.union(selection, RAW, kind)
        };
        let unions = &mut self.index.unions;
        let known = unions
            .iter()
            .position(|known| (known.selection, known.node, known.kind) == (selection, node, kind));
        known.unwrap_or_else(|| {
            unions.push(Union {
                selection,
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
            let (cares, but_for_case) = self.cares(transformation);
            let before = &self.index.nodes[parent];
            let node = Node {
                parent,
                transformation: Some(transformation),
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
