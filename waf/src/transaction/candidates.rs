//! What of a request may match what: looked up, transformed and scanned when a group of links first asks.

use std::cell::RefCell;
use std::ops::ControlFlow;

use crate::plan::{GroupId, Index, SelectionId, UnionId};
use crate::rule::{Selector, Target};
use crate::variables::{Variable, admits, visit_fact};

use super::Facts;
use super::buffers::{BufferId, Buffers};

/// What is known of the values of a request while a phase runs. The buffers stay over all phases.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    buffers: Buffers,
    /// The buffers of whole variables and of selections, in order.
    values: Vec<BufferId>,
    variables: Vec<Option<Part>>,
    selections: Vec<Option<Part>>,
    /// Where the candidates of all values of a union together begin in `bits`.
    unions: Vec<Option<u32>>,
    bits: Vec<u64>,
}

/// A part of `values`.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: u32,
    end: u32,
}

thread_local! {
    /// Rooms of transactions that have ended: most transactions allocate none.
    static ROOMS: RefCell<Vec<Candidates>> = const { RefCell::new(Vec::new()) };
}

/// Rooms that a thread keeps: more than it has transactions waiting for a body at a time.
const KEPT_ROOMS: usize = 32;

/// A room that grew beyond this was for an unusual request; it is not kept.
const KEPT_BYTES: usize = 256 * 1024;

impl Candidates {
    /// An empty room: one that was used before, if there is one.
    pub(super) fn room() -> Self {
        ROOMS.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    /// Keeps the room for another transaction.
    pub(super) fn give_back(mut self) {
        if self.held() > KEPT_BYTES {
            return;
        }
        self.buffers.clear();
        ROOMS.with_borrow_mut(|rooms| {
            if rooms.len() < KEPT_ROOMS {
                rooms.push(self);
            }
        });
    }

    /// Forgets what depends on the facts: they have changed.
    pub(super) fn begin_phase(&mut self, index: &Index) {
        self.values.clear();
        self.bits.clear();
        renew(&mut self.variables, Variable::ALL.len());
        renew(&mut self.selections, index.selections());
        renew(&mut self.unions, index.unions());
    }

    /// Whether the operator may match some value of the group.
    #[inline]
    pub(super) fn any(&mut self, group: GroupId, slot: usize, index: &Index, facts: &Facts) -> bool {
        index.group(group).unions.iter().any(|union| {
            let start = self.unions[*union].unwrap_or_else(|| self.unite(*union, index, facts));
            has(&self.bits[start as usize..], slot)
        })
    }

    /// Whether the operator may match the value of this place in a selection.
    pub(super) fn one(&mut self, group: GroupId, slot: usize, value: BufferId, index: &Index) -> bool {
        let group = index.group(group);
        group.nodes.iter().any(|node| {
            let derived = self.buffers.derive_but_for_case(value, *node, index);
            has(self.buffers.candidates(derived, group.kind, index), slot)
        })
    }

    /// Whether the operator may match some value of a selection.
    pub(super) fn in_selection(
        &mut self,
        group: GroupId,
        slot: usize,
        selection: SelectionId,
        index: &Index,
        facts: &Facts,
    ) -> bool {
        let part = self.select(selection, index, facts);
        (part.start..part.end).any(|place| {
            let value = self.values[place as usize];
            self.one(group, slot, value, index)
        })
    }

    /// The value of this place in a selection, which was gathered before.
    pub(super) fn value(&self, selection: SelectionId, place: usize) -> Option<BufferId> {
        let part = self.selections[selection]?;
        self.values[part.start as usize..part.end as usize]
            .get(place)
            .copied()
    }

    /// A value as the operator of the group is to see it.
    pub(super) fn transformed(&mut self, group: GroupId, value: BufferId, index: &Index) -> BufferId {
        self.buffers.derive(value, index.group(group).node, index).buffer
    }

    pub(super) fn bytes(&self, buffer: BufferId) -> &[u8] {
        self.buffers.bytes(buffer)
    }

    /// Bytes of memory that are held for values.
    pub(super) fn held(&self) -> usize {
        self.buffers.held()
    }

    /// The candidates of a selection behind a node. Values that the transformations leave alone are counted in
    /// with all values as they are: more candidates than there need be, and hardly anything to do.
    fn unite(&mut self, union: UnionId, index: &Index, facts: &Facts) -> u32 {
        if let Some(start) = self.unions[union] {
            return start;
        }
        let shape = *index.union(union);
        let raw = (shape.raw != union).then(|| self.unite(shape.raw, index, facts));
        let part = self.select(shape.selection, index, facts);
        let (words, cares) = (
            index.scanner(shape.kind, None).words(),
            index.node(shape.node).cares_but_for_case,
        );
        let start = self.bits.len();
        self.bits.resize(start + words, 0);
        if let Some(raw) = raw {
            self.add(start, raw as usize, words);
        }
        for place in part.start..part.end {
            let value = self.values[place as usize];
            if raw.is_some() && !self.buffers.is_touched(value, cares) {
                continue;
            }
            let derived = self.buffers.derive(value, shape.node, index);
            if raw.is_some() && derived.looks_like(value) {
                continue;
            }
            let found = self.buffers.candidates(derived, shape.kind, index);
            for (all, found) in self.bits[start..].iter_mut().zip(found) {
                *all |= found;
            }
        }
        self.unions[union] = Some(start as u32);
        start as u32
    }

    fn add(&mut self, start: usize, other: usize, words: usize) {
        for word in 0..words {
            self.bits[start + word] |= self.bits[other + word];
        }
    }

    fn select(&mut self, selection: SelectionId, index: &Index, facts: &Facts) -> Part {
        if let Some(part) = self.selections[selection] {
            return part;
        }
        let target = index.selection(selection);
        let whole = self.whole(target.variable, index, facts);
        let part = if means_all(target) {
            whole
        } else {
            self.narrowed(target, whole, facts)
        };
        self.selections[selection] = Some(part);
        part
    }

    /// The values of a variable that a target means. Both walks go the same way: what a target means is told
    /// by the walk that rules take, the buffers by their places.
    fn narrowed(&mut self, target: &Target, whole: Part, facts: &Facts) -> Part {
        let start = self.values.len() as u32;
        let values = &mut self.values;
        let mut place = whole.start as usize;
        let _ = visit_fact(facts, target.variable, &mut |key, _| {
            if admits(target, &[], key) {
                values.push(values[place]);
            }
            place += 1;
            ControlFlow::Continue(())
        });
        Part {
            start,
            end: self.values.len() as u32,
        }
    }

    fn whole(&mut self, variable: Variable, index: &Index, facts: &Facts) -> Part {
        if let Some(part) = self.variables[variable as usize] {
            return part;
        }
        let start = self.values.len() as u32;
        let _ = visit_fact(facts, variable, &mut |_, value| {
            let buffer = self.buffers.intern(value, index);
            self.values.push(buffer);
            ControlFlow::Continue(())
        });
        let part = Part {
            start,
            end: self.values.len() as u32,
        };
        self.variables[variable as usize] = Some(part);
        part
    }
}

fn means_all(target: &Target) -> bool {
    matches!(target.selector, Selector::All) && target.exclusions.is_empty()
}

fn has(bits: &[u64], slot: usize) -> bool {
    bits.get(slot / 64)
        .is_some_and(|word| word >> (slot % 64) & 1 != 0)
}

fn renew<T: Clone>(list: &mut Vec<Option<T>>, length: usize) {
    list.clear();
    list.resize(length, None);
}
