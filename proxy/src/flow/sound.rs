//! The head of an answer as it comes from a backend: what a client would read in another way than the edge does, or could
//! not read at all, is 502 and no answer.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};
use pingora_error::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;

use super::context::RequestContext;
use crate::upstream::Kind;

/// Interim answers to one request. A backend that says "still at it" (102) does so every few seconds; one that never
/// comes to an end would hold the request for ever, as each of them is a sign of life.
const MOST_INTERIM: u8 = 100;

/// What `: ` and the line's end take on the wire.
const LINE: usize = 4;

/// One more interim answer.
pub(super) fn interim(context: &mut RequestContext) -> Result<()> {
    context.interim = context.interim.saturating_add(1);
    match context.interim > MOST_INTERIM {
        true => broken("interim answers without end"),
        false => Ok(()),
    }
}

/// The head of the answer itself.
pub(super) fn check(context: &RequestContext, answer: &mut ResponseHeader) -> Result<()> {
    let Some(route) = context.route.as_deref() else {
        return Ok(());
    };
    let upstream = &route.route.upstream;
    let switches = answer.status == StatusCode::SWITCHING_PROTOCOLS;
    if switches && !is_asked_for(context.kind, &answer.headers, &upstream.upgrades) {
        return broken("a switch to a protocol that nobody asked for");
    }
    fields(&answer.headers, upstream.max_response_head)?;
    if switches || answer.status == StatusCode::NO_CONTENT {
        // They have no body, and say nothing of one (RFC 9110 section 8.6): HTTP/2 clients hold them to that.
        answer.remove_header(&CONTENT_LENGTH);
        answer.remove_header(&TRANSFER_ENCODING);
    }
    Ok(())
}

/// Whether the request asked for a switch, and the route knows the protocol that is switched to (RFC 9110 section 7.8).
fn is_asked_for(kind: Kind, headers: &HeaderMap, allowed: &[String]) -> bool {
    let to = headers.get(UPGRADE).map(|value| value.as_bytes().trim_ascii());
    let is = |name: &str| to.is_some_and(|to| to.eq_ignore_ascii_case(name.as_bytes()));
    match kind {
        Kind::WebSocket => is("websocket"),
        Kind::OtherUpgrade => allowed.iter().any(|name| is(name)),
        Kind::Ordinary | Kind::Grpc => false,
    }
}

/// Their length, and what they say of the body's.
fn fields(headers: &HeaderMap, longest: usize) -> Result<()> {
    let (mut length, mut lengths, mut codings) = (0, 0, 0);
    for (name, value) in headers {
        length += name.as_str().len() + value.len() + LINE;
        if *name == CONTENT_LENGTH {
            lengths += 1;
            if !is_length(value) {
                return broken("a Content-Length that is no length");
            }
        } else if *name == TRANSFER_ENCODING {
            codings += 1;
            if !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return broken("a Transfer-Encoding that nobody asked for");
            }
        }
    }
    if lengths > 1 || codings > 1 {
        return broken("the length of the body twice");
    }
    match length > longest {
        true => broken("a head over max_response_head"),
        false => Ok(()),
    }
}

/// Digits, of which all implementations can make a number (RFC 9110 section 8.6).
fn is_length(value: &HeaderValue) -> bool {
    let text = value.as_bytes().trim_ascii();
    let number = std::str::from_utf8(text).map(str::parse::<i64>);
    text.iter().all(u8::is_ascii_digit) && matches!(number, Ok(Ok(_)))
}

fn broken(what: &'static str) -> Result<()> {
    // A kind of error of its own, as the log tells kinds.
    Err(Error::new_up(ErrorType::Custom(what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_that_were_asked_for() {
        let allowed = ["websocket".to_owned(), "own/1".to_owned()];
        for (kind, to, asked) in [
            (Kind::WebSocket, Some("WebSocket"), true),
            (Kind::WebSocket, Some("own/1"), false),
            (Kind::WebSocket, None, false),
            (Kind::OtherUpgrade, Some("Own/1"), true),
            (Kind::OtherUpgrade, Some("other"), false),
            (Kind::Ordinary, Some("websocket"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(to.map(|to| (UPGRADE, HeaderValue::from_static(to))));
            assert_eq!(is_asked_for(kind, &headers, &allowed), asked, "{kind:?} {to:?}");
        }
    }

    #[test]
    fn what_fields_may_say() {
        for (lines, sound) in [
            (&[][..], true),
            (&[("content-length", "0")], true),
            (&[("content-length", "9223372036854775807")], true),
            (&[("content-length", "9223372036854775808")], false),
            (&[("content-length", "99999999999999999999999")], false),
            (&[("content-length", "")], false),
            (&[("content-length", "-1")], false),
            (&[("content-length", "+1")], false),
            (&[("content-length", "2, 2")], false),
            (&[("content-length", "0x2")], false),
            (&[("content-length", "2"), ("content-length", "2")], false),
            (&[("transfer-encoding", "chunked")], true),
            (&[("transfer-encoding", "Chunked")], true),
            (&[("transfer-encoding", "gzip, chunked")], false),
            (&[("transfer-encoding", "identity")], false),
            (
                &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
                false,
            ),
            (&[("x", "0123456789"), ("y", "0123456789")], true),
            (&[("x", "0123456789"), ("y", "01234567890123456789")], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(fields(&headers, 39).is_ok(), sound, "{lines:?}");
        }
    }
}
