//! The head of an answer as it comes from a backend: what a client would read in another way than the edge does, or could
//! not read at all, is 502 and no answer.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
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
    let asked = matches!(context.kind, Kind::WebSocket | Kind::OtherUpgrade);
    if answer.status == StatusCode::SWITCHING_PROTOCOLS && !asked {
        return broken("a switch of protocols that nobody asked for");
    }
    let longest = context
        .route
        .as_ref()
        .map_or(usize::MAX, |route| route.route.upstream.max_response_head);
    fields(&answer.headers, longest)?;
    if answer.status == StatusCode::NO_CONTENT {
        // It has no body, and says nothing of one (RFC 9110 section 8.6): HTTP/2 clients hold it to that.
        answer.remove_header(&CONTENT_LENGTH);
        answer.remove_header(&TRANSFER_ENCODING);
    }
    Ok(())
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
