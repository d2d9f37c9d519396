//! Variables.

use super::super::super::search::span;
use super::super::charset::ends_variable;
use super::super::token::{Kind, Token};
use super::{Lexeme, backticked, string};

/// `@name`, `@@name`, and MySQL's `@'name'` and ``@`name` ``.
pub(in super::super) fn variable(rest: &[u8]) -> Lexeme<'_> {
    let signs = if rest.get(1) == Some(&b'@') { 2 } else { 1 };
    let name = rest.get(signs..).unwrap_or_default();
    let quoted = match name.first() {
        Some(b'`') => backticked(name),
        Some(&quote @ (b'\'' | b'"')) => string(name, quote),
        _ => return named(name, signs),
    };
    let token = quoted.token.map(|token| token.known_as(Kind::Variable, false));
    Lexeme {
        token,
        length: signs + quoted.length,
    }
}

fn named(name: &[u8], signs: usize) -> Lexeme<'_> {
    let length = span(name, |byte| !ends_variable(byte));
    Lexeme::of(
        Token::new(Kind::Variable, name.get(..length).unwrap_or(name)),
        signs + length,
    )
}
