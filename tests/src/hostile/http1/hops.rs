//! What is between two hops and no further.

use super::super::Outcome::Status;
use super::super::{Case, HOST};
use super::{HIDDEN, NOT_OFFERED, because, case, cleaned, get, post};

pub(super) fn cases() -> Vec<Case> {
    [hops(), expectations(), methods()].concat()
}

/// Of which no reader can be sure whether its sender waits.
fn expecting(name: &str, value: &str, fields: &str) -> Case {
    case(
        "Expect",
        name,
        post(&format!("{fields}Expect: {value}\r\n"), ""),
        Status(417),
    )
}

fn hops() -> Vec<Case> {
    const GROUP: &str = "Connection";
    vec![
        case(
            GROUP,
            "nominates Content-Type",
            get("Connection: content-type\r\n"),
            Status(400),
        ),
        case(
            GROUP,
            "nominates X-Forwarded-For",
            get("Connection: close, x-forwarded-for\r\n"),
            Status(400),
        ),
        case(GROUP, "nominates Host", get("Connection: host\r\n"), Status(400)),
        case(
            GROUP,
            "nominates Content-Length",
            post("Connection: content-length\r\nContent-Length: 5\r\n", "hello"),
            Status(400),
        ),
        case(
            GROUP,
            "nominates Cookie",
            get("Connection: Cookie\r\nCookie: a=b\r\n"),
            Status(400),
        ),
        cleaned(
            GROUP,
            "Upgrade: h2c",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
            ),
            "h2c",
        ),
        because(
            NOT_OFFERED,
            cleaned(
                GROUP,
                "Upgrade: TLS/1.0",
                get("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
                "TLS/1.0",
            ),
        ),
        cleaned(
            GROUP,
            "Proxy-Connection",
            get("Proxy-Connection: keep-alive\r\n"),
            "roxy-",
        ),
        cleaned(
            GROUP,
            "Keep-Alive",
            get("Connection: keep-alive\r\nKeep-Alive: timeout=99\r\n"),
            "timeout=99",
        ),
        cleaned(GROUP, "TE: gzip", get("Connection: TE\r\nTE: gzip\r\n"), "gzip"),
        case(
            GROUP,
            "CONNECT to a port",
            format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n"),
            Status(405),
        ),
        case(
            GROUP,
            "CONNECT to elsewhere",
            "CONNECT evil.test:25 HTTP/1.1\r\nHost: evil.test:25\r\n\r\n",
            Status(405),
        ),
        case(
            GROUP,
            "CONNECT to a path",
            format!("CONNECT / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(400),
        ),
        cleaned(
            GROUP,
            "a second request behind a GET with a body",
            format!(
                "GET / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{HIDDEN}",
                HIDDEN.len()
            ),
            "\u{0}",
        ),
    ]
}

fn expectations() -> Vec<Case> {
    vec![
        expecting("something else", "200-ok", ""),
        expecting("100-continue and more", "100-continue, x", ""),
        expecting(
            "100-continue behind a word",
            "y 100-continue",
            "Content-Length: 5\r\n",
        ),
        expecting("nothing", "", ""),
        expecting("100-continue twice", "100-continue\r\nExpect: 100-continue", ""),
    ]
}

fn methods() -> Vec<Case> {
    vec![
        case(
            "Methods",
            "TRACE",
            format!("TRACE / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(405),
        ),
        case(
            "Methods",
            "of 1,000 letters",
            format!("{} / HTTP/1.1\r\nHost: {HOST}\r\n\r\n", "A".repeat(1000)),
            Status(400),
        ),
        case(
            "Methods",
            "TRACE of a URL",
            format!("TRACE https://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\nMax-Forwards: 0\r\n\r\n"),
            Status(405),
        ),
    ]
}
