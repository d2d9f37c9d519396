//! One reading of a request: what the WAF inspects, what the route is chosen by and what the upstream reads must
//! be the same. Forms that would be read in two ways are joined where the RFC says how, and refused otherwise.

use http::{HeaderValue, Method, Version, header};
use pingora_http::RequestHeader;

use crate::config::normalized_path;

/// A head that could be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ambiguous {
    /// `Connection: content-type` takes away on the next hop what the WAF went by.
    #[error("the Connection field nominates a field that is not hop-by-hop")]
    Nominated,
    /// Neither a path, nor a URL, nor `*`.
    #[error("the request target is neither a path nor a URL")]
    Target,
    /// The path leads to one route as it is written and to another as applications decode it.
    #[error("the path means different routes before and after decoding")]
    Path,
}

/// What a client may nominate (RFC 9110 section 7.6.1): fields that are hop-by-hop anyway.
const NOMINATED: [&[u8]; 7] = [
    b"close",
    b"keep-alive",
    b"upgrade",
    b"te",
    b"trailer",
    b"http2-settings",
    b"proxy-connection",
];

/// Joins what may be joined, refuses what cannot be.
pub(super) fn settle(head: &mut RequestHeader) -> Result<(), Ambiguous> {
    join_cookies(head);
    let nominations = head.headers.get_all(header::CONNECTION).iter();
    let mut tokens = nominations.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if !tokens.all(|token| is_hop_by_hop(token.trim_ascii())) {
        return Err(Ambiguous::Nominated);
    }
    let target = head.raw_path();
    let asterisk = target == b"*" && head.method == Method::OPTIONS;
    if !(target.starts_with(b"/") || asterisk || head.uri.authority().is_some()) {
        return Err(Ambiguous::Target);
    }
    Ok(())
}

/// The path as an application may read it that decodes slashes and dots, takes a backslash for a slash and drops
/// path parameters; none if that is the path itself.
pub(super) fn decoded_path(path: &str) -> Option<String> {
    if !path.contains(['%', '\\', ';']) {
        return None;
    }
    let decoded = replace_escapes(path).replace('\\', "/");
    let bare: Vec<&str> = decoded
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or(""))
        .collect();
    Some(normalized_path(&bare.join("/")).into_owned())
}

/// RFC 9113 section 8.2.3: the crumbs of an h2 request are one Cookie field before anything else reads them.
fn join_cookies(head: &mut RequestHeader) {
    if head.version != Version::HTTP_2 {
        return;
    }
    let crumbs: Vec<&[u8]> = head
        .headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() > 1
        && let Ok(cookies) = HeaderValue::from_bytes(&crumbs.join(b"; ".as_slice()))
    {
        // A field of valid values is valid.
        let _ = head.insert_header(header::COOKIE, cookies);
    }
}

fn is_hop_by_hop(token: &[u8]) -> bool {
    token.is_empty() || NOMINATED.iter().any(|known| token.eq_ignore_ascii_case(known))
}

/// `%2F`, `%5C`, `%2E` and `%3B` as the characters they stand for.
fn replace_escapes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let escape = rest.get(at + 1..at + 3).unwrap_or("");
        let decoded = match escape.to_ascii_lowercase().as_str() {
            "2f" => Some('/'),
            "5c" => Some('\\'),
            "2e" => Some('.'),
            "3b" => Some(';'),
            _ => None,
        };
        match decoded {
            Some(character) => {
                out.push(character);
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, target: &[u8]) -> RequestHeader {
        RequestHeader::build(method, target, None).unwrap()
    }

    #[test]
    fn crumbs_become_one_cookie_field() {
        let mut crumbs = head("GET", b"/");
        crumbs.set_version(Version::HTTP_2);
        crumbs.append_header("cookie", "a=1").unwrap();
        crumbs.append_header("cookie", "b=2").unwrap();
        settle(&mut crumbs).unwrap();
        let cookies: Vec<_> = crumbs.headers.get_all("cookie").iter().collect();
        assert_eq!(cookies, ["a=1; b=2"]);
    }

    #[test]
    fn only_hop_by_hop_fields_may_be_nominated() {
        for (value, wanted) in [
            ("keep-alive, Upgrade", Ok(())),
            ("Upgrade, HTTP2-Settings", Ok(())),
            ("close, content-type", Err(Ambiguous::Nominated)),
            ("Cookie", Err(Ambiguous::Nominated)),
        ] {
            let mut request = head("GET", b"/");
            request.insert_header("connection", value).unwrap();
            assert_eq!(settle(&mut request), wanted, "{value}");
        }
    }

    #[test]
    fn paths_as_applications_decode_them() {
        for (path, wanted) in [
            ("/plain/path", None),
            ("/uploads/..%2fsearch", Some("/search")),
            ("/uploads/..%2Fsearch", Some("/search")),
            ("/uploads/..;/search", Some("/search")),
            ("/uploads/..\\search", Some("/search")),
            ("/uploads/%2e%2e/search", Some("/search")),
            ("/a%20b", Some("/a%20b")),
            ("/a%2", Some("/a%2")),
        ] {
            assert_eq!(decoded_path(path).as_deref(), wanted, "{path}");
        }
    }
}
