//! Headers that a filter changes, and what stands in them.

use http::{HeaderName, HeaderValue, header};

use crate::config::decode::Fault;
use crate::config::errors::nearest;
use crate::config::ready::{HeaderText, TextPiece, Variable};

/// What [`parse_changed`] reads.
pub(in crate::config) const CHANGED: &str = "the name of a header that is neither hop-by-hop nor framing";
/// What [`parse_text`] reads.
pub(in crate::config) const TEXT: &str =
    "a header's value, with ${client_ip}, ${host}, ${request_id} or ${route} where wanted";
/// What [`parse_name`] reads.
pub(in crate::config) const NAME: &str = "the name of a header such as \"x-total\"";

/// Headers that belong to one connection (RFC 9110 section 7.6.1) or say where a body ends: a wrong one is a way to
/// smuggle requests.
const FIXED: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const VARIABLES: [(&str, Variable); 4] = [
    ("client_ip", Variable::ClientIp),
    ("host", Variable::Host),
    ("request_id", Variable::RequestId),
    ("route", Variable::Route),
];

/// The name of a header.
pub(in crate::config) fn parse_name(text: &str) -> Result<HeaderName, Fault> {
    HeaderName::try_from(text).map_err(|_| Fault::new("not the name of a header"))
}

/// The name of a header that may be changed.
pub(in crate::config) fn parse_changed(text: &str) -> Result<HeaderName, Fault> {
    if text.starts_with(':') {
        return Err(Fault::new("a pseudo-header of HTTP/2 is no header"));
    }
    let name = parse_name(text)?;
    if name == header::HOST {
        return Err(Fault::new("the Host that backends see is the route's `host`"));
    }
    if FIXED.contains(&name.as_str()) {
        return Err(Fault::new("a header of the connection, or of the body's framing"));
    }
    Ok(name)
}

/// A value with variables.
pub(in crate::config) fn parse_text(text: &str) -> Result<HeaderText, Fault> {
    let constant =
        |text: &str| HeaderValue::from_str(text).map_err(|_| Fault::new("a character that no header holds"));
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        constant(before)?;
        let Some((name, after)) = behind.split_once('}') else {
            return Err(Fault::new("`${` without `}`"));
        };
        if !before.is_empty() {
            pieces.push(TextPiece::Text(before.to_owned()));
        }
        pieces.push(TextPiece::Variable(variable(name)?));
        rest = after;
    }
    let last = constant(rest)?;
    if pieces.is_empty() {
        return Ok(HeaderText::Constant(last));
    }
    if !rest.is_empty() {
        pieces.push(TextPiece::Text(rest.to_owned()));
    }
    Ok(HeaderText::Composed(pieces))
}

fn variable(name: &str) -> Result<Variable, Fault> {
    let known = VARIABLES.iter().find(|(known, _)| *known == name);
    known.map(|(_, variable)| *variable).ok_or_else(|| Fault {
        reason: format!("`${{{name}}}` is not known"),
        suggestion: nearest(name, VARIABLES.map(|(known, _)| known)).map(|known| format!("${{{known}}}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_variables() {
        let text = |text: &str| TextPiece::Text(text.to_owned());
        let composed = parse_text("for=${client_ip};by=${route}").unwrap();
        let pieces = vec![
            text("for="),
            TextPiece::Variable(Variable::ClientIp),
            text(";by="),
            TextPiece::Variable(Variable::Route),
        ];
        assert_eq!(composed, HeaderText::Composed(pieces));
        for plain in ["", "{\"group\":\"x\"}", "$5", "a {client_ip}"] {
            let value = HeaderValue::from_str(plain).unwrap();
            assert_eq!(parse_text(plain), Ok(HeaderText::Constant(value)), "{plain}");
        }
        for (wrong, reason) in [
            ("${clientip}", "`${clientip}` is not known"),
            ("${host", "`${` without `}`"),
            ("a\nb", "a character that no header holds"),
            ("a\r\n${host}", "a character that no header holds"),
        ] {
            assert_eq!(parse_text(wrong).unwrap_err().reason, reason, "{wrong}");
        }
    }

    #[test]
    fn headers_of_connections_and_bodies_stay() {
        for name in [
            "Connection",
            "transfer-encoding",
            "Host",
            ":authority",
            "Content-Length",
            "a b",
            "",
        ] {
            assert!(parse_changed(name).is_err(), "{name}");
        }
        assert!(parse_changed("X-Frame-Options").is_ok());
    }
}
