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

/// Puts a text behind others in the same memory, after its length: no two lists of texts come to the same bytes.
pub(crate) fn push(texts: &mut Vec<u8>, text: &[u8]) {
    texts.extend_from_slice(&(text.len() as u64).to_le_bytes());
    texts.extend_from_slice(text);
}

/// The texts that were [pushed](push), in their order.
pub(crate) fn pushed(mut texts: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, behind) = texts.split_first_chunk()?;
        let (text, behind) = behind.split_at_checked(u64::from_le_bytes(*length) as usize)?;
        texts = behind;
        Some(text)
    })
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
