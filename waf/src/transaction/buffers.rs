//! The values of a request and what transformations made of them, each distinct one once.

use std::borrow::Cow;

use super::distinct::{BufferId, Distinct};
use crate::plan::{Index, Kind, NodeId};
use crate::prefilter::{ByteSet, Place, Places, Room};
use crate::transformations::Transformation;

/// What is not known yet.
const UNKNOWN: u32 = u32::MAX;

/// Matches may start at too many places to look at each.
const EVERYWHERE: (u32, u32) = (UNKNOWN, UNKNOWN);

/// Bytes of a value for which it is worth knowing where matches may start.
const WORTH_PLACES: usize = 32;

/// The values of a transaction and what was made of them; the same bytes are the same buffer.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    distinct: Distinct,
    entries: Vec<Entry>,
    /// For entries with a row: what each node of the index makes of them.
    derived: Vec<Derived>,
    /// What was scanned; those of one buffer form a list.
    scans: Vec<Scan>,
    candidates: Vec<u64>,
    /// Where matches may start in the values of which that was asked.
    places: Vec<Place>,
    /// The list of buffers that is being made.
    list: u32,
    room: Room,
}

/// What transformations made of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Derived {
    pub(super) buffer: BufferId,
    /// What to scan instead: the same but for the case of letters, which scanners do not tell.
    scanned: BufferId,
    /// What changed that last; `None` for a value as it is.
    change: Option<Transformation>,
}

/// A buffer as a scanner saw it.
#[derive(Debug, Clone, Copy)]
struct Scan {
    kind: Kind,
    change: Option<Transformation>,
    /// Where its candidates begin.
    start: u32,
    /// The next scan of the same buffer.
    next: u32,
}

impl Derived {
    /// Whether a scanner sees the value as it was.
    pub(super) fn looks_like(self, value: BufferId) -> bool {
        self.scanned == value && self.change.is_none()
    }

    const UNKNOWN: Self = Self {
        buffer: UNKNOWN,
        scanned: UNKNOWN,
        change: None,
    };

    /// A value as it is.
    pub(super) fn raw(buffer: BufferId) -> Self {
        Self {
            buffer,
            scanned: buffer,
            change: None,
        }
    }
}

#[derive(Debug)]
struct Entry {
    /// The bytes that occur.
    present: ByteSet,
    /// What transformations care about of it: [`Index::traits`].
    traits: u64,
    /// Where its row in `derived` begins.
    row: u32,
    /// The first of its scans.
    scanned: u32,
    /// Where the candidates of a request's value as it is begin.
    raw: u32,
    /// Its part of the places where matches may start.
    places: Option<(u32, u32)>,
    /// The last list that it was put on.
    list: u32,
    /// Of a whole variable: other scanners look at it.
    whole: bool,
}

impl Buffers {
    /// Forgets all values, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.distinct.clear();
        self.entries.clear();
        self.derived.clear();
        self.scans.clear();
        self.candidates.clear();
        self.places.clear();
        self.list = 0;
    }

    /// Bytes of memory that the values take, with all that is known of them.
    pub(super) fn held(&self) -> usize {
        self.distinct.held()
            + size_of_val(&self.entries[..])
            + size_of_val(&self.derived[..])
            + size_of_val(&self.scans[..])
            + size_of_val(&self.candidates[..])
            + size_of_val(&self.places[..])
    }

    #[inline]
    pub(super) fn bytes(&self, buffer: BufferId) -> &[u8] {
        self.distinct.bytes(buffer)
    }

    /// The buffer with these bytes, made if there is none; those of whole variables are others.
    pub(super) fn intern(&mut self, value: &[u8], whole: bool, index: &Index) -> BufferId {
        let buffer = self.distinct.intern(value, whole);
        if buffer as usize == self.entries.len() {
            let present = present(value);
            self.entries.push(Entry {
                present,
                traits: index.traits(value, &present),
                row: UNKNOWN,
                scanned: UNKNOWN,
                raw: UNKNOWN,
                places: None,
                list: 0,
                whole,
            });
        }
        buffer
    }

    /// Begins a list of distinct buffers.
    pub(super) fn begin_list(&mut self) {
        self.list += 1;
    }

    /// Puts the buffer on the list; `false` if it is there already.
    #[inline]
    pub(super) fn note_on_list(&mut self, buffer: BufferId) -> bool {
        let entry = &mut self.entries[buffer as usize];
        std::mem::replace(&mut entry.list, self.list) != self.list
    }

    /// What transformations care about of the buffer.
    pub(super) fn traits(&self, buffer: BufferId) -> u64 {
        self.entries[buffer as usize].traits
    }

    /// Whether transformations that care about these traits may change the buffer.
    #[inline]
    pub(super) fn is_touched(&self, buffer: BufferId, cares: u64) -> bool {
        self.traits(buffer) & cares != 0
    }

    /// What the transformations up to a node make of a buffer.
    pub(super) fn derive(&mut self, buffer: BufferId, node: NodeId, index: &Index) -> Derived {
        let steps = index.node(node);
        if !self.is_touched(buffer, steps.cares) {
            return Derived::raw(buffer);
        }
        let place = self.row(buffer, index) + node;
        if self.derived[place] != Derived::UNKNOWN {
            return self.derived[place];
        }
        let mut derived = self.derive(buffer, steps.parent, index);
        if steps.alone == node {
            self.change(&mut derived, steps.transformation, index);
        } else {
            // The same step of another chain may have been here.
            let step = self.derive(derived.buffer, steps.alone, index);
            if !step.looks_like(derived.buffer) {
                derived.scanned = step.scanned;
                derived.change = step.change;
            }
            derived.buffer = step.buffer;
        }
        self.derived[place] = derived;
        derived
    }

    fn change(&mut self, derived: &mut Derived, transformation: Option<Transformation>, index: &Index) {
        let changed = match transformation.map(|step| step.apply(self.bytes(derived.buffer))) {
            Some(Cow::Owned(changed)) => changed,
            Some(Cow::Borrowed(_)) | None => return,
        };
        let same = self.bytes(derived.scanned).eq_ignore_ascii_case(&changed);
        let whole = self.entries[derived.buffer as usize].whole;
        derived.buffer = self.intern(&changed, whole, index);
        if !same {
            derived.scanned = derived.buffer;
            derived.change = transformation;
        }
    }

    /// The same as far as scanners tell.
    pub(super) fn derive_but_for_case(&mut self, buffer: BufferId, node: NodeId, index: &Index) -> Derived {
        if !self.is_touched(buffer, index.node(node).cares_but_for_case) {
            return Derived::raw(buffer);
        }
        self.derive(buffer, node, index)
    }

    /// Whether what is asked of a request's value as it is may match.
    #[inline]
    pub(super) fn raw_has(&mut self, buffer: BufferId, slot: usize, index: &Index) -> bool {
        let start = match self.entries[buffer as usize].raw {
            UNKNOWN => self.scan(Derived::raw(buffer), Kind::Request, index),
            start => start,
        };
        let word = self.candidates.get(start as usize + slot / 64);
        word.is_some_and(|word| word >> (slot % 64) & 1 != 0)
    }

    /// The operators that may match what was derived, as the scanner tells them; it reads a buffer once.
    pub(super) fn candidates(&mut self, derived: Derived, kind: Kind, index: &Index) -> &[u64] {
        let is_raw = derived.change.is_none() && kind == Kind::Request;
        let raw = self.entries[derived.scanned as usize].raw;
        let start = match is_raw && raw != UNKNOWN {
            true => raw,
            false => self
                .scanned(derived, kind)
                .unwrap_or_else(|| self.scan(derived, kind, index)),
        };
        &self.candidates[start as usize..][..index.words(kind)]
    }

    /// Looks where in a buffer the operator's matches may start, if that is worth it and not known yet.
    #[inline]
    pub(super) fn find_places(&mut self, buffer: BufferId, kind: Kind, slot: usize, index: &Index) {
        let entry = &mut self.entries[buffer as usize];
        let value = self.distinct.bytes(buffer);
        if entry.places.is_some() || value.len() < WORTH_PLACES || index.sought(kind, slot).is_none() {
            return;
        }
        let first = self.places.len() as u32;
        entry.places = match index.starts().find(value, &mut self.places) {
            Some(()) => Some((first, self.places.len() as u32)),
            None => Some(EVERYWHERE),
        };
    }

    /// What was found; `None` if the operator may as well be asked without.
    pub(super) fn places(
        &self,
        buffer: BufferId,
        kind: Kind,
        slot: usize,
        index: &Index,
    ) -> Option<Places<'_>> {
        let (first, end) = self.entries[buffer as usize].places?;
        let all = self.places.get(first as usize..end as usize)?;
        let sought = index.sought(kind, slot)?;
        Some(Places { all, sought })
    }

    fn scanned(&self, derived: Derived, kind: Kind) -> Option<u32> {
        let mut place = self.entries[derived.scanned as usize].scanned;
        while let Some(scan) = self.scans.get(place as usize) {
            if scan.change == derived.change && scan.kind == kind {
                return Some(scan.start);
            }
            place = scan.next;
        }
        None
    }

    fn scan(&mut self, derived: Derived, kind: Kind, index: &Index) -> u32 {
        let entry = &mut self.entries[derived.scanned as usize];
        let start = self.candidates.len() as u32;
        self.scans.push(Scan {
            kind,
            change: derived.change,
            start,
            next: entry.scanned,
        });
        entry.scanned = self.scans.len() as u32 - 1;
        if derived.change.is_none() && kind == Kind::Request {
            entry.raw = start;
        }
        let value = self.distinct.bytes(derived.scanned);
        let scanner = index.scanner(kind, entry.whole, derived.change);
        scanner.scan(value, &entry.present, &mut self.room, &mut self.candidates);
        start
    }

    fn row(&mut self, buffer: BufferId, index: &Index) -> usize {
        let entry = &mut self.entries[buffer as usize];
        if entry.row == UNKNOWN {
            entry.row = self.derived.len() as u32;
            self.derived
                .resize(self.derived.len() + index.nodes(), Derived::UNKNOWN);
        }
        entry.row as usize
    }
}

/// A value of more bytes is quicker looked at by way of a table.
const LONG: usize = 512;

fn present(value: &[u8]) -> ByteSet {
    let mut present = ByteSet::EMPTY;
    if value.len() > LONG {
        let mut table = [false; 256];
        for byte in value {
            table[usize::from(*byte)] = true;
        }
        present.extend((0..=u8::MAX).filter(|byte| table[usize::from(*byte)]));
        return present;
    }
    for byte in value {
        present.insert(*byte);
    }
    present
}
