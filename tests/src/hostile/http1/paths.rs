//! Where a path leads.

use super::super::Outcome::Status;
use super::super::{Case, HOST};
use super::{ROOT, because, case, cleaned};

pub(super) fn cases() -> Vec<Case> {
    [paths()].concat()
}

fn paths() -> Vec<Case> {
    const GROUP: &str = "Path";
    let one = |name: &str, path: &str, never| {
        cleaned(
            GROUP,
            name,
            format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            never,
        )
    };
    vec![
        because(ROOT, one("dot segments", "/a/../../etc/passwd", "..")),
        because(
            ROOT,
            one("escaped dot segments", "/a/%2e%2e/%2E%2E/etc/passwd", "%2"),
        ),
        one("half-escaped dot segments", "/a/.%2e/etc/passwd", "%2"),
        one("double slashes", "//a///b", "//"),
        one("escaped letters", "/%61dmin", "%61"),
        case(
            GROUP,
            "%00",
            format!("GET /a%00.php HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(400),
        ),
        case(
            GROUP,
            "an escaped way to another route",
            format!("GET /a/..%2fprivate HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(400),
        ),
        case(
            GROUP,
            "an escaped backslash to another route",
            format!("GET /a/..%5cprivate HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(400),
        ),
        case(
            GROUP,
            "a backslash to another route",
            format!("GET /a/..\\private HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(400),
        ),
        case(
            GROUP,
            "a parameter to another route",
            format!("GET /a/..;/private HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            Status(400),
        ),
    ]
}
