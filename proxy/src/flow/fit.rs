//! Whether a head is fit for this edge: its sizes, its names, its connection. That it can be read in one way only is
//! `reading`'s business.

use http::{HeaderMap, HeaderName, Method, StatusCode, Version, header};
use pingora_core::protocols::http::ServerSession;
use pingora_http::RequestHeader;

use super::head;
use crate::certs::{CertificateStore, Peer};
use crate::config::{Listen, SniMismatch, Trace, Underscores};

/// No method is longer, and each goes into logs.
const METHOD: usize = 64;

/// Why a request goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// More fields than allowed.
    #[error("more header fields than max_request_headers")]
    TooManyFields,
    /// A longer target than allowed.
    #[error("a longer target than max_request_target")]
    TargetTooLong,
    /// A longer method than there is; of HTTP/1 the listener has refused it.
    #[error("a method beyond reason")]
    Method,
    /// A larger body than allowed.
    #[error("a larger body than max_request_body")]
    BodyTooLarge,
    /// A name that some servers take for another.
    #[error("a header field with `_` in its name")]
    Underscore,
    /// Something else than 100-continue is expected of us (RFC 9110 section 10.1.1).
    #[error("an expectation other than 100-continue")]
    Expectation,
    /// What it sends back is for whoever wrote the request, cookies included.
    #[error("TRACE: [listen].trace refuses it")]
    Trace,
    /// RFC 9110 section 15.5.20.
    #[error("the certificate of this connection does not cover the host")]
    Misdirected,
}

impl Unfit {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Unfit::TooManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Unfit::TargetTooLong => StatusCode::URI_TOO_LONG,
            Unfit::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Unfit::Underscore | Unfit::Method => StatusCode::BAD_REQUEST,
            Unfit::Expectation => StatusCode::EXPECTATION_FAILED,
            Unfit::Trace => StatusCode::METHOD_NOT_ALLOWED,
            Unfit::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}

/// Sizes that HTTP/2 has only now, what cannot be fulfilled, and names.
pub(super) fn check(request: &mut RequestHeader, listen: &Listen) -> Result<(), Unfit> {
    if request.version == Version::HTTP_2 {
        if request.headers.len() > listen.max_request_headers {
            return Err(Unfit::TooManyFields);
        }
        if request.raw_path().len() > listen.max_request_target {
            return Err(Unfit::TargetTooLong);
        }
    }
    if request.method.as_str().len() > METHOD {
        return Err(Unfit::Method);
    }
    if request.method == Method::TRACE && listen.trace == Trace::Refuse {
        return Err(Unfit::Trace);
    }
    if expects_more(&request.headers) {
        return Err(Unfit::Expectation);
    }
    let declared = head::content_length(&request.headers).unwrap_or_default() as u64;
    if listen.max_request_body.is_some_and(|most| declared > most) {
        return Err(Unfit::BodyTooLarge);
    }
    match listen.underscores {
        Underscores::Allow => Ok(()),
        Underscores::Reject if ambiguous_names(&request.headers).next().is_some() => Err(Unfit::Underscore),
        Underscores::Reject => Ok(()),
        Underscores::Drop => {
            let names: Vec<HeaderName> = ambiguous_names(&request.headers).cloned().collect();
            for name in &names {
                request.remove_header(name);
            }
            Ok(())
        }
    }
}

/// One line of one member is what clients send; whatever else it is, no two readers need to agree on it.
fn expects_more(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::EXPECT).iter();
    let known = |line: &http::HeaderValue| line.as_bytes().eq_ignore_ascii_case(b"100-continue");
    lines.next().is_some_and(|line| !known(line)) || lines.next().is_some()
}

/// Whether the connection was made for such a host: the certificate that it got covers it. HTTP/2 shares connections in
/// that way (RFC 9113 section 9.1.1), and in no other. Without a name in the handshake nothing is known.
pub(super) fn check_direction(
    session: &ServerSession,
    listen: &Listen,
    certificates: &CertificateStore,
) -> Result<(), Unfit> {
    let (Some(peer), SniMismatch::Refuse) = (peer(session), listen.sni_mismatch) else {
        return Ok(());
    };
    let Some(asked) = peer.server_name.as_deref() else {
        return Ok(());
    };
    let authority = head::authority(session.req_header()).unwrap_or_default();
    let host = head::without_port(authority);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.eq_ignore_ascii_case(asked) || certificates.current().covers(asked, host) {
        Ok(())
    } else {
        Err(Unfit::Misdirected)
    }
}

/// What the handshake told.
pub(super) fn peer(session: &ServerSession) -> Option<&Peer> {
    session.digest()?.ssl_digest.as_ref()?.extension.get()
}

fn ambiguous_names(headers: &HeaderMap) -> impl Iterator<Item = &HeaderName> {
    headers.keys().filter(|name| name.as_str().contains('_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::config;

    fn listen() -> Listen {
        config("[[routes]]\nname = \"x\"\nhosts = [\"x.test\"]\necho = true\n").listen
    }

    fn request(version: Version, fields: &[(&str, &str)]) -> RequestHeader {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        request.set_version(version);
        for (name, value) in fields {
            request.append_header((*name).to_owned(), *value).unwrap();
        }
        request
    }

    #[test]
    fn names_with_underscores_by_policy() {
        let fields = [("x_forwarded_for", "6.6.6.6"), ("x_a", "1"), ("x-b", "2")];
        for (policy, wanted, left) in [
            (Underscores::Drop, Ok(()), 1),
            (Underscores::Reject, Err(Unfit::Underscore), 3),
            (Underscores::Allow, Ok(()), 3),
        ] {
            let listen = Listen {
                underscores: policy,
                ..listen()
            };
            let mut request = request(Version::HTTP_11, &fields);
            assert_eq!(check(&mut request, &listen), wanted);
            assert_eq!(request.headers.len(), left, "{policy:?}");
        }
    }

    #[test]
    fn only_a_continue_is_expected_and_nobody_is_traced() {
        let listen = listen();
        for (lines, wanted) in [
            (&[][..], Ok(())),
            (&["100-continue"], Ok(())),
            (&["100-Continue"], Ok(())),
            (&["100-continue", "100-continue"], Err(Unfit::Expectation)),
            (&["100-continue, x"], Err(Unfit::Expectation)),
            (&["200-ok"], Err(Unfit::Expectation)),
            (&[""], Err(Unfit::Expectation)),
        ] {
            let fields: Vec<_> = lines.iter().map(|line| ("expect", *line)).collect();
            let mut request = request(Version::HTTP_11, &fields);
            assert_eq!(check(&mut request, &listen), wanted, "{lines:?}");
        }
        let mut trace = RequestHeader::build("TRACE", b"/", None).unwrap();
        assert_eq!(check(&mut trace, &listen), Err(Unfit::Trace));
        let allowing = Listen {
            trace: Trace::Allow,
            ..listen
        };
        assert_eq!(check(&mut trace, &allowing), Ok(()));
    }

    #[test]
    fn http_2_has_the_same_sizes() {
        let listen = Listen {
            max_request_headers: 2,
            max_request_target: 8,
            max_request_body: Some(10),
            ..listen()
        };
        let three = [("a", "1"), ("b", "1"), ("c", "1")];
        let mut many = request(Version::HTTP_2, &three);
        assert_eq!(check(&mut many, &listen), Err(Unfit::TooManyFields));
        let mut long = request(Version::HTTP_2, &[]);
        long.set_raw_path(b"/123456789").unwrap();
        assert_eq!(check(&mut long, &listen), Err(Unfit::TargetTooLong));
        let mut large = request(Version::HTTP_2, &[("content-length", "11")]);
        assert_eq!(check(&mut large, &listen), Err(Unfit::BodyTooLarge));
        let mut fits = request(Version::HTTP_2, &[("content-length", "10")]);
        assert_eq!(check(&mut fits, &listen), Ok(()));
    }
}
