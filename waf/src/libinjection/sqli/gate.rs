//! Values that are known to be harmless before anything is read.

use super::charset::is_plain;

/// Whether the value is one run of letters, digits, underscores and bytes above ASCII, or empty.
///
/// Such a value is never an injection. It holds no quote, so it is read once, bare. It holds nothing but words
/// and numbers, and how they can follow each other is limited:
///
/// - A word ends only with a byte that is not plain, so it is the last token. The lexemes that read on past a
///   word's first letter (`x'`, `u&'`, `nq'`...) need a quote.
/// - A number ends before a letter, underscore or byte above ASCII, where a word begins; so it is the last
///   token but one. `0x` and `0b` without digits are a bare word, `0b` ends before the digits 2 to 9 as well:
///   one more token may precede. A number that ends in `e` is no token at all.
///
/// So the tokens are at most: (number or bare word), number, word. Folding takes tokens away or joins two words
/// to a phrase, but none begins with "0X" or "0B". No suspicious fingerprint of up to three tokens begins with
/// two numbers or with a bare word and a number, and only one of two tokens is a number and a word: "1U", which
/// is harmless exactly if two tokens have been read, as here. One token is suspicious only if it is evil, which
/// is a comment or follows a brace. The test below holds the table against this.
#[inline]
pub(super) fn is_one_word(input: &[u8]) -> bool {
    input.iter().all(|&byte| is_plain(byte))
}

#[cfg(test)]
mod tests {
    use super::super::fingerprint::Fingerprint;
    use super::super::token::Kind;
    use super::super::{sqli, sqli_ungated};

    const WORDS: &[u8] = b"kUBEtfnvo&AT";

    fn is_suspicious(letters: &[u8]) -> bool {
        Fingerprint::of(letters.iter().map(|&letter| Kind::of_letter(letter))).is_suspicious()
    }

    #[test]
    fn no_sequence_that_passes_the_gate_is_suspicious() {
        for &word in WORDS {
            for letters in [
                &[word][..],
                b"1",
                &[b'n', word],
                &[b'1', b'1', word],
                &[b'n', b'1', word],
            ] {
                assert!(!is_suspicious(letters), "{letters:?}");
            }
            assert_eq!(is_suspicious(&[b'1', word]), word == b'U');
        }
        for letters in [&b"11"[..], b"n1", b"n"] {
            assert!(!is_suspicious(letters), "{letters:?}");
        }
    }

    #[test]
    fn one_word_is_read_as_harmless_too() {
        let words = [
            "union", "select", "or", "0", "1", "0x", "0b", "e", "e5", "f", "d", "_latin1", "\u{e9}", "x",
        ];
        for first in words {
            for second in words {
                for third in words {
                    let word = [first, second, third].concat();
                    assert_eq!(sqli_ungated(word.as_bytes()), None, "{word}");
                    assert_eq!(sqli(word.as_bytes()), None, "{word}");
                }
            }
        }
    }
}
