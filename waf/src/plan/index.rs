//! Which links need only look at candidates, and where: what links share is found once, at load.
//!
//! Links that look at the same values through the same transformations form a group. What a request holds for
//! a group is looked up, transformed and scanned once; the links of the group then test a bit each.

use std::collections::HashMap;
use std::sync::Arc;

use crate::operators::Operator;
use crate::prefilter::{ByteSet, Scanner, ScannerBuilder};
use crate::rule::{Link, Question, Rule, Target};
use crate::transformations::Transformation;
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

/// The value as it is.
pub(crate) const RAW: NodeId = 0;

/// What links of a rule set share.
#[derive(Debug, Default)]
pub(crate) struct Index {
    selections: Vec<Target>,
    nodes: Vec<Node>,
    unions: Vec<Union>,
    groups: Vec<Group>,
    scanners: Vec<Scanner>,
}

/// A transformation behind others: transformations form a tree whose root is the value as it is.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: NodeId,
    pub(crate) transformation: Option<Transformation>,
    /// All transformations from the root to here are the identity on a value without these bytes; `None` if
    /// nothing is known.
    pub(crate) touched: Option<ByteSet>,
}

/// Some values and what transformations make of them, scanned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Union {
    pub(crate) selection: SelectionId,
    pub(crate) node: NodeId,
    pub(crate) scanner: usize,
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
    pub(crate) scanner: usize,
}

/// Gathers an [`Index`].
#[derive(Debug)]
pub(super) struct IndexBuilder {
    index: Index,
    builders: [ScannerBuilder; 2],
    /// The operators by their address: each is held by a rule of the plan.
    slots: HashMap<(usize, *const Operator), usize>,
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

    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn scanner(&self, place: usize) -> &Scanner {
        &self.scanners[place]
    }
}

impl IndexBuilder {
    pub(super) fn new() -> Self {
        let index = Index {
            nodes: vec![Node {
                parent: RAW,
                transformation: None,
                touched: Some(ByteSet::EMPTY),
            }],
            ..Index::default()
        };
        Self {
            index,
            builders: Default::default(),
            slots: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, rule: &Rule) -> Box<[Ask]> {
        rule.links.iter().map(|link| self.ask(link)).collect()
    }

    pub(super) fn finish(mut self) -> Index {
        self.index.scanners = self.builders.into_iter().map(ScannerBuilder::build).collect();
        self.index
    }

    fn ask(&mut self, link: &Link) -> Ask {
        let Some(question) = &link.question else {
            return Ask::Plain;
        };
        let Some(scanner) = scanner_of(question) else {
            return Ask::Plain;
        };
        let Some(slot) = self.slot(scanner, &question.operator) else {
            return Ask::Plain;
        };
        let group = self.group(question, link.actions.multi_match, scanner);
        Ask::Candidates { group, slot }
    }

    fn slot(&mut self, scanner: usize, operator: &Arc<Operator>) -> Option<usize> {
        let key = (scanner, Arc::as_ptr(operator));
        if let Some(slot) = self.slots.get(&key) {
            return Some(*slot);
        }
        let slot = self.builders[scanner].add(operator.requirement()?);
        self.slots.insert(key, slot);
        Some(slot)
    }

    fn group(&mut self, question: &Question, multi_match: bool, scanner: usize) -> GroupId {
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
            unions.extend(nodes.iter().map(|node| self.union(*selection, *node, scanner)));
        }
        let group = Group {
            selections,
            unions,
            nodes,
            node,
            multi_match,
            scanner,
        };
        place(&mut self.index.groups, group)
    }

    fn union(&mut self, selection: SelectionId, node: NodeId, scanner: usize) -> UnionId {
        let raw = if node == RAW {
            self.index.unions.len()
        } else {
            self.union(selection, RAW, scanner)
        };
        let unions = &mut self.index.unions;
        let known = unions
            .iter()
            .position(|known| (known.selection, known.node, known.scanner) == (selection, node, scanner));
        known.unwrap_or_else(|| {
            unions.push(Union {
                selection,
                node,
                scanner,
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
        let nodes = &mut self.index.nodes;
        let known = nodes
            .iter()
            .position(|node| node.parent == parent && node.transformation == Some(transformation));
        known.unwrap_or_else(|| {
            let before = nodes[parent].touched;
            nodes.push(Node {
                parent,
                transformation: Some(transformation),
                touched: before.zip(transformation.touches()).map(|(a, b)| a.union(b)),
            });
            nodes.len() - 1
        })
    }

    /// Scanning does not tell capitals from small letters: what differs in them alone is scanned once.
    fn without_case(&self, mut node: NodeId) -> NodeId {
        while self.index.nodes[node].transformation == Some(Transformation::Lowercase) {
            node = self.index.nodes[node].parent;
        }
        node
    }
}

/// Which scanner is to answer; `None` if values have to be asked one by one. The rules for responses look for
/// other things in other places: requests are not to pay for them.
fn scanner_of(question: &Question) -> Option<usize> {
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
