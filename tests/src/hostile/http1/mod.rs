//! HTTP/1.1 that is none, or that two readers read in two ways.

mod bounds;
mod framing;
mod heads;
mod hops;
mod paths;

use super::Outcome::{self, Status};
use super::{Case, HOST, Input};

/// A request that hides in another.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: app.test\r\n\r\n";

pub(super) fn cases() -> Vec<Case> {
    [
        framing::cases(),
        heads::cases(),
        hops::cases(),
        paths::cases(),
        bounds::cases(),
    ]
    .concat()
}

fn case(group: &'static str, name: &str, bytes: impl Into<Vec<u8>>, wanted: Outcome) -> Case {
    Case {
        group,
        name: name.to_owned(),
        input: Input::Http1(bytes.into()),
        wanted,
        never: "",
        why: "",
    }
}

/// Passes, without this in it.
fn cleaned(group: &'static str, name: &str, bytes: impl Into<Vec<u8>>, never: &'static str) -> Case {
    Case {
        never,
        ..case(group, name, bytes, Status(200))
    }
}

/// The same, with why another proxy may refuse it and the edge does not.
fn because(why: &'static str, case: Case) -> Case {
    Case { why, ..case }
}

const DROPPED: &str = "dropped, it reaches nobody either; `underscores = \"reject\"` refuses as Envoy does";
const NOT_OFFERED: &str = "an upgrade that is not offered is ignored (RFC 9110 section 7.8)";
const ROOT: &str = "a path that climbs above the root ends there (RFC 3986 section 5.2.4), and the WAF sees it as it was sent";

fn post(fields: &str, body: &str) -> String {
    format!("POST /save HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n{body}")
}

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n")
}
