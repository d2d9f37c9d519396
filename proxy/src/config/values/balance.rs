//! How backends are chosen, as a word; cookies by name.

use crate::config::decode::Fault;
use crate::config::errors::nearest;
use crate::config::ready::{Balance, HashKey};

/// What [`parse_balance`] reads.
pub(in crate::config) const BALANCE: &str =
    "\"round-robin\", \"least-requests\", \"hash:address\", \"hash:header:NAME\" or \"hash:cookie:NAME\"";
/// What [`parse_cookie`] reads.
pub(in crate::config) const COOKIE: &str = "the name of a cookie: letters, digits, `-`, `_` and `.`";
/// What [`parse_cookie_path`] reads.
pub(in crate::config) const COOKIE_PATH: &str = "a path such as \"/\"";

/// A way to choose.
pub(in crate::config) fn parse_balance(text: &str) -> Result<Balance, Fault> {
    let Some((way, key)) = text.split_once(':') else {
        return match text {
            "round-robin" => Ok(Balance::RoundRobin),
            "least-requests" => Ok(Balance::LeastRequests),
            "hash" => Err(Fault::new("by what?").suggesting("hash:address")),
            _ => Err(unknown(text)),
        };
    };
    let key = match key.split_once(':') {
        _ if way != "hash" => return Err(unknown(way)),
        None if key == "address" => HashKey::Address,
        Some(("header", name)) => HashKey::Header(parse_header(name)?),
        Some(("cookie", name)) => HashKey::Cookie(parse_cookie(name)?),
        _ => return Err(Fault::new("neither the address, nor a header, nor a cookie")),
    };
    Ok(Balance::Hash(key))
}

/// A cookie's name, in characters that every parser takes for one (RFC 6265 section 4.1.1 allows more).
pub(in crate::config) fn parse_cookie(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match text.len() {
        0 => Err(Fault::new("empty")),
        1..=64 if text.bytes().all(fits) => Ok(text.to_owned()),
        _ => Err(Fault::new("not the name of a cookie")),
    }
}

/// The Path attribute of a cookie.
pub(in crate::config) fn parse_cookie_path(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b";,\"\\".contains(&byte);
    match text.starts_with('/') && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(Fault::new("not a path")),
    }
}

fn parse_header(text: &str) -> Result<String, Fault> {
    http::HeaderName::from_bytes(text.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| Fault::new("not the name of a header"))
}

fn unknown(word: &str) -> Fault {
    let fault = Fault::new("unknown word");
    match nearest(word, ["round-robin", "least-requests", "hash:address"]) {
        Some(near) => fault.suggesting(near),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_balance() {
        let header = || Balance::Hash(HashKey::Header("x-user".to_owned()));
        let cookie = || Balance::Hash(HashKey::Cookie("SESSION.id".to_owned()));
        for (text, expected) in [
            ("round-robin", Ok(Balance::RoundRobin)),
            ("least-requests", Ok(Balance::LeastRequests)),
            ("hash:address", Ok(Balance::Hash(HashKey::Address))),
            ("hash:header:X-User", Ok(header())),
            ("hash:cookie:SESSION.id", Ok(cookie())),
            ("hash", Err(Some("hash:address"))),
            ("round_robin", Err(Some("round-robin"))),
            ("ring:address", Err(None)),
            ("hash:header:", Err(None)),
            ("hash:header:a b", Err(None)),
            ("hash:cookie:a=b", Err(None)),
            ("hash:query:a", Err(None)),
            ("", Err(None)),
        ] {
            let outcome = parse_balance(text).map_err(|fault| fault.suggestion);
            let expected = expected.map_err(|near: Option<&str>| near.map(str::to_owned));
            assert_eq!(outcome, expected, "{text}");
        }
    }

    #[test]
    fn paths_of_cookies() {
        for (text, fits) in [
            ("/", true),
            ("/app/", true),
            ("", false),
            ("app", false),
            ("/a;b", false),
        ] {
            assert_eq!(parse_cookie_path(text).is_ok(), fits, "{text}");
        }
    }
}
