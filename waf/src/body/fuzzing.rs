//! Deterministic mutation of valid documents, for the tests of the parsers.

/// Bytes that parsers of these formats treat as special.
const SPECIAL: &[u8] = b"\r\n\t \0\"'\\/:;,=-&%<>[]{}()?!#x\x0b\x7f\x80\xc3\xed\xff09eE+.";

/// A small generator (xorshift) and what it does to documents.
pub(super) struct Mutator {
    state: u64,
}

impl Mutator {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed | 1 }
    }

    /// One to eight changes, each an insertion, a removal, a replacement, a repetition or a cut.
    pub(super) fn mutate(&mut self, document: &[u8]) -> Vec<u8> {
        let mut body = document.to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut body);
        }
        body
    }

    fn change(&mut self, body: &mut Vec<u8>) {
        let at = self.below(body.len() + 1);
        let to = (at + self.below(12)).min(body.len());
        match self.below(6) {
            0 => body.insert(at, SPECIAL[self.below(SPECIAL.len())]),
            1 => drop(body.drain(at..to)),
            2 if at < body.len() => body[at] = SPECIAL[self.below(SPECIAL.len())],
            3 => {
                let piece = body[at..to].to_vec();
                let place = self.below(body.len() + 1);
                body.splice(place..place, piece);
            }
            4 if self.below(4) == 0 => body.truncate(at),
            _ if at < body.len() => body[at] = self.below(256) as u8,
            _ => {}
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) as usize % bound
    }
}

/// Runs `check` over many mutations of each document, and over each document cut at every place.
pub(super) fn mutate_all(documents: &[&[u8]], rounds: usize, mut check: impl FnMut(&[u8])) {
    let mut mutator = Mutator::new(0x9e37_79b9_7f4a_7c15);
    for document in documents {
        for end in 0..=document.len() {
            check(&document[..end]);
        }
        for _ in 0..rounds {
            check(&mutator.mutate(document));
        }
    }
}
