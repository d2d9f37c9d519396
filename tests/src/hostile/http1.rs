//! HTTP/1.1 that is none, or that two readers read in two ways.

use super::Outcome::{self, Closed, Status};
use super::{Case, HOST, Input};

/// A request that hides in another.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: app.test\r\n\r\n";

pub(super) fn cases() -> Vec<Case> {
    [
        lengths(),
        codings(),
        chunks(),
        request_lines(),
        fields(),
        hosts(),
        hops(),
        paths(),
        sizes(),
        time(),
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

fn lengths() -> Vec<Case> {
    const GROUP: &str = "Content-Length";
    let hidden = format!("0\r\n\r\n{HIDDEN}");
    let both = format!(
        "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
        hidden.len()
    );
    let reversed = format!(
        "Transfer-Encoding: chunked\r\nContent-Length: {}\r\n",
        hidden.len()
    );
    let one = |value: &str| post(&format!("Content-Length:{value}\r\n"), "hello");
    vec![
        case(
            GROUP,
            "beside Transfer-Encoding",
            post(&both, &hidden),
            Status(400),
        ),
        case(
            GROUP,
            "behind Transfer-Encoding",
            post(&reversed, &hidden),
            Status(400),
        ),
        case(
            GROUP,
            "twice, the same",
            post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            Status(400),
        ),
        case(
            GROUP,
            "twice, 0 and 43",
            post(
                &format!("Content-Length: 0\r\nContent-Length: {}\r\n", HIDDEN.len()),
                HIDDEN,
            ),
            Status(400),
        ),
        case(GROUP, "a list of the same", one(" 5, 5"), Status(400)),
        case(GROUP, "a list of different ones", one(" 5, 6"), Status(400)),
        case(GROUP, "+5", one(" +5"), Status(400)),
        case(GROUP, "-5", one(" -5"), Status(400)),
        case(GROUP, "0x5", one(" 0x5"), Status(400)),
        case(GROUP, "5 5", one(" 5 5"), Status(400)),
        case(GROUP, "5.0", one(" 5.0"), Status(400)),
        case(GROUP, "nothing", one(""), Status(400)),
        case(GROUP, "2^63", one(" 9223372036854775808"), Status(400)),
        case(GROUP, "2^64+5", one(" 18446744073709551621"), Status(400)),
        case(
            GROUP,
            "a space before the colon",
            post("Content-Length : 5\r\n", "hello"),
            Status(400),
        ),
        because(
            DROPPED,
            cleaned(GROUP, "Content_Length", get("Content_Length: 500\r\n"), "ontent_"),
        ),
    ]
}

fn codings() -> Vec<Case> {
    const GROUP: &str = "Transfer-Encoding";
    let hidden = format!("0\r\n\r\n{HIDDEN}");
    let one = |field: &str| post(&format!("{field}\r\n"), &hidden);
    vec![
        case(
            GROUP,
            "gzip, chunked",
            one("Transfer-Encoding: gzip, chunked"),
            Status(501),
        ),
        case(
            GROUP,
            "chunked, identity",
            one("Transfer-Encoding: chunked, identity"),
            Status(501),
        ),
        case(
            GROUP,
            "chunked, chunked",
            one("Transfer-Encoding: chunked, chunked"),
            Status(501),
        ),
        case(GROUP, "xchunked", one("Transfer-Encoding: xchunked"), Status(501)),
        case(GROUP, "identity", one("Transfer-Encoding: identity"), Status(501)),
        case(
            GROUP,
            "\"chunked\"",
            one("Transfer-Encoding: \"chunked\""),
            Status(501),
        ),
        case(
            GROUP,
            "chunked;x",
            one("Transfer-Encoding: chunked;x"),
            Status(501),
        ),
        case(GROUP, "nothing", one("Transfer-Encoding:"), Status(501)),
        case(
            GROUP,
            "twice",
            one("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "a vertical tab in front",
            one("Transfer-Encoding: \x0bchunked"),
            Status(400),
        ),
        case(
            GROUP,
            "on a folded line",
            one("Transfer-Encoding:\r\n chunked"),
            Status(501),
        ),
        case(
            GROUP,
            "a space before the colon",
            one("Transfer-Encoding : chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "a tab before the colon",
            one("Transfer-Encoding\t: chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "a NUL in the name",
            one("Transfer-\0Encoding: chunked"),
            Status(400),
        ),
        case(
            GROUP,
            "in HTTP/1.0",
            format!("POST / HTTP/1.0\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n{hidden}"),
            Status(400),
        ),
        because(
            DROPPED,
            cleaned(
                GROUP,
                "Transfer_Encoding",
                get("Transfer_Encoding: chunked\r\n"),
                "ransfer_",
            ),
        ),
    ]
}

fn chunks() -> Vec<Case> {
    const GROUP: &str = "Chunks";
    let one = |name: &str, body: &str| {
        case(
            GROUP,
            name,
            post("Transfer-Encoding: chunked\r\n", body),
            Status(400),
        )
    };
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(2000));
    let many = format!("0\r\n{}\r\n", "X-Trailer: y\r\n".repeat(2000));
    vec![
        one("a size that ends in a bare LF", &format!("0\n\r\n{HIDDEN}")),
        one(
            "an extension with a bare LF (TERM.EXT)",
            &format!("2;\nxx\r\n33\r\n0\r\n\r\n{HIDDEN}"),
        ),
        one(
            "an extension with a bare CR",
            &format!("5;a\rb\r\nhello\r\n0\r\n\r\n{HIDDEN}"),
        ),
        one("an extension of 2,000 bytes", &long),
        one("a size of 2^63", "8000000000000000\r\nhello\r\n0\r\n\r\n"),
        one(
            "a size of 20 digits",
            "fffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        ),
        one("0x5", "0x5\r\nhello\r\n0\r\n\r\n"),
        one("+5", "+5\r\nhello\r\n0\r\n\r\n"),
        one("-5", "-5\r\nhello\r\n0\r\n\r\n"),
        one("a space behind the size", "5 \r\nhello\r\n0\r\n\r\n"),
        one("a space in front of the size", " 5\r\nhello\r\n0\r\n\r\n"),
        one("no size", "\r\nhello\r\n0\r\n\r\n"),
        one("more data than the size says", "3\r\nhello\r\n0\r\n\r\n"),
        one("data that ends in a bare LF", "5\r\nhello\n0\r\n\r\n"),
        one("an end of bare LFs", &format!("5\r\nhello\r\n0\r\n\n{HIDDEN}")),
        one("a folded trailer", "5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"),
        one(
            "a trailer with a space before its colon",
            "5\r\nhello\r\n0\r\nA : b\r\n\r\n",
        ),
        one("2,000 trailers", &many),
        cleaned(
            GROUP,
            "a trailer that sets Content-Length",
            post(
                "Transfer-Encoding: chunked\r\n",
                "5\r\nhello\r\n0\r\nContent-Length: 987654321987\r\n\r\n",
            ),
            "987654321987",
        ),
        cleaned(
            GROUP,
            "a trailer that sets X-Forwarded-For",
            post(
                "Transfer-Encoding: chunked\r\nTrailer: X-Forwarded-For\r\n",
                "5\r\nhello\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
            ),
            "6.6.6.6",
        ),
    ]
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
