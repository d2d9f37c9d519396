//! How much, and how long.

use super::super::Outcome::{Closed, Status};
use super::super::{Case, HOST};
use super::{case, get, post};

pub(super) fn cases() -> Vec<Case> {
    [sizes(), time()].concat()
}

fn sizes() -> Vec<Case> {
    const GROUP: &str = "Sizes";
    let target = format!("GET /{} HTTP/1.1\r\nHost: {HOST}\r\n\r\n", "a".repeat(40_000));
    let endless = format!("GET /{}", "a".repeat(200_000));
    let field = get(&format!("X-A: {}\r\n", "b".repeat(100_000)));
    let name = get(&format!("X-{}: b\r\n", "a".repeat(100_000)));
    let many: String = (0..150).map(|at| format!("X-{at}: b\r\n")).collect();
    vec![
        case(GROUP, "a target of 40 KB", target, Status(414)),
        case(GROUP, "a target without an end", endless, Status(414)),
        case(GROUP, "a value of 100 KB", field, Status(431)),
        case(GROUP, "a name of 100 KB", name, Status(431)),
        case(GROUP, "150 fields", get(&many), Status(431)),
        case(
            GROUP,
            "10,000 fields",
            get(&"A: b\r\n".repeat(10_000)),
            Status(431),
        ),
    ]
}

fn time() -> Vec<Case> {
    const GROUP: &str = "Time";
    vec![
        case(GROUP, "half a request line", "GET /", Status(408)),
        case(
            GROUP,
            "a head without an end",
            format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n"),
            Status(408),
        ),
        case(
            GROUP,
            "half a body",
            post("Content-Length: 500\r\n", "hello"),
            Status(408),
        ),
        case(
            GROUP,
            "half a chunk",
            post("Transfer-Encoding: chunked\r\n", "500\r\nhello"),
            Status(408),
        ),
        case(GROUP, "nothing at all", "", Closed),
    ]
}
