//! Parts of URLs that filters put together.

use super::host;
use crate::config::decode::Fault;
use crate::config::ready::{HostPattern, Origin, Pattern};

/// What [`parse_path`] reads.
pub(in crate::config) const PATH: &str = "a path that begins with \"/\"";
/// What [`parse_prefix`] reads.
pub(in crate::config) const PREFIX: &str = "a path that begins with \"/\", or \"\" for none";
/// What [`parse_replacement`] reads.
pub(in crate::config) const REPLACEMENT: &str = "a path with $1 or ${name} for what groups matched";
/// What [`parse_origin`] reads.
pub(in crate::config) const ORIGIN: &str =
    "an origin such as \"https://app.example.com\" or \"https://*.example.com\"";

/// A path without a query.
pub(in crate::config) fn parse_path(text: &str) -> Result<String, Fault> {
    if !text.starts_with('/') {
        return Err(Fault::new("does not begin with `/`").suggesting(format!("/{text}")));
    }
    if text.starts_with("//") {
        return Err(Fault::new("a URL without a scheme, to browsers"));
    }
    checked(text)
}

/// A prefix without its trailing slash; empty for the root.
pub(in crate::config) fn parse_prefix(text: &str) -> Result<String, Fault> {
    match text {
        "" => Ok(String::new()),
        text => Ok(parse_path(text)?.trim_end_matches('/').to_owned()),
    }
}

/// What takes the place of a match of `pattern`.
pub(in crate::config) fn parse_replacement(text: &str, pattern: &Pattern) -> Result<String, Fault> {
    checked(text)?;
    let groups = pattern.regex().capture_names();
    let names: Vec<Option<&str>> = groups.collect();
    for reference in text.split('$').skip(1) {
        let name = match reference.strip_prefix('{') {
            Some(braced) => braced.split('}').next().unwrap_or_default(),
            // The longest possible name counts: `$1a` is the group `1a`.
            None => {
                let end = reference.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                &reference[..end.unwrap_or(reference.len())]
            }
        };
        let known = match name.parse::<usize>() {
            Ok(number) => number < names.len(),
            Err(_) => names.contains(&Some(name)),
        };
        if !known {
            return Err(Fault::new(format!("the expression has no group `{name}`")));
        }
    }
    Ok(text.to_owned())
}

fn checked(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`".contains(&byte);
    match text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(Fault::new("a character that no path of a URL holds")),
    }
}

/// A scheme, a host and an optional port.
pub(in crate::config) fn parse_origin(text: &str) -> Result<Origin, Fault> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Fault::new("no scheme").suggesting(format!("https://{text}")));
    };
    if !matches!(scheme, "http" | "https") {
        return Err(Fault::new("neither http nor https"));
    }
    if let Some(bare) = rest.strip_suffix('/') {
        return Err(Fault::new("an origin has no path").suggesting(format!("{scheme}://{bare}")));
    }
    let (name, port) = match rest.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (rest, None),
    };
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return Err(Fault::new("a port is a number from 1 to 65535")),
    };
    let usual = if scheme == "https" { 443 } else { 80 };
    let host = match name {
        "*" => return Err(Fault::new("`*` alone stands for any origin")),
        name => host::parse_pattern(name)?,
    };
    Ok(Origin {
        scheme: scheme.to_owned(),
        host,
        port: port.filter(|port| *port != usual),
    })
}

/// A host for a redirect, as a URL writes it.
pub(in crate::config) fn parse_host(text: &str) -> Result<String, Fault> {
    match host::parse_pattern(text)? {
        HostPattern::Exact(name) => Ok(name),
        HostPattern::Wildcard(_) => Err(Fault::new("a redirect leads to one host")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::parse_pattern;
    use super::*;

    #[test]
    fn origins() {
        for (text, shown) in [
            ("https://app.example", Some(("https", "app.example", None))),
            ("https://App.example:443", Some(("https", "app.example", None))),
            ("http://*.example:8080", Some(("http", "*.example", Some(8080)))),
            ("http://[::1]:80", Some(("http", "[::1]", None))),
            ("app.example", None),
            ("ftp://a", None),
            ("https://a/", None),
            ("https://a/x", None),
            ("https://a:0", None),
            ("https://*", None),
            ("null", None),
        ] {
            let origin = parse_origin(text).ok();
            let parts = origin.map(|origin| (origin.scheme, origin.host.to_string(), origin.port));
            let expected = shown.map(|(scheme, host, port)| (scheme.to_owned(), host.to_owned(), port));
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn replacements_name_groups_that_are_there() {
        let pattern = parse_pattern("^/(?P<id>[0-9]+)/(.*)$").unwrap();
        for (text, right) in [
            ("/$2", true),
            ("/${id}/x", true),
            ("/$id", true),
            ("/$3", false),
            ("/$1a", false),
            ("/${name}", false),
            ("/$", false),
            ("/x?y", false),
            ("/a b", false),
        ] {
            assert_eq!(parse_replacement(text, &pattern).is_ok(), right, "{text}");
        }
    }
}
