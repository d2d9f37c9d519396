//! Words joined to a phrase, by one space each, whatever stood between them.

use super::super::token::TEXT_LIMIT;

/// The text of a phrase, or none.
#[derive(Clone, Copy)]
pub(super) struct Phrase {
    bytes: [u8; TEXT_LIMIT + 1],
    length: u8,
}

impl Phrase {
    pub(super) const NONE: Self = Self {
        bytes: [0; TEXT_LIMIT + 1],
        length: 0,
    };

    /// Both words, if there is room for them.
    pub(super) fn of(first: &[u8], second: &[u8]) -> Option<Self> {
        let mut phrase = Self::NONE;
        let (head, tail) = phrase.bytes.split_at_mut_checked(first.len() + 1)?;
        let (space, head) = head.split_last_mut()?;
        head.copy_from_slice(first);
        *space = b' ';
        tail.get_mut(..second.len())?.copy_from_slice(second);
        phrase.length = (first.len() + 1 + second.len()) as u8;
        Some(phrase)
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// The text, if there is one.
    #[inline]
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self.length {
            0 => None,
            length => self.bytes.get(..usize::from(length)),
        }
    }

    /// Cuts the text as the text of every token is cut.
    pub(super) fn cut(mut self) -> Self {
        self.length = self.length.min(TEXT_LIMIT as u8);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Phrase;

    #[test]
    fn two_words_and_a_space_if_there_is_room() {
        let joined = |first: &[u8], second: &[u8]| {
            Phrase::of(first, second).map(|phrase| phrase.text().unwrap().to_vec())
        };
        assert_eq!(joined(b"UNION", b"ALL").unwrap(), b"UNION ALL");
        assert_eq!(joined(b"", b"").unwrap(), b" ");
        assert_eq!(joined(&[b'a'; 15], &[b'b'; 16]).unwrap().len(), 32);
        assert_eq!(joined(&[b'a'; 16], &[b'b'; 16]), None);
        assert_eq!(joined(&[b'a'; 32], b""), None);
    }
}
