//! Cross-site scripting: would a page that holds this value run script?
//!
//! A value is read as HTML in five places: between tags, within a tag before an attribute, and within an
//! attribute's value between single quotes, double quotes or backticks.

mod address;
mod gate;
mod html;
mod names;
mod token;

#[cfg(test)]
mod tests;

use memchr::memchr;

use address::runs_script;
use html::Tokenizer;
use names::{Attribute, attribute, is_dangerous_tag};
use token::{Kind, Token};

/// Where in a page a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    Tag,
    /// Within an attribute's value between these quotes.
    Value(u8),
}

/// Whether `input` is cross-site scripting.
#[inline]
#[must_use]
pub fn xss(input: &[u8]) -> bool {
    !gate::is_harmless(input) && in_some_place(input)
}

/// [`xss()`] without the gate in front, which must make no difference: for the comparisons that show it.
#[must_use]
pub fn xss_ungated(input: &[u8]) -> bool {
    [
        Place::Text,
        Place::Tag,
        Place::Value(b'\''),
        Place::Value(b'"'),
        Place::Value(b'`'),
    ]
    .into_iter()
    .any(|place| is_dangerous(input, place))
}

/// Without "<" nothing begins between tags; without the quote a value does not end.
fn in_some_place(input: &[u8]) -> bool {
    (memchr(b'<', input).is_some() && is_dangerous(input, Place::Text))
        || is_dangerous(input, Place::Tag)
        || [b'\'', b'"', b'`']
            .into_iter()
            .any(|quote| memchr(quote, input).is_some() && is_dangerous(input, Place::Value(quote)))
}

fn is_dangerous(input: &[u8], place: Place) -> bool {
    let mut tokens = Tokenizer::new(input, place);
    let mut name: Option<&[u8]> = None;
    while let Some(Token { kind, text }) = tokens.next() {
        let dangerous = match (kind, name.take()) {
            (Kind::Doctype, _) => true,
            (Kind::TagName, _) => is_dangerous_tag(text),
            (Kind::Comment, _) => is_dangerous_comment(text),
            // The name matters only if a value follows at once.
            (Kind::AttributeName, _) => {
                name = Some(text);
                false
            }
            (Kind::AttributeValue, Some(name)) => is_dangerous_value(attribute(name), text),
            _ => false,
        };
        if dangerous {
            return true;
        }
    }
    false
}

fn is_dangerous_value(attribute: Option<Attribute>, value: &[u8]) -> bool {
    match attribute {
        Some(Attribute::Script | Attribute::Style) => true,
        Some(Attribute::Address) => runs_script(value),
        Some(Attribute::Name) => self::attribute(value) == Some(Attribute::Script),
        None => false,
    }
}

/// Internet Explorer ended comments with a backtick and read some as instructions.
fn is_dangerous_comment(text: &[u8]) -> bool {
    memchr(b'`', text).is_some() || is_conditional(text) || is_import(text)
}

/// `<!--[if` and `<?xml`.
fn is_conditional(text: &[u8]) -> bool {
    let [first, second, third, _, ..] = *text else {
        return false;
    };
    matches!(
        [first, second | 0x20, third | 0x20],
        [b'[', b'i', b'f'] | [b'x' | b'X', b'm', b'l']
    )
}

/// `<?import` and `<!ENTITY`, whatever NULs are strewn in.
fn is_import(text: &[u8]) -> bool {
    if text.len() <= 5 {
        return false;
    }
    let mut start = [0; 6];
    let letters = text.iter().filter(|&&byte| byte != 0);
    let count = start
        .iter_mut()
        .zip(letters)
        .map(|(place, &letter)| *place = letter.to_ascii_uppercase())
        .count();
    count == start.len() && (&start == b"IMPORT" || &start == b"ENTITY")
}
