//! One reading of a request: what the WAF inspects, what the route is chosen by and what the upstream reads must
//! be the same. Forms that would be read in two ways are joined where the RFC says how, and refused otherwise.

use http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use pingora_http::RequestHeader;
use pingora_http::authority::{RawTargetAuthority, is_http_family_scheme, raw_target_authority};

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
    /// CONNECT asks for a tunnel, and a reverse proxy is no way to elsewhere.
    #[error("CONNECT: no tunnels are opened here")]
    Tunnel,
    /// RFC 9112 section 3.2: HTTP/1.1 names a host, and whoever names one names it in a host's characters.
    #[error("Host is missing or not a hostname")]
    Host,
    /// The path leads to one route as it is written and to another as applications decode it.
    #[error("the path means different routes before and after decoding")]
    Path,
}

impl Ambiguous {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Ambiguous::Tunnel => StatusCode::METHOD_NOT_ALLOWED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
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
    if head.method == Method::CONNECT {
        return Err(not_a_tunnel(head.raw_path()));
    }
    join_cookies(head);
    join_content_types(head);
    if !has_valid_host(head) {
        return Err(Ambiguous::Host);
    }
    let nominations = head.headers.get_all(header::CONNECTION).iter();
    let mut tokens = nominations.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if !tokens.all(|token| is_hop_by_hop(token.trim_ascii())) {
        return Err(Ambiguous::Nominated);
    }
    if has_valid_target(head) {
        Ok(())
    } else {
        Err(Ambiguous::Target)
    }
}

/// The path of a URL or of its own (RFC 9112 section 3.2). That the URL's host is that of Host was looked at already.
fn has_valid_target(head: &RequestHeader) -> bool {
    let target = head.raw_path();
    let asterisk = target == b"*" && head.method == Method::OPTIONS;
    if head.version == Version::HTTP_2 {
        // Its authority stands beside the path.
        return target.starts_with(b"/") || asterisk;
    }
    target.starts_with(b"/") || asterisk || head.uri.authority().is_some() || path_of_url(target).is_some()
}

/// Path and query of a target in absolute form; empty where the URL ends with its host.
pub(super) fn path_of_url(target: &[u8]) -> Option<&[u8]> {
    match raw_target_authority(target) {
        RawTargetAuthority::Absolute {
            scheme,
            path_and_query,
            ..
        } if is_http_family_scheme(scheme) => Some(path_and_query),
        _ => None,
    }
}

/// Path and query as they were sent, whatever the form of the target.
pub(super) fn origin_form(head: &RequestHeader) -> &[u8] {
    match head.raw_path() {
        target if target.starts_with(b"/") => target,
        target => path_of_url(target)
            .filter(|path| path.starts_with(b"/"))
            .unwrap_or(b"/"),
    }
}

/// RFC 9112 section 3.2.3: a tunnel leads to a host and a port.
fn not_a_tunnel(target: &[u8]) -> Ambiguous {
    let port = target.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    if port.len() < target.len() && !port.is_empty() && port.iter().all(u8::is_ascii_digit) {
        Ambiguous::Tunnel
    } else {
        Ambiguous::Target
    }
}

/// How applications may read a path besides what it says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Readings {
    /// As one does that decodes slashes and dots, takes a backslash for a slash and drops path parameters; then as those
    /// do that do less of it, or in another order. Empty where no application reads anything else.
    pub(super) others: Vec<String>,
    /// Some of them go up by `..` where the path as it stands does not: then it may be for anything.
    pub(super) climbs: bool,
}

/// The readings of `path`.
pub(super) fn readings(path: &str) -> Readings {
    if !path.contains(['%', '\\', ';']) {
        return Readings::default();
    }
    let decoded = replace_escapes(path).replace('\\', "/");
    let (bare, sent) = (without_parameters(&decoded), without_parameters(path));
    let climbs = bare.split('/').any(|segment| matches!(segment, "." | ".."));
    let sent_decoded = replace_escapes(&sent).replace('\\', "/");
    let others = [bare, decoded, sent_decoded, sent];
    Readings {
        others: others
            .iter()
            .map(|path| normalized_path(path).into_owned())
            .collect(),
        climbs,
    }
}

fn without_parameters(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or(""));
    segments.collect::<Vec<_>>().join("/")
}

/// RFC 9113 section 8.2.3: the crumbs of an h2 request are one Cookie field before anything else reads them.
fn join_cookies(head: &mut RequestHeader) {
    if head.version == Version::HTTP_2 {
        join(head, header::COOKIE, b"; ");
    }
}

/// A body has one type. Of two lines one reader takes the first and another the last; as one line (RFC 9110 section
/// 5.3) they are a type that nobody knows, to the WAF and to the upstream.
fn join_content_types(head: &mut RequestHeader) {
    join(head, header::CONTENT_TYPE, b", ");
}

/// Makes one line of a field's several ones.
fn join(head: &mut RequestHeader, name: HeaderName, separator: &[u8]) {
    let lines = || head.headers.get_all(&name).iter().map(HeaderValue::as_bytes);
    if lines().nth(1).is_none() {
        return;
    }
    let lines: Vec<&[u8]> = lines().collect();
    if let Ok(joined) = HeaderValue::from_bytes(&lines.join(separator)) {
        // A field of valid values is valid.
        let _ = head.insert_header(name, joined);
    }
}

/// RFC 3986 section 3.2.2 without escapes: no name in the DNS has any.
fn has_valid_host(head: &RequestHeader) -> bool {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]!$&'()*+,;=".contains(byte);
    let authority = head
        .uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    match authority.or_else(|| head.headers.get(header::HOST).map(HeaderValue::as_bytes)) {
        Some(b"") | None => head.version != Version::HTTP_11,
        Some(host) => host.iter().all(known) && has_valid_port(host),
    }
}

/// Digits behind the colon, if there is one outside of brackets.
fn has_valid_port(host: &[u8]) -> bool {
    let behind = host
        .iter()
        .rposition(|byte| *byte == b']')
        .map_or(0, |end| end + 1);
    let port = host[behind..].split(|byte| *byte == b':').skip(1);
    port.flatten().all(u8::is_ascii_digit)
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
        let mut head = RequestHeader::build(method, target, None).unwrap();
        head.insert_header("host", "a.example").unwrap();
        head
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
    fn content_types_become_one_line() {
        let mut request = head("POST", b"/");
        request.append_header("content-type", "application/json").unwrap();
        request.append_header("content-type", "application/xml").unwrap();
        settle(&mut request).unwrap();
        let types: Vec<_> = request.headers.get_all("content-type").iter().collect();
        assert_eq!(types, ["application/json, application/xml"]);
    }

    #[test]
    fn a_host_is_named_in_the_characters_of_one() {
        for (version, host, wanted) in [
            (Version::HTTP_11, Some("a.example:8443"), Ok(())),
            (Version::HTTP_11, Some("[::1]:80"), Ok(())),
            (Version::HTTP_11, Some("[::1]"), Ok(())),
            (Version::HTTP_11, Some("a:x"), Err(Ambiguous::Host)),
            (Version::HTTP_11, Some("[::1]:x"), Err(Ambiguous::Host)),
            (Version::HTTP_11, Some("a%00"), Err(Ambiguous::Host)),
            (Version::HTTP_11, Some("a b"), Err(Ambiguous::Host)),
            (Version::HTTP_11, Some(""), Err(Ambiguous::Host)),
            (Version::HTTP_11, None, Err(Ambiguous::Host)),
            (Version::HTTP_10, Some("a/b"), Err(Ambiguous::Host)),
            (Version::HTTP_10, Some(""), Ok(())),
            (Version::HTTP_10, None, Ok(())),
        ] {
            let mut request = RequestHeader::build("GET", b"/", None).unwrap();
            request.set_version(version);
            if let Some(host) = host {
                request.insert_header("host", host).unwrap();
            }
            assert_eq!(settle(&mut request), wanted, "{version:?} {host:?}");
        }
    }

    #[test]
    fn a_target_is_a_path_or_a_url_and_no_way_to_elsewhere() {
        for (method, target, wanted) in [
            ("GET", "/a", Ok(())),
            ("OPTIONS", "*", Ok(())),
            ("GET", "*", Err(Ambiguous::Target)),
            ("GET", "http://a.example", Ok(())),
            ("GET", "https://a.example/b?c", Ok(())),
            ("GET", "ftp://a.example/b", Err(Ambiguous::Target)),
            ("GET", "a", Err(Ambiguous::Target)),
            ("CONNECT", "a.example:443", Err(Ambiguous::Tunnel)),
            ("CONNECT", "a.example", Err(Ambiguous::Target)),
            ("CONNECT", "/", Err(Ambiguous::Target)),
        ] {
            let mut request = head(method, target.as_bytes());
            assert_eq!(settle(&mut request), wanted, "{method} {target}");
        }
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
    fn paths_as_applications_read_them() {
        assert_eq!(readings("/plain/path"), Readings::default());
        for (path, read, climbs) in [
            ("/uploads/..%2fsearch", "/search", true),
            ("/uploads/..;/search", "/search", true),
            ("/uploads/..\\search", "/search", true),
            ("/uploads/%2e%2e/search", "/search", true),
            // Read in part by servers that drop parameters before they decode, and by such that decode alone.
            ("/admin;a%2fx", "/admin", false),
            ("/admin;a%2fx", "/admin/x", false),
            ("/admin%2findex.php", "/admin/index.php", false),
            ("/admin;a%2f..%2fx/users", "/admin/users", true),
            ("/a%20b", "/a%20b", false),
            ("/a%2", "/a%252", false),
        ] {
            let readings = readings(path);
            assert!(
                readings.others.iter().any(|other| other == read),
                "{path}: {readings:?}"
            );
            assert_eq!(readings.climbs, climbs, "{path}");
        }
    }
}
