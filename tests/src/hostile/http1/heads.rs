//! What a head says.

use super::super::Outcome::{Closed, Status};
use super::super::{Case, HOST};
use super::{DROPPED, because, case, cleaned, get};

pub(super) fn cases() -> Vec<Case> {
    [request_lines(), fields(), hosts()].concat()
}

fn request_lines() -> Vec<Case> {
    const GROUP: &str = "Request line";
    let one =
        |name: &str, line: &str, wanted| case(GROUP, name, format!("{line}\r\nHost: {HOST}\r\n\r\n"), wanted);
    vec![
        one("HTTP/0.9", "GET /", Closed),
        one("HTTP/0.9, named", "GET / HTTP/0.9", Status(400)),
        one("HTTP/1.2", "GET / HTTP/1.2", Status(400)),
        one("HTTP/2.0", "GET / HTTP/2.0", Status(505)),
        one("HTTP/3.0", "GET / HTTP/3.0", Status(505)),
        one("HTTP/11", "GET / HTTP/11", Status(400)),
        one("http/1.1", "GET / http/1.1", Status(400)),
        one("JUNK/1.1", "GET / JUNK/1.1", Status(400)),
        one("a space behind the version", "GET / HTTP/1.1 ", Status(400)),
        one("two spaces", "GET  / HTTP/1.1", Status(400)),
        one("tabs for spaces", "GET\t/\tHTTP/1.1", Status(400)),
        one("a space in the target", "GET /a b HTTP/1.1", Status(400)),
        one("a fragment", "GET /a#b HTTP/1.1", Status(400)),
        one("a NUL in the target", "GET /a\0b HTTP/1.1", Status(400)),
        one("a bare CR in the target", "GET /a\rb HTTP/1.1", Status(400)),
        one("a NUL in the method", "GE\0T / HTTP/1.1", Status(400)),
        one("a colon in the method", "GE:T / HTTP/1.1", Status(400)),
        one("a target without a slash", "GET index.html HTTP/1.1", Status(400)),
        one("* for GET", "GET * HTTP/1.1", Status(400)),
        case(
            GROUP,
            "lines that end in bare LFs",
            format!("GET / HTTP/1.1\nHost: {HOST}\n\n"),
            Status(400),
        ),
        case(
            GROUP,
            "spaces in front",
            format!(" GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(400),
        ),
        case(
            GROUP,
            "ten empty lines in front",
            format!("{}{}", "\r\n".repeat(10), get("")),
            Status(400),
        ),
        case(
            GROUP,
            "binary",
            vec![0x16, 0x03, 0x01, 0xff, 0xfe, b'\r', b'\n', b'\r', b'\n'],
            Status(400),
        ),
    ]
}

fn fields() -> Vec<Case> {
    const GROUP: &str = "Fields";
    let one = |name: &str, fields: &str| case(GROUP, name, get(fields), Status(400));
    vec![
        one("a folded line", "X-A: b\r\n c\r\n"),
        one("a fold for a tab", "X-A: b\r\n\tc\r\n"),
        case(
            GROUP,
            "a fold in front of all fields",
            format!("GET / HTTP/1.1\r\n Host: {HOST}\r\n\r\n"),
            Status(400),
        ),
        one("no colon", "X-A\r\n"),
        one("no name", ": b\r\n"),
        one("a space in the name", "X A: b\r\n"),
        one("a space before the colon", "X-A : b\r\n"),
        one("a bracket in the name", "X(A): b\r\n"),
        one("a NUL in the value", "X-A: b\0c\r\n"),
        one("a bare CR in the value", "X-A: b\rX-B: c\r\n"),
        one("a bare LF in the value", "X-A: b\nX-B: c\r\n"),
        one("a control character in the value", "X-A: b\x01c\r\n"),
        one("a DEL in the value", "X-A: b\x7fc\r\n"),
        one("a bell in the name", "X\x07A: b\r\n"),
        because(
            DROPPED,
            cleaned(
                GROUP,
                "X_Forwarded_For",
                get("X_Forwarded_For: 6.6.6.6\r\n"),
                "6.6.6.6",
            ),
        ),
        cleaned(
            GROUP,
            "X-Forwarded-For from a stranger",
            get("X-Forwarded-For: 6.6.6.6\r\n"),
            "6.6.6.6",
        ),
        cleaned(
            GROUP,
            "Forwarded from a stranger",
            get("Forwarded: for=6.6.6.6\r\n"),
            "6.6.6.6",
        ),
        cleaned(
            GROUP,
            "X-Real-IP from a stranger",
            get("X-Real-IP: 6.6.6.6\r\n"),
            "6.6.6.6",
        ),
    ]
}

fn hosts() -> Vec<Case> {
    const GROUP: &str = "Host";
    let bare = |name: &str, line: &str, fields: &str, wanted| {
        case(GROUP, name, format!("{line}\r\n{fields}\r\n"), wanted)
    };
    vec![
        bare("none", "GET / HTTP/1.1", "Accept: */*\r\n", Status(400)),
        bare("empty", "GET / HTTP/1.1", "Host:\r\n", Status(400)),
        bare(
            "two, the same",
            "GET / HTTP/1.1",
            "Host: app.test\r\nHost: app.test\r\n",
            Status(400),
        ),
        bare(
            "two, different",
            "GET / HTTP/1.1",
            "Host: app.test\r\nHost: evil.test\r\n",
            Status(400),
        ),
        bare(
            "a slash in it",
            "GET / HTTP/1.1",
            "Host: app.test/x\r\n",
            Status(400),
        ),
        bare(
            "a user in it",
            "GET / HTTP/1.1",
            "Host: evil@app.test\r\n",
            Status(400),
        ),
        bare(
            "a space in it",
            "GET / HTTP/1.1",
            "Host: app.test evil.test\r\n",
            Status(400),
        ),
        bare(
            "a comma in it",
            "GET / HTTP/1.1",
            "Host: app.test, evil.test\r\n",
            Status(400),
        ),
        bare(
            "a port that is none",
            "GET / HTTP/1.1",
            "Host: app.test:x\r\n",
            Status(400),
        ),
        bare(
            "a URL of another host as target",
            "GET http://evil.test/ HTTP/1.1",
            "Host: app.test\r\n",
            Status(400),
        ),
        bare(
            "a URL of ours beside another Host",
            "GET http://app.test/ HTTP/1.1",
            "Host: evil.test\r\n",
            Status(400),
        ),
        bare(
            "a URL with a user as target",
            "GET http://evil@app.test/ HTTP/1.1",
            "Host: app.test\r\n",
            Status(400),
        ),
        bare(
            "a URL of another scheme",
            "GET ftp://app.test/ HTTP/1.1",
            "Host: app.test\r\n",
            Status(400),
        ),
        bare(
            "of another certificate",
            "GET / HTTP/1.1",
            "Host: app.elsewhere\r\n",
            Status(421),
        ),
    ]
}
