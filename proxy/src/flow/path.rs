//! The path in its one form, which routes, access rules and upstreams see; the WAF sees what was sent.

use std::borrow::Cow;

use http::StatusCode;

use crate::config::{EscapedSlashes, Listen, resolved_path};

/// A path that has no such form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadPath {
    /// Where it ends depends on who reads it.
    #[error("%00 in the path")]
    Nul,
    /// By policy.
    #[error("an escaped slash or a backslash in the path")]
    Slash,
}

impl BadPath {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }
}

/// The form of the path in `target`, which is a path with or without a query: dot segments resolved, needless escapes
/// decoded, slashes by policy (RFC 3986 section 6.2.2). None if it is written so already.
pub(super) fn normal(target: &[u8], listen: &Listen) -> Result<Option<String>, BadPath> {
    let path = path_of(target);
    if !path.starts_with(b"/") || !is_suspicious(path) {
        return Ok(None);
    }
    let text = text(path);
    let escapes = |wanted: &[&str]| {
        text.match_indices('%').any(|(at, _)| {
            let digits = text.get(at + 1..at + 3).unwrap_or_default();
            wanted.iter().any(|known| digits.eq_ignore_ascii_case(known))
        })
    };
    if escapes(&["00"]) {
        return Err(BadPath::Nul);
    }
    let has_slash = || text.contains('\\') || escapes(&["2f", "5c"]);
    let text = match listen.escaped_slashes {
        EscapedSlashes::Reject if has_slash() => return Err(BadPath::Slash),
        EscapedSlashes::Decode if has_slash() => Cow::Owned(decoded(&text)),
        _ => text,
    };
    let resolved = resolved_path(&text, listen.merge_slashes);
    Ok((resolved.as_bytes() != path).then(|| resolved.into_owned()))
}

/// The target with another path.
pub(super) fn with_path(target: &[u8], path: &str) -> Vec<u8> {
    let query = &target[path_of(target).len()..];
    [path.as_bytes(), query].concat()
}

fn path_of(target: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'?', target).unwrap_or(target.len());
    &target[..end]
}

/// Whether there is anything in it that may have to be changed; in most paths there is not.
fn is_suspicious(path: &[u8]) -> bool {
    let special = |byte: &u8| matches!(byte, b'%' | b'\\') || !byte.is_ascii();
    path.iter().any(special) || path.windows(2).any(|pair| matches!(pair, b"//" | b"/."))
}

/// As text, with what is not ASCII escaped.
fn text(path: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(path) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(path.iter().fold(String::new(), |mut text, byte| {
            match byte.is_ascii() {
                true => text.push(char::from(*byte)),
                false => text.push_str(&format!("%{byte:02X}")),
            }
            text
        })),
    }
}

fn decoded(path: &str) -> String {
    let mut path = path.replace('\\', "/");
    for escape in ["%2f", "%2F", "%5c", "%5C"] {
        path = path.replace(escape, "/");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::config;

    #[test]
    fn one_form_by_policy() {
        use EscapedSlashes::{Decode, Keep, Reject};
        let nul = Err(BadPath::Nul);
        let slash = Err(BadPath::Slash);
        let listen = config("[[routes]]\nname = \"x\"\nhosts = [\"x.test\"]\necho = true\n").listen;
        for (target, policy, merge, wanted) in [
            ("/a/b?c=//../%2e", Keep, true, Ok(None)),
            ("*", Keep, true, Ok(None)),
            ("/a//b?c=//", Keep, true, Ok(Some("/a/b"))),
            ("/a//b", Keep, false, Ok(None)),
            ("/a//../b", Keep, false, Ok(Some("/a/b"))),
            ("/a/../b", Keep, true, Ok(Some("/b"))),
            ("/a/%2e%2E/b", Keep, true, Ok(Some("/b"))),
            ("/../../b", Keep, true, Ok(Some("/b"))),
            ("/%61", Keep, true, Ok(Some("/a"))),
            ("/a%2fb", Keep, true, Ok(Some("/a%2Fb"))),
            ("/a%2Fb\\c", Keep, true, Ok(None)),
            ("/a%2fb", Reject, true, slash),
            ("/a\\b", Reject, true, slash),
            ("/a%5Cb", Reject, true, slash),
            ("/a/../b", Reject, true, Ok(Some("/b"))),
            ("/a%2f..%5cb", Decode, true, Ok(Some("/b"))),
            ("/a\\..\\b", Decode, true, Ok(Some("/b"))),
            ("/a%00b", Keep, true, nul),
            ("/a%00b", Decode, true, nul),
            ("/a?b=%00", Keep, true, Ok(None)),
            ("/a%2500", Keep, true, Ok(None)),
        ] {
            let listen = Listen {
                escaped_slashes: policy,
                merge_slashes: merge,
                ..listen.clone()
            };
            let found = normal(target.as_bytes(), &listen);
            assert_eq!(
                found.as_ref().map(Option::as_deref).map_err(|error| *error),
                wanted,
                "{target} {policy:?}"
            );
        }
        let found = normal(b"/\xff/../\xfe", &listen).unwrap();
        assert_eq!(found.as_deref(), Some("/%FE"));
    }

    #[test]
    fn the_query_stays() {
        assert_eq!(with_path(b"/a//b?c=//", "/a/b"), b"/a/b?c=//");
        assert_eq!(with_path(b"/a//b", "/a/b"), b"/a/b");
    }
}
