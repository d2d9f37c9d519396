//! Byte strings, each distinct one once and with a number.

use crate::hash;

/// The number of a string: they count up from 0.
pub(super) type BufferId = u32;

/// Distinct strings behind each other in one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// Open addressing over the spans by hash; its length is a power of two.
    places: Vec<BufferId>,
}

#[derive(Debug)]
struct Span {
    start: usize,
    length: usize,
    hash: u64,
    kind: bool,
}

/// A place without a string.
const FREE: BufferId = BufferId::MAX;

impl Distinct {
    /// Forgets all, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.places.fill(FREE);
    }

    /// Bytes of memory that they take.
    pub(super) fn held(&self) -> usize {
        self.bytes.len() + size_of_val(&self.spans[..]) + size_of_val(&self.places[..])
    }

    #[inline]
    pub(super) fn bytes(&self, id: BufferId) -> &[u8] {
        self.text(&self.spans[id as usize])
    }

    /// The number of a string; a new one has the next number. The same strings of either kind are two.
    pub(super) fn intern(&mut self, string: &[u8], kind: bool) -> BufferId {
        if (self.spans.len() + 1) * 2 > self.places.len() {
            self.grow();
        }
        let hash = hash::of(string) ^ u64::from(kind);
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while let Some(span) = self.spans.get(self.places[place] as usize) {
            if span.hash == hash && span.kind == kind && *self.text(span) == *string {
                return self.places[place];
            }
            place = (place + 1) & mask;
        }
        let id = self.spans.len() as BufferId;
        self.places[place] = id;
        self.spans.push(Span {
            start: self.bytes.len(),
            length: string.len(),
            hash,
            kind,
        });
        self.bytes.extend_from_slice(string);
        id
    }

    #[inline]
    fn text(&self, span: &Span) -> &[u8] {
        &self.bytes[span.start..span.start + span.length]
    }

    fn grow(&mut self) {
        let length = (self.places.len() * 2).max(256);
        self.places.clear();
        self.places.resize(length, FREE);
        for (id, span) in (0..).zip(&self.spans) {
            let mut place = span.hash as usize & (length - 1);
            while self.places[place] != FREE {
                place = (place + 1) & (length - 1);
            }
            self.places[place] = id;
        }
    }
}
