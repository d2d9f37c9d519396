//! The values of a request and what transformations made of them, each distinct one once.

use std::borrow::Cow;

use crate::hash;
use crate::plan::{Index, NodeId};
use crate::prefilter::{ByteSet, Room};

/// A distinct value.
pub(super) type BufferId = u32;

/// What is not known yet.
const UNKNOWN: u32 = u32::MAX;

/// Distinct values behind each other in one piece of memory; the same bytes are the same buffer.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Open addressing over the entries by hash; its length is a power of two.
    places: Vec<u32>,
    /// For entries with a row: what each node of the index makes of them.
    derived: Vec<BufferId>,
    /// Candidates of what was scanned.
    candidates: Vec<u64>,
    room: Room,
}

#[derive(Debug)]
struct Entry {
    start: usize,
    length: usize,
    hash: u64,
    /// The bytes that occur.
    present: ByteSet,
    /// Where its row in `derived` begins.
    row: u32,
    /// Where its candidates begin, by scanner.
    scanned: [u32; 2],
}

impl Buffers {
    /// Bytes that are held.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn bytes(&self, buffer: BufferId) -> &[u8] {
        let entry = &self.entries[buffer as usize];
        &self.bytes[entry.start..entry.start + entry.length]
    }

    /// The buffer with these bytes, made if there is none.
    pub(super) fn intern(&mut self, value: &[u8]) -> BufferId {
        if (self.entries.len() + 1) * 2 > self.places.len() {
            self.grow();
        }
        let hash = hash::of(value);
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while let Some(entry) = self.entries.get(self.places[place] as usize) {
            let same = entry.hash == hash && self.bytes[entry.start..entry.start + entry.length] == *value;
            if same {
                return self.places[place];
            }
            place = (place + 1) & mask;
        }
        let buffer = self.entries.len() as u32;
        self.places[place] = buffer;
        self.entries.push(Entry {
            start: self.bytes.len(),
            length: value.len(),
            hash,
            present: present(value),
            row: UNKNOWN,
            scanned: [UNKNOWN; 2],
        });
        self.bytes.extend_from_slice(value);
        buffer
    }

    /// What the transformations up to a node make of a buffer.
    pub(super) fn derive(&mut self, buffer: BufferId, node: NodeId, index: &Index) -> BufferId {
        let steps = index.node(node);
        let entry = &self.entries[buffer as usize];
        if steps
            .touched
            .is_some_and(|touched| !touched.intersects(&entry.present))
        {
            return buffer;
        }
        let row = self.row(buffer, index);
        if self.derived[row + node] != UNKNOWN {
            return self.derived[row + node];
        }
        let before = self.derive(buffer, steps.parent, index);
        let after = match steps.transformation.map(|step| step.apply(self.bytes(before))) {
            Some(Cow::Owned(changed)) => self.intern(&changed),
            Some(Cow::Borrowed(_)) | None => before,
        };
        self.derived[row + node] = after;
        after
    }

    /// The operators that may match the buffer, as the scanner tells them; it reads a buffer once.
    pub(super) fn candidates(&mut self, buffer: BufferId, scanner: usize, index: &Index) -> &[u64] {
        let entry = &mut self.entries[buffer as usize];
        let tells = index.scanner(scanner);
        if entry.scanned[scanner] == UNKNOWN {
            entry.scanned[scanner] = self.candidates.len() as u32;
            let value = &self.bytes[entry.start..entry.start + entry.length];
            tells.scan(value, &entry.present, &mut self.room, &mut self.candidates);
        }
        &self.candidates[entry.scanned[scanner] as usize..][..tells.words()]
    }

    fn row(&mut self, buffer: BufferId, index: &Index) -> usize {
        let entry = &mut self.entries[buffer as usize];
        if entry.row == UNKNOWN {
            entry.row = self.derived.len() as u32;
            self.derived.resize(self.derived.len() + index.nodes(), UNKNOWN);
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
            self.places[place] = buffer as u32;
        }
    }
}

fn present(value: &[u8]) -> ByteSet {
    let mut present = ByteSet::EMPTY;
    for byte in value {
        present.insert(*byte);
    }
    present
}
