//! Declarations and the many forms of comments.

use memchr::memchr;

use super::super::super::search::span;
use super::super::token::{Kind, Token};
use super::{State, Tokenizer};

impl<'a> Tokenizer<'a> {
    /// After `<!`.
    pub(super) fn declaration(&mut self) -> Token<'a> {
        let rest = self.rest();
        if rest
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"DOCTYPE"))
        {
            return self.last(Kind::Doctype);
        }
        if rest.starts_with(b"[CDATA[") {
            self.at += 7;
            return self.character_data();
        }
        if rest.starts_with(b"--") {
            self.at += 2;
            return self.comment();
        }
        self.comment_to_greater_than()
    }

    /// To `-->` or `--!>` as browsers have it: `-!>`, with NULs after the first dash.
    fn comment(&mut self) -> Token<'a> {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = memchr(b'-', rest.get(from..).unwrap_or_default()) {
            let dash = from + found;
            let tail = rest.get(dash + 1..).unwrap_or_default();
            let nulls = span(tail, |byte| byte == 0);
            match tail.get(nulls..).unwrap_or_default() {
                [b'-' | b'!', b'>', ..] => return self.token(Kind::Comment, dash, nulls + 3, State::Text),
                [] => break,
                _ => from = dash + 1,
            }
        }
        self.last(Kind::Comment)
    }

    /// To `]]>`.
    fn character_data(&mut self) -> Token<'a> {
        match memchr::memmem::find(self.rest(), b"]]>") {
            Some(length) => self.token(Kind::Text, length, 3, State::Text),
            None => self.last(Kind::Text),
        }
    }

    /// After `<?`, and what else begins no tag.
    pub(super) fn comment_to_greater_than(&mut self) -> Token<'a> {
        match memchr(b'>', self.rest()) {
            Some(length) => self.token(Kind::Comment, length, 1, State::Text),
            None => self.last(Kind::Comment),
        }
    }

    /// After `<%`, which some browsers end with `%>`.
    ///
    /// The reference counts from the wrong place after a percent sign that does not end the comment: it looks
    /// for the greater-than sign as far from the start of the comment as the sign is from the one before. So do
    /// we, as this is what the verdicts of the field rest on.
    pub(super) fn comment_to_percent(&mut self) -> Token<'a> {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = memchr(b'%', rest.get(from..).unwrap_or_default()) {
            let percent = from + found;
            if percent + 1 >= rest.len() {
                break;
            }
            if rest.get(found + 1) == Some(&b'>') {
                self.at += percent - found;
                let comment = rest.get(..found).unwrap_or(rest);
                self.token(Kind::Comment, found, 2, State::Text);
                return Token {
                    kind: Kind::Comment,
                    text: comment,
                };
            }
            from = percent + 1;
        }
        self.last(Kind::Comment)
    }
}
