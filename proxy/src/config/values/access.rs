//! What options of access policies look like.

use http::HeaderName;

use crate::config::decode::Fault;
use crate::config::ready::{Country, KeyPart};

/// What [`parse_country`] reads.
pub(in crate::config) const COUNTRY: &str = "the two letters of a country (ISO 3166-1) such as \"DE\"";
/// What [`parse_key_part`] reads.
pub(in crate::config) const KEY_PART: &str =
    "\"client\", \"host\", \"path\", \"header:NAME\" or \"cookie:NAME\"";
/// What [`parse_label`] reads.
pub(in crate::config) const LABEL: &str = "letters, digits, `-` and `_`, at most 32";
/// What [`parse_header`] reads.
pub(in crate::config) const HEADER: &str = "the name of a header such as \"X-Powered-By\"";
/// What [`parse_value`] reads.
pub(in crate::config) const VALUE: &str = "the value of a header, \"\" for none";

/// A country's code.
pub(in crate::config) fn parse_country(text: &str) -> Result<Country, Fault> {
    match text.as_bytes() {
        [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            Ok(Country([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
        }
        _ => Err(Fault::new("not two letters")),
    }
}

/// What tells requests apart.
pub(in crate::config) fn parse_key_part(text: &str) -> Result<KeyPart, Fault> {
    match text.split_once(':') {
        Some(("header", name)) => parse_header(name).map(|name| KeyPart::Header(name.as_str().to_owned())),
        Some(("cookie", name)) if is_token(name) => Ok(KeyPart::Cookie(name.to_owned())),
        Some(("cookie", _)) => Err(Fault::new("not the name of a cookie")),
        _ => match text {
            "client" => Ok(KeyPart::Client),
            "host" => Ok(KeyPart::Host),
            "path" => Ok(KeyPart::Path),
            "address" | "ip" => Err(Fault::new("unknown word").suggesting("client")),
            _ => Err(Fault::new("unknown word")),
        },
    }
}

/// A short name that clients are shown.
pub(in crate::config) fn parse_label(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match text.len() {
        1..=32 if text.bytes().all(fits) => Ok(text.to_owned()),
        _ => Err(Fault::new("not such a name")),
    }
}

/// A header's name.
pub(in crate::config) fn parse_header(text: &str) -> Result<HeaderName, Fault> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| Fault::new("not the name of a header"))
}

/// A header's value; the empty one stands for none.
pub(in crate::config) fn parse_value(text: &str) -> Result<String, Fault> {
    match http::HeaderValue::from_str(text) {
        Ok(_) if text.trim() == text => Ok(text.to_owned()),
        _ => Err(Fault::new("not the value of a header")),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && HeaderName::from_bytes(text.as_bytes()).is_ok()
}
