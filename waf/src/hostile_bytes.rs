//! Bytes that try to break things, the same ones in every run: for tests.

/// Pieces that decoders, parsers and patterns take a special way, whole and cut short.
#[rustfmt::skip]
const PIECES: [&[u8]; 48] = [
    b"%", b"%u", b"%u00", b"%3c", b"%u003c", b"%uff1c", b"\\", b"\\u", b"\\u00", b"\\x3", b"\\x3c", b"\\74",
    b"&", b"&#", b"&#x", b"&#x3c", b"&lt", b"&lt;", b"&nbsp;", b"/*", b"*/", b"--", b"-->", b"<!--", b"#", b"/",
    b"..", b"/../", b".", b"0x", b"0x3c", b"+", b" ", b"\t\r\n", b"\x00", b"\xc0\xbc", b"\xe2\x80", b"\xf4\x90",
    b"\xff", b"\xa0", b"'", b"\"", b"union select", b"<script>", b"javascript:", b"1=1", b"()", b"=",
];

/// A deterministic source of hostile values (xorshift64).
pub(crate) struct HostileBytes {
    state: u64,
}

impl HostileBytes {
    /// A source; equal seeds give equal values.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % bound as u64) as usize
    }

    /// The next value: random bytes, hostile pieces, or both.
    pub(crate) fn next_value(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        for _ in 0..self.below(24) {
            match self.below(4) {
                0 => value.push(self.below(256) as u8),
                1 => value.push(b' ' + self.below(95) as u8),
                _ => value.extend_from_slice(PIECES[self.below(PIECES.len())]),
            }
        }
        value
    }
}
