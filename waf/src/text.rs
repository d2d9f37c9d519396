//! Bytes as text for people, and texts that are mostly short.

use std::fmt::Write;

use smallvec::SmallVec;

/// A name or a value of rules: nearly all of them are numbers and words, which need no memory of their own.
pub(crate) type ShortBytes = SmallVec<[u8; 24]>;

/// The bytes as text; a byte that is no UTF-8 shows as `\xHH`, so that nothing is lost or guessed.
pub(crate) fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn valid_text_stays_and_other_bytes_are_spelled_out() {
        assert_eq!(readable("grün ok".as_bytes()), "grün ok");
        assert_eq!(readable(b"a\xff\xfeb\xc3"), "a\\xff\\xfeb\\xc3");
    }
}
