//! The words of SQL and what each of them is.

use super::super::words::{BEGINS_PHRASE, WordTable};
use super::token::{Kind, TEXT_LIMIT};

static KEYWORDS: WordTable<2048> = WordTable::new(include_bytes!("keywords.txt")).with_phrases();

/// What is known of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What it is by itself; [`Kind::None`] if it is no keyword.
    pub(super) kind: Kind,
    /// Whether longer phrases begin with it.
    pub(super) begins_phrase: bool,
}

impl Word {
    pub(super) const UNKNOWN: Self = Self {
        kind: Kind::None,
        begins_phrase: false,
    };
}

/// Looks a word or phrase up.
#[inline]
pub(super) fn look_up(text: &[u8]) -> Word {
    match KEYWORDS.meaning(text) {
        Some(meaning) => known(meaning),
        None if text.is_ascii() => Word::UNKNOWN,
        None => look_up_foreign(text),
    }
}

fn known(meaning: u8) -> Word {
    Word {
        kind: Kind::of_letter(meaning & !BEGINS_PHRASE),
        begins_phrase: meaning & BEGINS_PHRASE != 0,
    }
}

/// The upper case of U+0131 (dotless i) is "I", that of U+017F (long s) is "S": a disguise that the reference
/// sees through, and so do we. No other character has an upper case in ASCII.
#[cold]
fn look_up_foreign(text: &[u8]) -> Word {
    let mut latin = [0; TEXT_LIMIT + 1];
    let mut length = 0;
    let mut rest = text;
    while let Some((letter, after)) = next_letter(rest) {
        let Some(place) = latin.get_mut(length) else { break };
        *place = letter;
        length += 1;
        rest = after;
    }
    match latin.get(..length) {
        Some(word) if rest.is_empty() => KEYWORDS.meaning(word).map_or(Word::UNKNOWN, known),
        _ => Word::UNKNOWN,
    }
}

/// The next letter as ASCII, and what follows it; nothing at the end and before a letter that has no such form.
fn next_letter(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [0xc4, 0xb1, rest @ ..] => Some((b'I', rest)),
        [0xc5, 0xbf, rest @ ..] => Some((b'S', rest)),
        [byte, rest @ ..] if byte.is_ascii() => Some((*byte, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Word, look_up};

    #[test]
    fn every_word_of_the_table_is_what_the_table_says() {
        for line in include_str!("keywords.txt").lines() {
            let (letter, word) = line.split_at(1);
            let kind = Kind::of_letter(letter.as_bytes()[0]);
            assert_ne!(kind, Kind::None, "{line}");
            for spelling in [word[1..].to_owned(), word[1..].to_lowercase()] {
                assert_eq!(look_up(spelling.as_bytes()).kind, kind, "{line}");
            }
            for (at, _) in word[1..].match_indices(' ') {
                assert!(look_up(&word.as_bytes()[1..=at]).begins_phrase, "{line}");
            }
        }
    }

    #[test]
    fn words_phrases_and_disguises() {
        let word = |kind, begins_phrase| Word { kind, begins_phrase };
        for (text, expected) in [
            ("select", word(Kind::Expression, true)),
            ("SeLeCt", word(Kind::Expression, true)),
            ("\u{17f}elect", word(Kind::Expression, true)),
            ("un\u{131}on", word(Kind::Union, true)),
            ("user", word(Kind::BareWord, false)),
            ("current", word(Kind::None, true)),
            ("blue", word(Kind::None, false)),
            ("s\u{e9}lect", word(Kind::None, false)),
            ("select\u{131}", word(Kind::None, false)),
            ("", word(Kind::None, false)),
        ] {
            assert_eq!(look_up(text.as_bytes()), expected, "{text}");
        }
    }
}
