//! `t:htmlEntityDecode`: decodes HTML character references: `&#60;`, `&#x3c;`, `&lt;`.
//!
//! Numbers may have any number of digits, and the semicolon may be absent. Of the names, those of ASCII
//! characters and of the no-break space are known: no other hides an attack. `quot`, `amp`, `lt`, `gt` and
//! `nbsp` count in any case and without semicolon, as browsers take them.
//!
//! Example: `&lt;script&#x000003e;` becomes `<script>`.
//!
//! Source: SecLang reference, htmlEntityDecode; HTML standard, section 13.5. As Coraza and browsers do,
//! characters past ASCII become UTF-8. ModSecurity v3 reads at most two hexadecimal digits (so that leading
//! zeros hide a character) and swallows the letters after `&lt`.

use std::borrow::Cow;

use super::digits::{hex, push_character};

/// References that browsers take without semicolon; no name is the beginning of another.
const BARE: [(&[u8], u32); 5] = [
    (b"quot", 0x22),
    (b"amp", 0x26),
    (b"lt", 0x3c),
    (b"gt", 0x3e),
    (b"nbsp", 0xa0),
];

/// References that need their semicolon.
const NAMED: [(&[u8], u32); 45] = [
    (b"Tab", 0x09),
    (b"NewLine", 0x0a),
    (b"excl", 0x21),
    (b"num", 0x23),
    (b"dollar", 0x24),
    (b"percnt", 0x25),
    (b"apos", 0x27),
    (b"lpar", 0x28),
    (b"rpar", 0x29),
    (b"ast", 0x2a),
    (b"midast", 0x2a),
    (b"plus", 0x2b),
    (b"comma", 0x2c),
    (b"period", 0x2e),
    (b"sol", 0x2f),
    (b"colon", 0x3a),
    (b"semi", 0x3b),
    (b"equals", 0x3d),
    (b"quest", 0x3f),
    (b"commat", 0x40),
    (b"lsqb", 0x5b),
    (b"lbrack", 0x5b),
    (b"bsol", 0x5c),
    (b"rsqb", 0x5d),
    (b"rbrack", 0x5d),
    (b"Hat", 0x5e),
    (b"lowbar", 0x5f),
    (b"UnderBar", 0x5f),
    (b"grave", 0x60),
    (b"DiacriticalGrave", 0x60),
    (b"lcub", 0x7b),
    (b"lbrace", 0x7b),
    (b"verbar", 0x7c),
    (b"vert", 0x7c),
    (b"VerticalLine", 0x7c),
    (b"rcub", 0x7d),
    (b"rbrace", 0x7d),
    (b"NonBreakingSpace", 0xa0),
    (b"shy", 0xad),
    (b"ZeroWidthSpace", 0x200b),
    (b"zwnj", 0x200c),
    (b"zwj", 0x200d),
    (b"lrm", 0x200e),
    (b"rlm", 0x200f),
    (b"NoBreak", 0x2060),
];

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'&', input) else {
        return Cow::Borrowed(input);
    };
    let mut out = Vec::with_capacity(input.len());
    out.extend_from_slice(&input[..first]);
    let mut rest = &input[first..];
    loop {
        let end = memchr::memchr(b'&', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..end]);
        let Some(after) = rest.get(end + 1..) else {
            return Cow::Owned(out);
        };
        rest = after;
        match reference(after) {
            Some((code, length)) => {
                push_character(&mut out, code);
                rest = &after[length..];
            }
            None => out.push(b'&'),
        }
    }
}

/// The character that a reference stands for, and the reference's length without the `&`.
fn reference(input: &[u8]) -> Option<(u32, usize)> {
    let (code, length) = match input {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16).map(|(code, length)| (code, length + 2))?,
        [b'#', digits @ ..] => number(digits, 10).map(|(code, length)| (code, length + 1))?,
        _ => name(input)?,
    };
    let semicolon = usize::from(input.get(length) == Some(&b';'));
    Some((code, length + semicolon))
}

/// A number of any length: what is too large for a character stays too large.
fn number(input: &[u8], base: u8) -> Option<(u32, usize)> {
    let digits = input
        .iter()
        .map_while(|byte| hex(*byte).filter(|digit| *digit < base));
    let (code, length) = digits.fold((0u32, 0), |(code, length), digit| {
        (
            code.saturating_mul(u32::from(base))
                .saturating_add(u32::from(digit)),
            length + 1,
        )
    });
    (length > 0).then_some((code, length))
}

fn name(input: &[u8]) -> Option<(u32, usize)> {
    let length = input
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let whole = &input[..length];
    if input.get(length) == Some(&b';')
        && let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == whole)
    {
        return Some((*code, length));
    }
    BARE.iter()
        .find(|(name, _)| {
            whole
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        })
        .map(|(name, code)| (*code, name.len()))
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn references_are_decoded() {
        table::check(
            Transformation::HtmlEntityDecode,
            &[
                (b"", b""),
                (b"plain", b"plain"),
                (b"a & b", b"a & b"),
                (b"&lt;script&gt;", b"<script>"),
                (b"&LT;&Amp;&quot", b"<&\""),
                (b"&ltscript&gt", b"<script>"),
                (b"&#60;&#060&#0000000060;", b"<<<"),
                (b"&#x3c;&#X3C&#x000000003c;", b"<<<"),
                (b"&#x3cscript", "\u{3c}script".as_bytes()),
                (b"java&#x0a;script&colon;", b"java\nscript:"),
                (b"&Tab;&NewLine;&lpar;&rpar;", b"\t\n()"),
                (b"&lbrace;&lcub;&LBRACE;", b"{{&LBRACE;"),
                (b"&colon", b"&colon"),
                (b"&nbsp;", "\u{a0}".as_bytes()),
                (b"&#233;&eacute;", "\u{e9}&eacute;".as_bytes()),
                (b"&#0;", b"\x00"),
                (b"&#xd800;&#99999999999999;", "\u{fffd}\u{fffd}".as_bytes()),
                (b"&#;&#x;&;&", b"&#;&#x;&;&"),
                (b"&&lt;", b"&<"),
                (b"&amp;lt;", b"&lt;"),
                (b"&#", b"&#"),
                (b"&#x", b"&#x"),
                (b"\xff&lt\xff", b"\xff<\xff"),
            ],
        );
    }
}
