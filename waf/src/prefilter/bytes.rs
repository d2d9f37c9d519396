//! Sets of byte values.

/// A set of byte values, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// No byte.
    pub const EMPTY: Self = Self([0; 4]);

    /// All of them.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The bytes of a text.
    pub const fn of(bytes: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        let mut place = 0;
        while place < bytes.len() {
            set.insert(bytes[place]);
            place += 1;
        }
        set
    }

    /// All bytes from the first to the last.
    pub const fn range(first: u8, last: u8) -> Self {
        let mut set = Self::EMPTY;
        let mut byte = first as usize;
        while byte <= last as usize {
            set.0[byte >> 6] |= 1 << (byte & 63);
            byte += 1;
        }
        set
    }

    /// Adds a byte.
    #[inline(always)]
    pub const fn insert(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    /// Whether the byte is in the set.
    pub const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & 1 << (byte & 63) != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self([a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]])
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self([a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]])
    }

    /// What is not in the set.
    #[must_use]
    pub const fn complement(self) -> Self {
        let a = self.0;
        Self([!a[0], !a[1], !a[2], !a[3]])
    }

    /// Whether some byte is in both.
    #[inline(always)]
    pub const fn intersects(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        (a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3]) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    /// How many bytes are in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The bytes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u8> {
        let words = self.0.into_iter().zip([0_u8, 64, 128, 192]);
        words.flat_map(|(word, base)| Bits(word).map(move |bit| base + bit))
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64; 4] {
        &mut self.0
    }

    /// The set with the lower-case letter of each capital instead of it.
    #[must_use]
    pub fn folded(&self) -> Self {
        let mut folded = Self::EMPTY;
        for byte in self.iter() {
            folded.insert(byte.to_ascii_lowercase());
        }
        folded
    }
}

impl Extend<u8> for ByteSet {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        for byte in bytes {
            self.insert(byte);
        }
    }
}

/// The places of a word's set bits, ascending.
pub(super) struct Bits(pub(super) u64);

impl Iterator for Bits {
    type Item = u8;

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(bit as u8)
    }
}

/// Appends the bytes that are to be kept, without a branch for each: which ones those are hardly anything can foresee.
pub(crate) fn append_kept(input: &[u8], keep: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    let mut end = out.len();
    out.resize(end + input.len(), 0);
    for byte in input {
        out[end] = *byte;
        end += usize::from(keep(*byte));
    }
    out.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set = ByteSet::of(b"\x00a\xff").union(ByteSet::range(b'0', b'2'));
        assert_eq!(set.iter().collect::<Vec<_>>(), b"\x00012a\xff");
        assert_eq!(set.len(), 6);
        assert!(set.contains(255) && !set.contains(b'b'));
        assert!(set.complement().contains(b'b') && !set.complement().contains(b'a'));
        assert!(set.intersects(&ByteSet::of(b"a")) && !set.intersects(&ByteSet::of(b"b")));
        assert!(ByteSet::EMPTY.is_empty());
        assert_eq!(ByteSet::range(0, 255).len(), 256);
    }

    #[test]
    fn folding_keeps_no_capital() {
        assert_eq!(ByteSet::of(b"AbC-").folded().iter().collect::<Vec<_>>(), b"-abc");
    }
}
