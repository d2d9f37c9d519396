//! The content of a record: what is valid, in the form in which the API keeps it.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::error::ApiError;

/// The most that one TXT record may hold, in characters.
const TXT_LIMIT: usize = 2048;

/// The content of a record of this type in the form in which it is kept.
pub(super) fn normalised(kind: &str, content: &str, quotes_txt: bool) -> Result<String, ApiError> {
    match kind {
        "A" => match content.parse::<Ipv4Addr>() {
            Ok(address) => Ok(address.to_string()),
            Err(_) => Err(bad(9005, "Content for A record must be a valid IPv4 address.")),
        },
        "AAAA" => match content.parse::<Ipv6Addr>() {
            Ok(address) => Ok(address.to_string()),
            Err(_) => Err(bad(9006, "Content for AAAA record must be a valid IPv6 address.")),
        },
        "CNAME" => host(content).ok_or_else(|| bad(9007, "Content for CNAME record is invalid.")),
        // The number of this one and the next is not documented.
        "MX" => host(content).ok_or_else(|| bad(9009, "Content for MX record is invalid.")),
        "NS" => host(content).ok_or_else(|| bad(9010, "Content for NS record is invalid.")),
        "TXT" => text(content, quotes_txt),
        other => Err(ApiError::strict(&format!(
            "the fake writes no records of type {other}"
        ))),
    }
}

/// The content of a record that comes in parts, as the API writes it.
pub(super) fn of_data(kind: &str, data: &Value) -> Option<String> {
    let part = |name: &str| match data.get(name)? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    Some(match kind {
        "CAA" => format!("{} {} \"{}\"", part("flags")?, part("tag")?, part("value")?),
        "SRV" => format!("{} {} {}", part("weight")?, part("port")?, part("target")?),
        "HTTPS" | "SVCB" => format!("{} {} {}", part("priority")?, part("target")?, part("value")?),
        _ => return None,
    })
}

/// Whether two contents of this type are the same record.
pub(super) fn same(kind: &str, one: &str, other: &str) -> bool {
    match kind {
        "TXT" => txt_strings(one) == txt_strings(other),
        _ => one == other,
    }
}

/// A full name in lower case without a dot at its end: `@` is the zone, and a name outside the zone is meant as
/// relative to it.
pub(super) fn name(name: &str, zone: &str) -> Result<String, ApiError> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let full = match name.as_str() {
        "@" => zone.to_owned(),
        name if is_within(name, zone) => name.to_owned(),
        name => format!("{name}.{zone}"),
    };
    let label = |label: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*');
        (1..=63).contains(&label.len()) && label.bytes().all(known)
    };
    match full.len() <= 253 && full.split('.').all(label) {
        true => Ok(full),
        false => Err(ApiError::bad_name()),
    }
}

/// Whether a name is the zone's or below it.
pub(super) fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The character-strings that the DNS has for a TXT record's content: what stands between quotation marks, or all
/// of it where there are none; each cut where it is longer than 255 bytes.
pub(super) fn txt_strings(content: &str) -> Vec<Vec<u8>> {
    let strings = quoted_strings(content).unwrap_or_else(|| vec![content.as_bytes().to_vec()]);
    let cut = |string: Vec<u8>| match string.is_empty() {
        true => vec![string],
        false => string.chunks(255).map(<[u8]>::to_vec).collect(),
    };
    strings.into_iter().flat_map(cut).collect()
}

/// `"a" "b"` with the escapes of RFC 1035; none if it is anything else.
fn quoted_strings(content: &str) -> Option<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    let mut rest = content.trim().as_bytes();
    while let Some((b'"', tail)) = rest.split_first() {
        rest = tail;
        let mut string = Vec::new();
        loop {
            match rest {
                [b'"', tail @ ..] => {
                    rest = tail.trim_ascii_start();
                    break;
                }
                [
                    b'\\',
                    a @ b'0'..=b'9',
                    b @ b'0'..=b'9',
                    c @ b'0'..=b'9',
                    tail @ ..,
                ] => {
                    let code = [a, b, c]
                        .iter()
                        .fold(0, |code, d| code * 10 + u32::from(**d - b'0'));
                    string.push(u8::try_from(code).ok()?);
                    rest = tail;
                }
                [b'\\', escaped, tail @ ..] => {
                    string.push(*escaped);
                    rest = tail;
                }
                [byte, tail @ ..] => {
                    string.push(*byte);
                    rest = tail;
                }
                [] => return None,
            }
        }
        strings.push(string);
    }
    (rest.is_empty() && !strings.is_empty()).then_some(strings)
}

fn text(content: &str, quotes: bool) -> Result<String, ApiError> {
    if content.is_empty() || content.len() > TXT_LIMIT {
        // The number is not documented.
        return Err(bad(9008, "Content for TXT record is invalid."));
    }
    if content.starts_with('"') && quoted_strings(content).is_none() {
        return Err(bad(
            9008,
            "Content for TXT record has unbalanced quotation marks.",
        ));
    }
    match quotes && !content.starts_with('"') {
        true => Ok(format!(
            "\"{}\"",
            content.replace('\\', "\\\\").replace('"', "\\\"")
        )),
        false => Ok(content.to_owned()),
    }
}

fn host(content: &str) -> Option<String> {
    let name = content.strip_suffix('.').unwrap_or(content).to_ascii_lowercase();
    let label = |label: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(known)
    };
    let all_numbers = name
        .split('.')
        .all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    (name.len() <= 253 && name.split('.').all(label) && !all_numbers).then_some(name)
}

fn bad(code: u32, message: &str) -> ApiError {
    ApiError::bad_content(code, message)
}
