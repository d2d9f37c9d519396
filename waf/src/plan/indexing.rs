//! How an [`Index`] is made: what links share is found once, at load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::index::{
    ANY_VALUE, Ask, CandidateAsk, CountAsk, Group, GroupId, Index, ListId, Node, NodeId, NumberAsk, Origins,
    RAW, SelectionId, Share, Union, UnionId,
};
use super::scanners::{Asked, Kind, Scanners, without_case};
use crate::prefilter::ByteSet;
use crate::rule::{Link, Question, Rule, Selector, Target};
use crate::transformations::Transformation;
use crate::variables::{Origin, Variable};

/// Gathers an [`Index`].
#[derive(Debug)]
pub(super) struct IndexBuilder {
    index: Index,
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
                words: [Kind::Request, Kind::Response]
                    .map(|kind| scanners.scanner(kind, false, None).words()),
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
        let touches = index.touches.iter();
        index.touched = touches.fold(ByteSet::EMPTY, |all, touched| all.union(*touched));
        index
    }

    fn ask(&mut self, link: &Link) -> Ask {
        let Some(question) = &link.question else {
            return Ask::Plain;
        };
        let number = self.number(link, question).map(Ask::Number);
        number
            .or_else(|| self.count(link, question).map(Ask::Count))
            .or_else(|| self.candidates(link, question).map(Ask::Candidates))
            .unwrap_or(Ask::Plain)
    }

    fn candidates(&mut self, link: &Link, question: &Question) -> Option<CandidateAsk> {
        let asked = Asked::of(link)?;
        let slot = self.index.scanners.slot(&asked)?;
        let group = self.group(question, link.actions.multi_match, asked.kind);
        if asked.kind == Kind::Request {
            for place in 0..self.index.groups[group].nodes.len() {
                self.share(self.index.groups[group].nodes[place], slot);
            }
        }
        let list = self.index.groups[group].list;
        for place in 0..self.index.lists[list].len() {
            self.ask_of(self.index.lists[list][place], asked.kind, slot);
        }
        Some(CandidateAsk { group, list, slot })
    }

    fn ask_of(&mut self, selection: SelectionId, kind: Kind, slot: usize) {
        let words = self.index.words(kind);
        let asked = &mut self.index.asked;
        asked.resize_with(asked.len().max(selection + 1), Vec::new);
        asked[selection].resize(words, 0);
        asked[selection][slot / 64] |= 1 << (slot % 64);
    }

    fn share(&mut self, node: NodeId, slot: usize) {
        let words = self.index.words(Kind::Request);
        let shares = &mut self.index.shares;
        let known = shares.iter().position(|share| share.node == node);
        let place = known.unwrap_or_else(|| {
            let slots = vec![0; words];
            shares.push(Share { node, slots });
            shares.len() - 1
        });
        shares[place].slots[slot / 64] |= 1 << (slot % 64);
    }

    /// Only what is there from the head on and does not change: bodies come in between.
    fn count(&mut self, link: &Link, question: &Question) -> Option<CountAsk> {
        let (comparison, number) = question.operator.comparison()?;
        let [target] = question.targets.as_slice() else {
            return None;
        };
        let is_plain = target.count
            && target.variable.origin() == Origin::Head
            && question.transformations.is_empty()
            && !link.actions.multi_match;
        is_plain.then(|| CountAsk {
            selection: self.selection(&Target {
                count: false,
                ..target.clone()
            }),
            comparison,
            number,
            negated: question.negated,
        })
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
        let cares = nodes
            .iter()
            .map(|node| self.index.nodes[*node].cares_but_for_case);
        let group = Group {
            cares_but_for_case: cares.fold(0, |all, cares| all | cares),
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
