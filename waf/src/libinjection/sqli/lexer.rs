//! A value as a sequence of SQL tokens.

use super::lexemes::{self, Lexeme};
use super::token::Token;

/// Whose comments are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `--` begins a comment, `#` is an operator.
    Ansi,
    /// `--` begins a comment only before white space, `#` always does.
    MySql,
}

/// Reads tokens off a value.
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
    /// The quote within which the value begins.
    quote: Option<u8>,
    dialect: Dialect,
    /// How many tokens have been read.
    pub(super) tokens: usize,
    /// Whether something has been read that the other dialect reads differently.
    pub(super) depends_on_dialect: bool,
}

impl<'a> Lexer<'a> {
    #[inline]
    pub(super) fn new(input: &'a [u8], quote: Option<u8>, dialect: Dialect) -> Self {
        Self {
            rest: input,
            quote,
            dialect,
            tokens: 0,
            depends_on_dialect: false,
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        if let Some(quote) = self.quote.take() {
            return self.take(lexemes::rest_of_string(self.rest, quote));
        }
        while let Some(&first) = self.rest.first() {
            let lexeme = self.lexeme(first);
            if let Some(token) = self.take(lexeme) {
                return Some(token);
            }
        }
        None
    }

    /// Every lexeme is at least one byte long, so that reading ends.
    fn take(&mut self, lexeme: Lexeme<'a>) -> Option<Token<'a>> {
        self.rest = self.rest.get(lexeme.length.max(1)..).unwrap_or_default();
        self.tokens += usize::from(lexeme.token.is_some());
        lexeme.token
    }

    fn lexeme(&mut self, first: u8) -> Lexeme<'a> {
        let rest = self.rest;
        match first {
            0..=b' ' | 0x7f | 0xa0 => Lexeme::skip(lexemes::white(rest)),
            b'\'' | b'"' => lexemes::string(rest, first),
            b'`' => lexemes::backticked(rest),
            b'[' => lexemes::bracketed(rest),
            b'0'..=b'9' | b'.' => lexemes::number(rest),
            b'$' => lexemes::money(rest),
            b'@' => lexemes::variable(rest),
            b'\\' => lexemes::backslash(rest),
            b'#' => self.hash(rest),
            b'-' => self.dash(rest),
            b'/' => lexemes::slash(rest),
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => lexemes::operator(rest),
            b'%' | b'+' | b'^' | b'~' => lexemes::single_operator(rest),
            b'(' | b')' | b',' | b';' | b'{' | b'}' | b'?' | b']' => lexemes::punctuation(rest, first),
            b'b' | b'B' => lexemes::binary_or_word(rest),
            b'x' | b'X' => lexemes::hexadecimal_or_word(rest),
            b'e' | b'E' => lexemes::escaped_string_or_word(rest),
            b'n' | b'N' => lexemes::national_string_or_word(rest),
            b'q' | b'Q' => lexemes::oracle_string_or_word(rest),
            b'u' | b'U' => lexemes::unicode_string_or_word(rest),
            _ => lexemes::word(rest),
        }
    }

    fn hash(&mut self, rest: &'a [u8]) -> Lexeme<'a> {
        self.depends_on_dialect = true;
        match self.dialect {
            Dialect::Ansi => lexemes::single_operator(rest),
            Dialect::MySql => lexemes::comment_to_end_of_line(rest),
        }
    }

    fn dash(&mut self, rest: &'a [u8]) -> Lexeme<'a> {
        if lexemes::is_comment_everywhere(rest) {
            return lexemes::comment_to_end_of_line(rest);
        }
        if rest.get(1) == Some(&b'-') && self.dialect == Dialect::Ansi {
            self.depends_on_dialect = true;
            return lexemes::comment_to_end_of_line(rest);
        }
        lexemes::single_operator(rest)
    }
}
