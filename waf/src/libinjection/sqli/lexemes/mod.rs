//! The kinds of lexemes, one file each. Every function reads the one that `rest` begins with.

mod comment;
mod number;
mod operator;
mod string;
mod variable;
mod word;

use super::token::{Kind, Token};

pub(super) use comment::{comment_to_end_of_line, is_comment_everywhere, slash};
pub(super) use number::{binary_or_word, hexadecimal_or_word, money, number};
pub(super) use operator::{backslash, operator, punctuation, single_operator, white};
pub(super) use string::{
    escaped_string_or_word, national_string_or_word, oracle_string_or_word, rest_of_string, string,
    unicode_string_or_word,
};
pub(super) use variable::variable;
pub(super) use word::{backticked, bracketed, word};

/// What has been read.
pub(super) struct Lexeme<'a> {
    /// White space is no token, and some numbers are not.
    pub(super) token: Option<Token<'a>>,
    /// How many bytes it took, at least one.
    pub(super) length: usize,
}

impl<'a> Lexeme<'a> {
    #[inline]
    pub(super) const fn skip(length: usize) -> Self {
        Self { token: None, length }
    }

    #[inline]
    const fn of(token: Token<'a>, length: usize) -> Self {
        Self {
            token: Some(token),
            length,
        }
    }

    /// A token whose text is all that was read.
    #[inline]
    fn whole(kind: Kind, rest: &'a [u8], length: usize) -> Self {
        Self::of(Token::new(kind, rest.get(..length).unwrap_or(rest)), length)
    }
}
