//! The values of a request and what transformations made of them, each distinct one once.

use std::borrow::Cow;

use crate::hash;
use crate::plan::{Index, Kind, NodeId};
use crate::prefilter::{ByteSet, Room, Scanner};
use crate::transformations::Transformation;

/// A distinct value: its place, and in the highest bit whether it lasts.
pub(super) type BufferId = u32;

/// The bit of buffers that last beyond the transaction.
const LASTING: BufferId = 1 << 31;

/// What is not known yet.
const UNKNOWN: u32 = u32::MAX;

/// The values of a transaction, and those that one after another brings: what is known of them stays known.
#[derive(Debug)]
pub(super) struct Values {
    passing: Buffers,
    lasting: Buffers,
}

/// Distinct values behind each other in one piece of memory; the same bytes are the same buffer.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// A bit that all ids have.
    tag: BufferId,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Open addressing over the entries by hash; its length is a power of two.
    places: Vec<u32>,
    /// For entries with a row: what each node of the index makes of them.
    derived: Vec<Derived>,
    /// What was scanned; those of one buffer form a list.
    scans: Vec<Scan>,
    candidates: Vec<u64>,
    /// The list of buffers that is being made: a number of 64 bits, which lasting values never see twice.
    list: u64,
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
    start: usize,
    length: usize,
    hash: u64,
    /// The bytes that occur.
    present: ByteSet,
    /// What transformations care about of it: [`Index::traits`].
    traits: u64,
    /// Where its row in `derived` begins.
    row: u32,
    /// The first of its scans.
    scanned: u32,
    /// The last list that it was put on.
    list: u64,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            passing: Buffers::default(),
            lasting: Buffers {
                tag: LASTING,
                ..Buffers::default()
            },
        }
    }
}

impl Values {
    /// Bytes that lasting values take at most: some hundred of them, and little beside what a connection takes.
    const LASTING_BYTES: usize = 128 * 1024;

    /// Forgets the values of the transaction.
    pub(super) fn clear(&mut self) {
        self.passing.clear();
        if self.lasting.held() > Self::LASTING_BYTES {
            self.lasting.clear();
        }
    }

    pub(super) fn intern(&mut self, value: &[u8], lasts: bool, index: &Index) -> BufferId {
        match lasts {
            true => self.lasting.intern(value, index),
            false => self.passing.intern(value, index),
        }
    }

    /// Where a buffer is.
    #[inline]
    pub(super) fn of(&self, buffer: BufferId) -> &Buffers {
        match buffer & LASTING {
            0 => &self.passing,
            _ => &self.lasting,
        }
    }

    /// Where a buffer is.
    #[inline]
    pub(super) fn of_mut(&mut self, buffer: BufferId) -> &mut Buffers {
        match buffer & LASTING {
            0 => &mut self.passing,
            _ => &mut self.lasting,
        }
    }

    /// Begins a list of distinct buffers.
    pub(super) fn begin_list(&mut self) {
        self.passing.list += 1;
        self.lasting.list += 1;
    }

    /// Bytes of memory that the values take, with all that is known of them.
    pub(super) fn held(&self) -> usize {
        self.passing.held() + self.lasting.held()
    }
}

impl Buffers {
    /// Forgets all values, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.places.fill(UNKNOWN);
        self.derived.clear();
        self.scans.clear();
        self.candidates.clear();
        self.list = 0;
    }

    /// Bytes of memory that the values take, with all that is known of them.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
            + size_of_val(&self.entries[..])
            + size_of_val(&self.places[..])
            + size_of_val(&self.derived[..])
            + size_of_val(&self.scans[..])
            + size_of_val(&self.candidates[..])
    }

    pub(super) fn bytes(&self, buffer: BufferId) -> &[u8] {
        let entry = &self.entries[at(buffer)];
        &self.bytes[entry.start..entry.start + entry.length]
    }

    /// The buffer with these bytes, made if there is none.
    pub(super) fn intern(&mut self, value: &[u8], index: &Index) -> BufferId {
        if (self.entries.len() + 1) * 2 > self.places.len() {
            self.grow();
        }
        let hash = hash::of(value);
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while let Some(entry) = self.entries.get(at(self.places[place])) {
            let same = entry.hash == hash && self.bytes[entry.start..entry.start + entry.length] == *value;
            if same {
                return self.places[place];
            }
            place = (place + 1) & mask;
        }
        let buffer = self.entries.len() as u32 | self.tag;
        self.places[place] = buffer;
        let present = present(value);
        self.entries.push(Entry {
            start: self.bytes.len(),
            length: value.len(),
            hash,
            present,
            traits: index.traits(value, &present),
            row: UNKNOWN,
            scanned: UNKNOWN,
            list: 0,
        });
        self.bytes.extend_from_slice(value);
        buffer
    }

    /// Puts the buffer on the list; `false` if it is there already.
    #[inline]
    pub(super) fn note_on_list(&mut self, buffer: BufferId) -> bool {
        let entry = &mut self.entries[at(buffer)];
        std::mem::replace(&mut entry.list, self.list) != self.list
    }

    /// What transformations care about of the buffer.
    pub(super) fn traits(&self, buffer: BufferId) -> u64 {
        self.entries[at(buffer)].traits
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
        derived.buffer = self.intern(&changed, index);
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

    /// The operators that may match what was derived, as the scanner tells them; it reads a buffer once.
    pub(super) fn candidates(&mut self, derived: Derived, kind: Kind, index: &Index) -> &[u64] {
        let scanner = index.scanner(kind, derived.change);
        let start = match self.scanned(derived, kind) {
            Some(start) => start,
            None => self.scan(derived, kind, scanner),
        };
        &self.candidates[start as usize..][..scanner.words()]
    }

    fn scanned(&self, derived: Derived, kind: Kind) -> Option<u32> {
        let mut place = self.entries[at(derived.scanned)].scanned;
        while let Some(scan) = self.scans.get(place as usize) {
            if scan.change == derived.change && scan.kind == kind {
                return Some(scan.start);
            }
            place = scan.next;
        }
        None
    }

    fn scan(&mut self, derived: Derived, kind: Kind, scanner: &Scanner) -> u32 {
        let entry = &mut self.entries[at(derived.scanned)];
        let start = self.candidates.len() as u32;
        self.scans.push(Scan {
            kind,
            change: derived.change,
            start,
            next: entry.scanned,
        });
        entry.scanned = self.scans.len() as u32 - 1;
        let value = &self.bytes[entry.start..entry.start + entry.length];
        scanner.scan(value, &entry.present, &mut self.room, &mut self.candidates);
        start
    }

    fn row(&mut self, buffer: BufferId, index: &Index) -> usize {
        let entry = &mut self.entries[at(buffer)];
        if entry.row == UNKNOWN {
            entry.row = self.derived.len() as u32;
            self.derived
                .resize(self.derived.len() + index.nodes(), Derived::UNKNOWN);
        }
        entry.row as usize
    }

    fn grow(&mut self) {
        let length = (self.places.len() * 2).max(256);
        self.places.clear();
        self.places.resize(length, UNKNOWN);
        for (buffer, entry) in self.entries.iter().enumerate() {
            let mut place = entry.hash as usize & (length - 1);
            while self.places[place] != UNKNOWN {
                place = (place + 1) & (length - 1);
            }
            self.places[place] = buffer as u32 | self.tag;
        }
    }
}

/// The place of a buffer among its entries.
#[inline]
fn at(buffer: BufferId) -> usize {
    (buffer & !LASTING) as usize
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
