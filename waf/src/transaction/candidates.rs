//! What of a request may match what: looked up, transformed and scanned when a group of links first asks.

use crate::plan::{CandidateAsk, CountAsk, GroupId, Index, Kind, ListId, SelectionId, Union, UnionId};
use crate::prefilter::Places;
use crate::variables::Origin;

use super::Facts;
use super::buffers::Derived;
use super::distinct::BufferId;
use super::named::Tx;
use super::values::{Value, Values};

/// What is known of the values of a request while a phase runs. The buffers stay over all phases.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    values: Values,
    /// Where in `bits` stands what the lasting values of a selection, and of a list, may match.
    open: Vec<u32>,
    open_lists: Vec<u32>,
    /// Where the candidates of all values that pass of a selection as they are begin in `bits`.
    raws: Vec<u32>,
    /// The same for unions, and for all unions of a group.
    unions: Vec<u32>,
    groups: Vec<u32>,
    bits: Vec<u64>,
    /// What the openings of phase 1 came to, as far as they have run; it stays over all transactions.
    openings: Vec<Opening>,
    /// Room for [`Self::meant`].
    meant: Vec<u32>,
}

/// What the rules of an opening came to.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) tx: Tx,
    /// The members that it has added or changed.
    pub(super) differences: Vec<usize>,
    /// The head that is next.
    pub(super) next: usize,
}

/// Candidates of several things together.
#[derive(Debug, Default)]
struct Sum {
    /// Where they begin.
    start: u32,
    /// They are not those of one of the things: more may be put there.
    is_own: bool,
}

/// Candidates that were not gathered yet.
const UNKNOWN: u32 = u32::MAX;

/// Where no candidates stand in `bits`: at its beginning.
const NOTHING: u32 = 0;

impl Candidates {
    /// Forgets the transaction's values; what is known of those that come again stays.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.bits.clear();
    }

    pub(super) fn opening(&self, number: usize) -> Option<&Opening> {
        self.openings.get(number)
    }

    /// Keeps what the next one of the openings came to.
    pub(super) fn keep_opening(&mut self, opening: Opening) {
        self.openings.push(opening);
    }

    /// Forgets what depends on facts that have come since the phase before.
    pub(super) fn begin_phase(&mut self, changed: Origin, index: &Index) {
        if changed == Origin::Head {
            self.bits.clear();
            self.bits.resize(index.most_words(), 0);
        }
        self.values.begin_phase(changed, index);
        let origins = index.origins();
        origins.selections.forget(&mut self.open, changed, UNKNOWN);
        origins.selections.forget(&mut self.raws, changed, UNKNOWN);
        origins.lists.forget(&mut self.open_lists, changed, UNKNOWN);
        origins.unions.forget(&mut self.unions, changed, UNKNOWN);
        origins.groups.forget(&mut self.groups, changed, UNKNOWN);
    }

    /// Whether some value may match what is asked. Once more than `limit` bytes are held, nothing more is looked
    /// up: any value may match.
    #[inline]
    pub(super) fn any(&mut self, ask: &CandidateAsk, index: &Index, facts: &Facts, limit: usize) -> bool {
        let (mut open, mut start) = (self.open_lists[ask.list], self.groups[ask.group]);
        if open == UNKNOWN || start == UNKNOWN {
            if self.held() > limit {
                return true;
            }
            open = self.open_list(ask.list, index, facts);
            start = self.gather(ask.group, index, facts);
        }
        has(&self.bits[open as usize..], ask.slot) || has(&self.bits[start as usize..], ask.slot)
    }

    /// Whether a link that asks for a number of values matches; `None` once too much is held.
    pub(super) fn counts(
        &mut self,
        ask: &CountAsk,
        index: &Index,
        facts: &Facts,
        limit: usize,
    ) -> Option<bool> {
        if !self.values.is_selected(ask.selection) && self.held() > limit {
            return None;
        }
        Some(ask.holds(self.values.select(ask.selection, index, facts).length()))
    }

    /// What the lasting values of a list may match.
    fn open_list(&mut self, list: ListId, index: &Index, facts: &Facts) -> u32 {
        if self.open_lists[list] != UNKNOWN {
            return self.open_lists[list];
        }
        let words = index.words(Kind::Request);
        let mut all = Sum::default();
        for selection in index.list(list) {
            let one = self.open(*selection, words, index, facts);
            self.add_to(&mut all, one, words);
        }
        self.open_lists[list] = all.start;
        all.start
    }

    /// What the lasting values of a selection may match.
    fn open(&mut self, selection: SelectionId, words: usize, index: &Index, facts: &Facts) -> u32 {
        if self.open[selection] != UNKNOWN {
            return self.open[selection];
        }
        let part = self.values.select(selection, index, facts);
        let mut start = NOTHING;
        for value in self.values.of(part) {
            let Some(open) = self.values.open(*value) else {
                continue;
            };
            if start == NOTHING {
                start = self.bits.len() as u32;
                self.bits.extend_from_slice(open);
                continue;
            }
            add(&mut self.bits[start as usize..][..words], open);
        }
        let start = self.or_nothing(start, index.asked(selection));
        self.open[selection] = start;
        start
    }

    /// Gathers the candidates of a group.
    #[inline(never)]
    fn gather(&mut self, group: GroupId, index: &Index, facts: &Facts) -> u32 {
        if self.groups[group] != UNKNOWN {
            return self.groups[group];
        }
        let shape = index.group(group);
        let words = index.words(shape.kind);
        let mut unions = shape.unions.iter();
        let first = unions.next().map(|union| self.unite(*union, index, facts));
        let mut all = first.unwrap_or(NOTHING);
        for union in unions {
            let other = self.unite(*union, index, facts);
            all = self.both(all, other, words);
        }
        self.groups[group] = all;
        all
    }

    /// Whether a value may match what is asked.
    #[inline]
    pub(super) fn one(&mut self, group: GroupId, slot: usize, value: Value, index: &Index) -> bool {
        let value = match value {
            Value::Lasting(value) => return has(self.values.lasting.open(value), slot),
            Value::Passing(value) => value,
        };
        let (group, buffers) = (index.group(group), &mut self.values.buffers);
        if group.kind == Kind::Request && !buffers.is_touched(value, group.cares_but_for_case) {
            return buffers.raw_has(value, slot, index);
        }
        group.nodes.iter().any(|node| {
            let derived = buffers.derive_but_for_case(value, *node, index);
            has(buffers.candidates(derived, group.kind, index), slot)
        })
    }

    /// Notes that a value does not match what is asked: a lasting one is not asked again.
    pub(super) fn deny(&mut self, value: Value, slot: usize) {
        if let Value::Lasting(value) = value {
            self.values.lasting.deny(value, slot);
        }
    }

    /// The places of the values of a selection that may match what is asked, ascending. The room for them is to be
    /// [given back](Self::give_back).
    pub(super) fn meant(
        &mut self,
        ask: &CandidateAsk,
        selection: SelectionId,
        index: &Index,
        facts: &Facts,
    ) -> Vec<u32> {
        let mut meant = std::mem::take(&mut self.meant);
        meant.clear();
        let part = self.values.select(selection, index, facts);
        for (place, at) in (0..).zip(part.places()) {
            if self.one(ask.group, ask.slot, self.values.at(at), index) {
                meant.push(place);
            }
        }
        meant
    }

    pub(super) fn give_back(&mut self, meant: Vec<u32>) {
        self.meant = meant;
    }

    /// The value of this place in a selection, which was looked up before.
    pub(super) fn value(&self, selection: SelectionId, place: usize) -> Option<Value> {
        self.values.in_selection(selection, place)
    }

    /// A value as the operator of the group is to see it.
    pub(super) fn transformed(&mut self, group: GroupId, value: Value, index: &Index) -> BufferId {
        let value = self.values.passing(value, index);
        self.values
            .buffers
            .derive(value, index.group(group).node, index)
            .buffer
    }

    pub(super) fn bytes(&self, buffer: BufferId) -> &[u8] {
        self.values.buffers.bytes(buffer)
    }

    /// Looks where in a buffer matches may start of what is asked.
    #[inline]
    pub(super) fn find_places(&mut self, ask: &CandidateAsk, buffer: BufferId, index: &Index) {
        let kind = index.group(ask.group).kind;
        self.values.buffers.find_places(buffer, kind, ask.slot, index);
    }

    /// What was found; `None` if the operator may as well be asked without.
    pub(super) fn places(&self, ask: &CandidateAsk, buffer: BufferId, index: &Index) -> Option<Places<'_>> {
        let kind = index.group(ask.group).kind;
        self.values.buffers.places(buffer, kind, ask.slot, index)
    }

    /// Bytes of memory that are held for values.
    pub(super) fn held(&self) -> usize {
        self.values.held() + size_of_val(&self.bits[..])
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
        let words = index.words(kind);
        let mut all = Sum::default();
        for selection in index.list(list) {
            let one = self.raw(*selection, kind, index, facts);
            self.add_to(&mut all, one, words);
        }
        all.start
    }

    /// The candidates of the values of a selection as they are.
    fn raw(&mut self, selection: SelectionId, kind: Kind, index: &Index, facts: &Facts) -> u32 {
        if self.raws[selection] != UNKNOWN {
            return self.raws[selection];
        }
        let part = self.values.select(selection, index, facts);
        let mut start = NOTHING;
        for place in part.places() {
            let Value::Passing(value) = self.values.at(place) else {
                continue;
            };
            if start == NOTHING {
                start = self.room_for(NOTHING, index.words(kind));
            }
            self.count_in(start, Derived::raw(value), kind, index);
        }
        let start = self.or_nothing(start, index.asked(selection));
        self.raws[selection] = start;
        start
    }

    /// The candidates at `raw`, and those of what a node makes of the values that it changes.
    fn unite_changed(&mut self, shape: Union, raw: u32, index: &Index, facts: &Facts) -> u32 {
        let part = self.values.list(shape.list, index, facts);
        let cares = index.node(shape.node).cares_but_for_case;
        if part.traits & cares == 0 {
            return raw;
        }
        let start = self.room_for(raw, index.words(shape.kind));
        let mut places = part.places();
        while let Some((place, value)) = self.values.touched(places.clone(), cares) {
            places.start = place + 1;
            let derived = self.values.buffers.derive(value, shape.node, index);
            if !derived.looks_like(value) {
                self.count_in(start, derived, shape.kind, index);
            }
        }
        start
    }

    #[inline]
    fn count_in(&mut self, start: u32, value: Derived, kind: Kind, index: &Index) {
        let found = self.values.buffers.candidates(value, kind, index);
        add(&mut self.bits[start as usize..], found);
    }

    /// The candidates that were put last, if any of them is asked.
    fn or_nothing(&mut self, start: u32, asked: &[u64]) -> u32 {
        let bits = self.bits[start as usize..].iter();
        if start != NOTHING && bits.zip(asked).all(|(bits, asked)| bits & asked == 0) {
            self.bits.truncate(start as usize);
            return NOTHING;
        }
        start
    }

    /// Room for candidates: at first those at `first`.
    fn room_for(&mut self, first: u32, words: usize) -> u32 {
        let start = self.bits.len();
        self.bits
            .extend_from_within(first as usize..first as usize + words);
        start as u32
    }

    /// Adds candidates to a sum.
    fn add_to(&mut self, sum: &mut Sum, one: u32, words: usize) {
        if one == NOTHING {
            return;
        }
        if !sum.is_own {
            sum.is_own = sum.start != NOTHING;
            sum.start = self.both(sum.start, one, words);
            return;
        }
        let of = |start: u32| start as usize..start as usize + words;
        match self.bits.get_disjoint_mut([of(sum.start), of(one)]) {
            Ok([all, one]) => add(all, one),
            // What is its own is nobody else's.
            Err(_) => sum.start = self.both(sum.start, one, words),
        }
    }

    /// The candidates of both.
    fn both(&mut self, one: u32, other: u32, words: usize) -> u32 {
        if one == NOTHING || other == NOTHING {
            return one.max(other);
        }
        let start = self.room_for(one, words);
        let (before, all) = self.bits.split_at_mut(start as usize);
        add(all, &before[other as usize..]);
        start
    }
}

#[inline]
fn add(all: &mut [u64], more: &[u64]) {
    for (all, more) in all.iter_mut().zip(more) {
        *all |= more;
    }
}

fn has(bits: &[u64], slot: usize) -> bool {
    bits.get(slot / 64)
        .is_some_and(|word| word >> (slot % 64) & 1 != 0)
}
