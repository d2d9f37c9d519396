//! What of a request may match what: looked up, transformed and scanned when a group of links first asks.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use crate::plan::{ByOrigin, GroupId, Index, Kind, ListId, SelectionId, Union, UnionId};
use crate::rule::{Selector, Target};
use crate::variables::{Origin, Variable, admits, visit_fact};

use super::Facts;
use super::buffers::{BufferId, Derived, Values};

/// What is known of the values of a request while a phase runs. The buffers stay over all phases.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    buffers: Values,
    /// The buffers of whole variables and of selections, in order.
    values: Vec<BufferId>,
    /// What transformations care about of each of them.
    traits: Vec<u64>,
    variables: Vec<Option<Part>>,
    selections: Vec<Option<Part>>,
    lists: Vec<Option<Part>>,
    /// Where the candidates of all values of a selection as they are begin in `bits`.
    raws: Vec<u32>,
    /// The same for unions, and for all unions of a group.
    unions: Vec<u32>,
    groups: Vec<u32>,
    bits: Vec<u64>,
}

/// A part of `values`.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: u32,
    end: u32,
    /// What transformations care about of any of them.
    traits: u64,
}

/// All variables.
static VARIABLES: LazyLock<ByOrigin> =
    LazyLock::new(|| ByOrigin::new(Variable::ALL.iter().map(|variable| variable.origin())));

/// Candidates that were not gathered yet.
const UNKNOWN: u32 = u32::MAX;

/// A value of more bytes is not worth keeping: it hardly comes again.
const LONGEST_LASTING: usize = 256;

/// Headers whose values come with request after request and are no secrets.
const LASTING_HEADERS: [&[u8]; 20] = [
    b"host",
    b"user-agent",
    b"accept",
    b"accept-encoding",
    b"accept-language",
    b"cache-control",
    b"connection",
    b"content-type",
    b"dnt",
    b"origin",
    b"pragma",
    b"priority",
    b"sec-ch-ua",
    b"sec-ch-ua-mobile",
    b"sec-ch-ua-platform",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"sec-fetch-user",
    b"upgrade-insecure-requests",
];

impl Candidates {
    /// Forgets the transaction's values; what is known of those that come again stays.
    pub(super) fn clear(&mut self) {
        self.buffers.clear();
        self.values.clear();
        self.traits.clear();
        self.bits.clear();
    }

    /// Forgets what depends on facts that have come since the phase before.
    pub(super) fn begin_phase(&mut self, changed: Origin, index: &Index) {
        if changed == Origin::Head {
            self.values.clear();
            self.traits.clear();
            self.bits.clear();
        }
        VARIABLES.forget(&mut self.variables, changed, None);
        let origins = index.origins();
        origins.selections.forget(&mut self.selections, changed, None);
        origins.selections.forget(&mut self.raws, changed, UNKNOWN);
        origins.lists.forget(&mut self.lists, changed, None);
        origins.unions.forget(&mut self.unions, changed, UNKNOWN);
        origins.groups.forget(&mut self.groups, changed, UNKNOWN);
    }

    /// Whether the operator may match some value of the group. Once more than `limit` bytes are held, nothing more
    /// is looked up: any value may match.
    #[inline]
    pub(super) fn any(
        &mut self,
        group: GroupId,
        slot: usize,
        index: &Index,
        facts: &Facts,
        limit: usize,
    ) -> bool {
        let mut start = self.groups[group];
        if start == UNKNOWN {
            if self.held() > limit {
                return true;
            }
            start = self.gather(group, index, facts);
        }
        has(&self.bits[start as usize..], slot)
    }

    /// Gathers the candidates of a group.
    #[inline(never)]
    fn gather(&mut self, group: GroupId, index: &Index, facts: &Facts) -> u32 {
        let shape = index.group(group);
        let words = index.scanner(shape.kind, None).words();
        let mut unions = shape.unions.iter();
        let first = unions.next().map(|union| self.unite(*union, index, facts));
        let mut all = first.unwrap_or_else(|| self.room_for(None, words));
        for union in unions {
            let other = self.unite(*union, index, facts);
            all = self.both(all, other, words);
        }
        self.groups[group] = all;
        all
    }

    /// Whether the operator may match the value of this place in a selection.
    pub(super) fn one(&mut self, group: GroupId, slot: usize, value: BufferId, index: &Index) -> bool {
        let group = index.group(group);
        group.nodes.iter().any(|node| {
            let derived = self
                .buffers
                .of_mut(value)
                .derive_but_for_case(value, *node, index);
            has(
                self.buffers.of_mut(value).candidates(derived, group.kind, index),
                slot,
            )
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
        self.buffers
            .of_mut(value)
            .derive(value, index.group(group).node, index)
            .buffer
    }

    pub(super) fn bytes(&self, buffer: BufferId) -> &[u8] {
        self.buffers.of(buffer).bytes(buffer)
    }

    /// Bytes of memory that are held for values.
    pub(super) fn held(&self) -> usize {
        self.buffers.held()
            + size_of_val(&self.values[..])
            + size_of_val(&self.traits[..])
            + size_of_val(&self.bits[..])
    }

    /// The candidates of a list behind a node. Values that the transformations leave alone are counted in
    /// with all values as they are: more candidates than there need be, and hardly anything to do.
    fn unite(&mut self, union: UnionId, index: &Index, facts: &Facts) -> u32 {
        if self.unions[union] != UNKNOWN {
            return self.unions[union];
        }
        let shape = *index.union(union);
        let start = if shape.raw == union {
            self.unite_raw(shape.list, shape.kind, index, facts)
        } else {
            let raw = self.unite(shape.raw, index, facts);
            self.unite_changed(shape, raw, index, facts)
        };
        self.unions[union] = start;
        start
    }

    /// The candidates of the values of a list as they are.
    fn unite_raw(&mut self, list: ListId, kind: Kind, index: &Index, facts: &Facts) -> u32 {
        let words = index.scanner(kind, None).words();
        let mut all = None;
        for selection in index.list(list) {
            let one = self.raw(*selection, kind, index, facts);
            all = Some(all.map_or(one, |all| self.both(all, one, words)));
        }
        all.unwrap_or_else(|| self.room_for(None, words))
    }

    /// The candidates of the values of a selection as they are.
    fn raw(&mut self, selection: SelectionId, kind: Kind, index: &Index, facts: &Facts) -> u32 {
        if self.raws[selection] != UNKNOWN {
            return self.raws[selection];
        }
        let part = self.select(selection, index, facts);
        let start = self.room_for(None, index.scanner(kind, None).words());
        for place in part.start..part.end {
            self.count_in(start, Derived::raw(self.values[place as usize]), kind, index);
        }
        self.raws[selection] = start;
        start
    }

    /// The candidates at `raw`, and those of what a node makes of the values that it changes.
    fn unite_changed(&mut self, shape: Union, raw: u32, index: &Index, facts: &Facts) -> u32 {
        let part = self.list(shape.list, index, facts);
        let cares = index.node(shape.node).cares_but_for_case;
        if part.traits & cares == 0 {
            return raw;
        }
        let start = self.room_for(Some(raw), index.scanner(shape.kind, None).words());
        for place in part.start..part.end {
            if self.traits[place as usize] & cares == 0 {
                continue;
            }
            let value = self.values[place as usize];
            let derived = self.buffers.of_mut(value).derive(value, shape.node, index);
            if !derived.looks_like(value) {
                self.count_in(start, derived, shape.kind, index);
            }
        }
        start
    }

    #[inline]
    fn count_in(&mut self, start: u32, value: Derived, kind: Kind, index: &Index) {
        let found = self.buffers.of_mut(value.buffer).candidates(value, kind, index);
        for (all, found) in self.bits[start as usize..].iter_mut().zip(found) {
            *all |= found;
        }
    }

    /// Room for candidates: those at `first`, or none.
    fn room_for(&mut self, first: Option<u32>, words: usize) -> u32 {
        let start = self.bits.len();
        match first {
            Some(first) => self
                .bits
                .extend_from_within(first as usize..first as usize + words),
            None => self.bits.resize(start + words, 0),
        }
        start as u32
    }

    /// The candidates of both.
    fn both(&mut self, one: u32, other: u32, words: usize) -> u32 {
        let start = self.room_for(Some(one), words);
        let (before, all) = self.bits.split_at_mut(start as usize);
        for (all, other) in all.iter_mut().zip(&before[other as usize..]) {
            *all |= other;
        }
        start
    }

    /// The distinct values of a list.
    fn list(&mut self, list: ListId, index: &Index, facts: &Facts) -> Part {
        if let Some(part) = self.lists[list] {
            return part;
        }
        let part = match index.list(list) {
            [selection] => self.select(*selection, index, facts),
            selections => {
                for selection in selections {
                    self.select(*selection, index, facts);
                }
                let start = self.values.len();
                self.buffers.begin_list();
                for part in selections
                    .iter()
                    .filter_map(|selection| self.selections[*selection])
                {
                    for place in part.start..part.end {
                        let value = self.values[place as usize];
                        if self.buffers.of_mut(value).note_on_list(value) {
                            self.values.push(value);
                        }
                    }
                }
                self.part(start)
            }
        };
        self.lists[list] = Some(part);
        part
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
        let start = self.values.len();
        let values = &mut self.values;
        let mut place = whole.start as usize;
        let _ = visit_fact(facts, target.variable, &mut |key, _| {
            if admits(target, &[], key) {
                values.push(values[place]);
            }
            place += 1;
            ControlFlow::Continue(())
        });
        self.part(start)
    }

    fn whole(&mut self, variable: Variable, index: &Index, facts: &Facts) -> Part {
        if let Some(part) = self.variables[variable as usize] {
            return part;
        }
        let start = self.values.len();
        let _ = visit_fact(facts, variable, &mut |key, value| {
            let lasts = value.len() <= LONGEST_LASTING && lasts(variable, key);
            let buffer = self.buffers.intern(value, lasts, index);
            self.values.push(buffer);
            ControlFlow::Continue(())
        });
        let part = self.part(start);
        self.variables[variable as usize] = Some(part);
        part
    }

    /// The values from this place on.
    fn part(&mut self, start: usize) -> Part {
        let buffers = &self.buffers;
        let traits = self.values[start..]
            .iter()
            .map(|value| buffers.of(*value).traits(*value));
        self.traits.extend(traits);
        Part {
            start: start as u32,
            end: self.values.len() as u32,
            traits: self.traits[start..].iter().fold(0, |all, traits| all | traits),
        }
    }
}

/// Whether the values of a variable come again with the next requests, and may be kept for them. A password or a
/// session's token is not kept, nor is what may hold one.
fn lasts(variable: Variable, key: Option<&[u8]>) -> bool {
    match variable {
        Variable::RequestMethod
        | Variable::RequestProtocol
        | Variable::RequestHeadersNames
        | Variable::RequestCookiesNames
        | Variable::ArgsNames
        | Variable::ArgsGetNames
        | Variable::ArgsPostNames => true,
        Variable::RequestHeaders => key.is_some_and(|key| {
            LASTING_HEADERS
                .iter()
                .any(|header| header.eq_ignore_ascii_case(key))
        }),
        _ => false,
    }
}

fn means_all(target: &Target) -> bool {
    matches!(target.selector, Selector::All) && target.exclusions.is_empty()
}

fn has(bits: &[u64], slot: usize) -> bool {
    bits.get(slot / 64)
        .is_some_and(|word| word >> (slot % 64) & 1 != 0)
}
