//! Values that come again with the next requests, and what they do not match (decision 0017).

use super::buffers::Buffers;
use super::distinct::{BufferId, Distinct};
use crate::plan::{Index, Kind};
use crate::variables::Variable;

/// Values of some transactions, one after another, and for each a bit for each thing that is asked of values: set
/// if it may match, from all that was found out about it.
#[derive(Debug, Default)]
pub(super) struct Lasting {
    distinct: Distinct,
    /// A row for each value.
    open: Vec<u64>,
    /// Words of a row.
    words: usize,
}

/// A value of more bytes is not worth keeping: it hardly comes again.
const LONGEST: usize = 256;

/// Headers whose values come with request after request and are no secrets.
const HEADERS: [&[u8]; 20] = [
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

impl Lasting {
    /// Bytes that they take at most: some hundred of them, and little beside what a connection takes.
    const BYTES: usize = 128 * 1024;

    /// Begins with none once they take too much.
    pub(super) fn shrink(&mut self) {
        if self.held() > Self::BYTES {
            self.distinct.clear();
            self.open.clear();
        }
    }

    /// Bytes of memory that they take.
    pub(super) fn held(&self) -> usize {
        self.distinct.held() + size_of_val(&self.open[..])
    }

    /// The number of a value. Of a new one what it may match is found by scans of all that is made of it.
    pub(super) fn intern(&mut self, value: &[u8], buffers: &mut Buffers, index: &Index) -> BufferId {
        let id = self.distinct.intern(value, false);
        self.words = index.words(Kind::Request);
        let start = id as usize * self.words;
        if start == self.open.len() {
            self.open.resize(start + self.words, 0);
            find_open(value, &mut self.open[start..], buffers, index);
        }
        id
    }

    #[inline]
    pub(super) fn bytes(&self, id: BufferId) -> &[u8] {
        self.distinct.bytes(id)
    }

    /// What a value may match.
    #[inline]
    pub(super) fn open(&self, id: BufferId) -> &[u64] {
        &self.open[id as usize * self.words..][..self.words]
    }

    /// Notes that a value does not match what is asked with this bit.
    pub(super) fn deny(&mut self, id: BufferId, slot: usize) {
        self.open[id as usize * self.words + slot / 64] &= !(1 << (slot % 64));
    }
}

fn find_open(value: &[u8], open: &mut [u64], buffers: &mut Buffers, index: &Index) {
    let buffer = buffers.intern(value, false, index);
    for share in index.shares() {
        let derived = buffers.derive_but_for_case(buffer, share.node, index);
        let found = buffers.candidates(derived, Kind::Request, index).iter();
        for ((open, found), slots) in open.iter_mut().zip(found).zip(&share.slots) {
            *open |= found & slots;
        }
    }
}

/// Whether the value comes again with the next requests, and may be kept for them. A password or a session's token is
/// not kept, nor is what may hold one.
pub(super) fn lasts(variable: Variable, key: Option<&[u8]>, value: &[u8]) -> bool {
    value.len() <= LONGEST
        && match variable {
            Variable::RequestHeaders => key.is_some_and(is_lasting_header),
            variable => variable.may_last(),
        }
}

fn is_lasting_header(name: &[u8]) -> bool {
    HEADERS.iter().any(|header| header.eq_ignore_ascii_case(name))
}
