//! Request paths: the one form that routes and exclusions are compared in.

use std::borrow::Cow;

use toml::de::DeValue;

use crate::config::decode::{Fault, Node, Table};
use crate::config::ready::PathMatch;

const PATH: &str = "a path that begins with \"/\"";

/// The path in the form that [`PathMatch`] is compared in (RFC 3986, section 6.2.2): percent-escapes of
/// unreserved characters decoded and the others in capitals, characters beyond ASCII escaped, repeated
/// slashes merged, `.` and `..` resolved. `%2F` stays what it is: a slash within a segment.
///
/// A path in that form already is returned as it is, without allocation.
pub fn normalized_path(path: &str) -> Cow<'_, str> {
    resolved_path(path, true)
}

/// The same, with repeated slashes merged or not.
pub fn resolved_path(path: &str, merge_slashes: bool) -> Cow<'_, str> {
    let bytes = path.as_bytes();
    let escapes = bytes.iter().any(|byte| *byte == b'%' || !byte.is_ascii());
    let dots = bytes.windows(2).any(|pair| matches!(pair, b"//" | b"/."));
    if !escapes && !dots {
        return Cow::Borrowed(path);
    }
    Cow::Owned(resolve_segments(&unescape(path), merge_slashes))
}

/// A path condition: a string is a prefix, `{ exact = ... }` and `{ prefix = ... }` say which.
pub(in crate::config) fn path_match(node: Node<'_>) -> Option<PathMatch> {
    match node.value() {
        DeValue::String(_) => node.parse(PATH, parse_prefix),
        DeValue::Table(_) => node.open(|table| {
            let path = exact_or_prefix(table);
            if table.has("exact") == table.has("prefix") {
                table.contradiction("prefix", "a path is either `exact` or a `prefix`");
            }
            path
        }),
        _ => {
            node.wrong_type("a path, { exact = \"/x\" } or { prefix = \"/x\" }", None);
            None
        }
    }
}

/// The keys `exact` and `prefix` of a table.
pub(in crate::config) fn exact_or_prefix(table: &mut Table<'_>) -> Option<PathMatch> {
    let exact = table.take("exact", |node| node.parse(PATH, parse_path).map(PathMatch::Exact));
    let prefix = table.take("prefix", |node| node.parse(PATH, parse_prefix));
    exact.or(prefix)
}

fn parse_prefix(text: &str) -> Result<PathMatch, Fault> {
    if let Some(prefix) = text.strip_suffix("/*") {
        let prefix = if prefix.is_empty() { "/" } else { prefix };
        return Err(Fault::new("a prefix needs no `*`").suggesting(prefix));
    }
    let path = parse_path(text)?;
    let trimmed = path.trim_end_matches('/');
    Ok(PathMatch::Prefix(if trimmed.is_empty() {
        "/".to_owned()
    } else {
        trimmed.to_owned()
    }))
}

fn parse_path(text: &str) -> Result<String, Fault> {
    if !text.starts_with('/') {
        return Err(Fault::new("does not begin with `/`").suggesting(format!("/{text}")));
    }
    if let Some(stray) = text.chars().find(|c| matches!(c, '?' | '#')) {
        return Err(Fault::new(format!("`{stray}` is not part of a path")));
    }
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\\'))
    {
        return Err(Fault::new("a character that no URL holds"));
    }
    let bad_escape = text
        .match_indices('%')
        .any(|(at, _)| escaped_byte(&text.as_bytes()[at..]).is_none());
    if bad_escape {
        return Err(Fault::new("`%` without two hexadecimal digits"));
    }
    let normal = normalized_path(text);
    if normal.matches('/').count() != text.matches('/').count() {
        return Err(Fault::new("empty and `.` segments never reach a route").suggesting(normal));
    }
    Ok(normal.into_owned())
}

fn unescape(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut plain = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = escaped_byte(&bytes[at..]);
        at += if escaped.is_some() { 3 } else { 1 };
        match escaped {
            Some(escaped) if unreserved(escaped) => plain.push(char::from(escaped)),
            Some(escaped) => push_escaped(&mut plain, escaped),
            // Else a character that is decoded behind it would make an escape of it, for the next one who reads.
            None if *byte == b'%' => plain.push_str("%25"),
            None if byte.is_ascii() => plain.push(char::from(*byte)),
            None => push_escaped(&mut plain, *byte),
        }
    }
    plain
}

fn push_escaped(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// The byte of an escape such as `%2f` at the front.
fn escaped_byte(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn resolve_segments(path: &str, merge_slashes: bool) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            "" if merge_slashes || is_last => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    let mut resolved = String::with_capacity(path.len());
    for segment in &kept {
        resolved.push('/');
        resolved.push_str(segment);
    }
    if folder || resolved.is_empty() {
        resolved.push('/');
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_one_path() {
        for (path, expected) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/", "/a/"),
            ("//a///b", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/../../b", "/b"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b/"),
            ("/%61dmin", "/admin"),
            ("/a/%2e%2E/admin", "/admin"),
            ("/a%2fb", "/a%2Fb"),
            ("/%252e", "/%252e"),
            ("/%zz%4", "/%25zz%254"),
            // Decoded once and no more, whoever reads it next.
            ("/%2%65nv", "/%252env"),
            ("/a%%32fb", "/a%252fb"),
            ("/a%%300", "/a%2500"),
            ("/é", "/%C3%A9"),
            ("/.well-known/x", "/.well-known/x"),
            ("/...", "/..."),
            ("*", "*"),
            ("", ""),
        ] {
            let normal = normalized_path(path);
            assert_eq!(normal, expected, "{path}");
            assert_eq!(normalized_path(&normal), expected, "twice: {path}");
        }
    }

    #[test]
    fn prefixes_and_exact_paths_of_a_file() {
        for (text, expected) in [
            ("/", Ok("/")),
            ("/api", Ok("/api")),
            ("/api/", Ok("/api")),
            ("/stra\u{df}e", Ok("/stra%C3%9Fe")),
            ("/api/*", Err(Some("/api"))),
            ("/*", Err(Some("/"))),
            ("api", Err(Some("/api"))),
            ("/a//b", Err(Some("/a/b"))),
            ("/a/../b", Err(Some("/b"))),
            ("/a?b", Err(None)),
            ("/a b", Err(None)),
            ("/a\n", Err(None)),
            ("/%", Err(None)),
            ("/%4", Err(None)),
            ("", Err(Some("/"))),
        ] {
            let expected = expected
                .map(|path| PathMatch::Prefix(path.to_owned()))
                .map_err(|hint: Option<&str>| hint.map(str::to_owned));
            assert_eq!(
                parse_prefix(text).map_err(|fault| fault.suggestion),
                expected,
                "{text}"
            );
        }
        assert_eq!(parse_path("/api/"), Ok("/api/".to_owned()));
    }
}
