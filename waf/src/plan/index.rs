//! Which links need only look at candidates, and where: what links share is found once, at load.
//!
//! Links that look at the same values through the same transformations form a group. What a request holds for
//! a group is looked up, transformed and scanned once; the links of the group then test a bit each.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::operators::Operator;
use crate::prefilter::{ByteSet, Scanner, ScannerBuilder};
use crate::rule::{Link, Question, Rule, Target};
use crate::transformations::{Transformation, is_touched_anyway};
use crate::variables::{Variable, changes_while_rules_run};

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

/// Whether a scanner is for requests (0) or for responses (1): their rules look for other things in other places.
pub(crate) type Kind = usize;

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
    /// By kind and by the transformation that changed a value last: for values as they are, all operators, for
    /// others those that are asked behind such a transformation.
    scanners: [Vec<Scanner>; 2],
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
    builders: [ScannerBuilder; 2],
    /// The operators by their address: each is held by a rule of the plan.
    slots: HashMap<(Kind, *const Operator), usize>,
    /// Which operators are asked with what a node makes of values.
    members: BTreeSet<(Kind, NodeId, usize)>,
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
        &self.scanners[kind][change.map_or(0, |change| 1 + change as usize)]
    }
}

impl IndexBuilder {
    pub(super) fn new() -> Self {
        let index = Index {
            nodes: vec![Node {
                parent: RAW,
                transformation: None,
                cares: 0,
                cares_but_for_case: 0,
            }],
            ..Index::default()
        };
        Self {
            index,
            builders: Default::default(),
            slots: HashMap::new(),
            members: BTreeSet::new(),
        }
    }

    pub(super) fn add(&mut self, rule: &Rule) -> Box<[Ask]> {
        rule.links.iter().map(|link| self.ask(link)).collect()
    }

    pub(super) fn finish(mut self) -> Index {
        self.index.scanners = [0, 1].map(|kind| self.scanners(kind));
        self.index
    }

    fn scanners(&self, kind: Kind) -> Vec<Scanner> {
        let changes = std::iter::once(None).chain(Transformation::ALL.iter().copied().map(Some));
        changes
            .map(|change| self.builders[kind].build(&self.behind(kind, change)))
            .collect()
    }

    /// The operators that are asked with values which this transformation may have changed last.
    fn behind(&self, kind: Kind, change: Option<Transformation>) -> BTreeSet<usize> {
        let members = self.members.iter();
        let members =
            members.filter(|(its_kind, node, _)| *its_kind == kind && self.is_behind(*node, change));
        members.map(|(.., slot)| *slot).collect()
    }

    fn is_behind(&self, node: NodeId, change: Option<Transformation>) -> bool {
        let step = &self.index.nodes[node];
        change.is_none()
            || step.transformation == change
            || (node != RAW && self.is_behind(step.parent, change))
    }

    fn ask(&mut self, link: &Link) -> Ask {
        let Some(question) = &link.question else {
            return Ask::Plain;
        };
        let Some(kind) = kind_of(question) else {
            return Ask::Plain;
        };
        let Some(slot) = self.slot(kind, &question.operator) else {
            return Ask::Plain;
        };
        let group = self.group(question, link.actions.multi_match, kind);
        let nodes = &self.index.groups[group].nodes;
        self.members.extend(nodes.iter().map(|node| (kind, *node, slot)));
        Ask::Candidates { group, slot }
    }

    fn slot(&mut self, kind: Kind, operator: &Arc<Operator>) -> Option<usize> {
        let key = (kind, Arc::as_ptr(operator));
        if let Some(slot) = self.slots.get(&key) {
            return Some(*slot);
        }
        let slot = self.builders[kind].add(operator.requirement()?);
        self.slots.insert(key, slot);
        Some(slot)
    }

    fn group(&mut self, question: &Question, multi_match: bool, kind: Kind) -> GroupId {
        let selections = question.targets.iter().map(|target| self.selection(target));
        let selections: Vec<_> = selections.collect();
        let chain = self.chain(&question.transformations);
        let node = chain.last().copied().unwrap_or(RAW);
        let nodes = if multi_match { chain } else { vec![node] };
        let mut nodes: Vec<_> = nodes.into_iter().map(|node| self.without_case(node)).collect();
        nodes.sort_unstable();
        nodes.dedup();
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

    /// Scanning does not tell capitals from small letters: what differs in them alone is scanned once.
    fn without_case(&self, mut node: NodeId) -> NodeId {
        while self.index.nodes[node].transformation == Some(Transformation::Lowercase) {
            node = self.index.nodes[node].parent;
        }
        node
    }
}

/// Which kind of scanner is to answer; `None` if values have to be asked one by one.
fn kind_of(question: &Question) -> Option<Kind> {
    let indexed = !question.negated
        && question
            .targets
            .iter()
            .all(|target| !target.count && !changes_while_rules_run(target.variable));
    let responses = question
        .targets
        .iter()
        .filter(|target| is_response(target.variable));
    match responses.count() {
        _ if !indexed => None,
        0 => Some(0),
        count if count == question.targets.len() => Some(1),
        _ => None,
    }
}

fn is_response(variable: Variable) -> bool {
    variable.name().starts_with("RESPONSE_") || variable == Variable::StatusLine
}

/// Where the thing stands in the list, put behind it if it is new.
fn place<T: PartialEq>(list: &mut Vec<T>, thing: T) -> usize {
    let known = list.iter().position(|known| *known == thing);
    known.unwrap_or_else(|| {
        list.push(thing);
        list.len() - 1
    })
}
