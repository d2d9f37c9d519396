//! What a request asks of its connection: an upgrade that the route allows, a call of gRPC, or nothing.

use http::{HeaderValue, Version, header};
use pingora_core::protocols::http::ServerSession;
use pingora_error::Result;
use pingora_http::RequestHeader;

use crate::upstream::Kind;

const GRPC: &[u8] = b"application/grpc";

/// The kind of this request. One that asks for a protocol that is not among `upgrades`, or carries a body besides, is
/// an ordinary one, for the backend too: a server may ignore Upgrade (RFC 9110 section 7.8).
pub(super) fn settle(session: &mut ServerSession, upgrades: &[String]) -> Kind {
    if session.is_upgrade_req() {
        let allowed = asked(session.req_header()).filter(|asked| upgrades.contains(asked));
        return match allowed.filter(|_| session.is_body_empty()).as_deref() {
            Some("websocket") => Kind::WebSocket,
            Some(_) => Kind::OtherUpgrade,
            None => {
                session.req_header_mut().remove_header(&header::UPGRADE);
                Kind::Ordinary
            }
        };
    }
    match is_grpc(session.req_header()) {
        true => Kind::Grpc,
        false => Kind::Ordinary,
    }
}

/// Whether this is a call of gRPC (PROTOCOL-HTTP2 of gRPC: HTTP/2 and a content type of its own).
pub(super) fn is_grpc(head: &RequestHeader) -> bool {
    head.version == Version::HTTP_2
        && head.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            let rest = value.as_bytes().strip_prefix(GRPC);
            rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
        })
}

/// The one protocol that is asked for, in lower case.
fn asked(head: &RequestHeader) -> Option<String> {
    let mut values = head.headers.get_all(header::UPGRADE).iter();
    let (value, more) = (values.next()?, values.next());
    let text = value.to_str().ok().filter(|_| more.is_none())?;
    Some(text.trim().to_ascii_lowercase())
}

/// What Pingora does for WebSocket: the hop-by-hop fields of another upgrade are the edge's own.
pub(super) fn join_upgrade(request: &mut RequestHeader) -> Result<()> {
    for name in [
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "http2-settings",
    ] {
        request.remove_header(name);
    }
    request.insert_header(header::CONNECTION, HeaderValue::from_static("upgrade"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_grpc() {
        for (content_type, version, expected) in [
            ("application/grpc", Version::HTTP_2, true),
            ("application/grpc+proto", Version::HTTP_2, true),
            ("application/grpc;charset=utf-8", Version::HTTP_2, true),
            ("application/grpc-web", Version::HTTP_2, false),
            ("application/json", Version::HTTP_2, false),
            ("application/grpc", Version::HTTP_11, false),
        ] {
            let mut head = RequestHeader::build("POST", b"/", None).unwrap();
            head.set_version(version);
            head.insert_header("Content-Type", content_type).unwrap();
            assert_eq!(is_grpc(&head), expected, "{content_type} {version:?}");
        }
    }

    #[test]
    fn one_protocol_is_asked_for() {
        for (values, expected) in [
            (&["WebSocket"][..], Some("websocket")),
            (
                &[" tailscale-control-protocol "],
                Some("tailscale-control-protocol"),
            ),
            (&["a", "b"], None),
            (&["a, b"], Some("a, b")),
            (&[], None),
        ] {
            let mut head = RequestHeader::build("GET", b"/", None).unwrap();
            for value in values {
                head.append_header("Upgrade", *value).unwrap();
            }
            assert_eq!(asked(&head).as_deref(), expected, "{values:?}");
        }
    }
}
