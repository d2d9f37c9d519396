//! Short fingerprints that ordinary text has as well, and how to tell it from an attack.

use memchr::memmem;

use super::fingerprint::Fingerprint;
use super::fold::Row;
use super::token::{Kind, Token};

/// Whether tokens with a suspicious fingerprint are not an injection after all.
pub(super) fn is_harmless(fingerprint: &Fingerprint, row: &Row<'_>, input: &[u8]) -> bool {
    // SQL Server does not log a statement that holds this word; only attackers need that.
    if matches!(fingerprint.as_bytes(), [_, .., b'c']) && memmem::find(input, b"sp_password").is_some() {
        return false;
    }
    match row.tokens() {
        _ if fingerprint.is_evil() => false,
        [first, second] => is_harmless_pair(first, second, row, input),
        [first, second, third] => is_harmless_triple(fingerprint, [first, second, third], row),
        _ => false,
    }
}

fn is_harmless_pair(first: &Token<'_>, second: &Token<'_>, row: &Row<'_>, input: &[u8]) -> bool {
    let tokens_read = row.lexer.tokens;
    if second.kind == Kind::Union {
        // "1 union" may be about trade unions unless something has been folded away.
        return tokens_read == 2;
    }
    match (first.kind, row.text(1).first().copied()) {
        // Too much text has a number sign.
        (_, Some(b'#')) => true,
        // After a name only the comment of C is one.
        (Kind::BareWord, mark) => mark != Some(b'/'),
        (Kind::Number, Some(b'/')) => false,
        (Kind::Number, _) => tokens_read <= 2 && !ends_like_a_number(row.text(0), input),
        // Text goes on after two dashes, an attack ends with them.
        (_, mark) => mark == Some(b'-') && row.text(1).len() > 2,
    }
}

/// Whether what looks like a number is not the beginning of something like "1234-ABCDEF--": white space or a
/// comment must follow where it ends. It is counted from the start of the value, as the reference does.
fn ends_like_a_number(number: &[u8], input: &[u8]) -> bool {
    match input.get(number.len()..).unwrap_or_default() {
        [next, ..] if *next <= b' ' => true,
        [b'/', b'*', ..] | [b'-', b'-', ..] => true,
        _ => false,
    }
}

fn is_harmless_triple(fingerprint: &Fingerprint, tokens: [&Token<'_>; 3], row: &Row<'_>) -> bool {
    let [first, second, third] = tokens;
    match fingerprint.as_bytes() {
        // Two strings around an operator are an attack if both are halves of the strings that surround the
        // value: ...' + '...
        b"sos" | b"s&s" => !(first.open == 0 && third.close == 0 && first.close == third.open),
        // "sexy and 17"
        b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" if row.lexer.tokens == 3 => true,
        // Of the keywords only INTO OUTFILE and INTO DUMPFILE.
        _ => second.kind == Kind::Keyword && !begins_with_into(row.text(1)),
    }
}

fn begins_with_into(text: &[u8]) -> bool {
    text.len() >= 5
        && text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"INTO"))
}
