//! HTTP/2 that is none, and floods of it.

mod floods;

use super::Outcome::{self, Closed, GoAway, Reset, Status};
use super::frames::{block, connection, data, frame, headers};
use super::{Case, HOST, Input};

const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const FRAME_SIZE_ERROR: u32 = 6;
const CALM: u32 = 11;

const TRAILERS: &str = "trailers of requests go no further: nobody reads them";

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "https");
const PATH: (&str, &str) = (":path", "/");
const AUTHORITY: (&str, &str) = (":authority", HOST);
const GET: [(&str, &str); 4] = [METHOD, SCHEME, PATH, AUTHORITY];
const POST: [(&str, &str); 4] = [(":method", "POST"), SCHEME, PATH, AUTHORITY];

pub(super) fn cases() -> Vec<Case> {
    [pseudo(), fields(), framing(), frames(), floods::cases()].concat()
}

fn case(group: &'static str, name: &str, frames: &[Vec<u8>], wanted: Outcome) -> Case {
    Case {
        group,
        name: name.to_owned(),
        input: Input::Http2(connection(frames)),
        wanted,
        never: "",
        why: "",
    }
}

fn request(group: &'static str, name: &str, fields: &[(&str, &str)], wanted: Outcome) -> Case {
    case(group, name, &[headers(1, true, fields)], wanted)
}

fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&GET[..], more].concat()
}

fn pseudo() -> Vec<Case> {
    const GROUP: &str = "HTTP/2 pseudo-headers";
    let one = |name: &str, fields: &[(&str, &str)], wanted| request(GROUP, name, fields, wanted);
    let path = |path: &'static str| [METHOD, SCHEME, (":path", path), AUTHORITY];
    let authority = |host: &'static str| [METHOD, SCHEME, PATH, (":authority", host)];
    let bad = Reset(PROTOCOL_ERROR);
    // What the h2 crate takes for the end of a connection.
    let end = GoAway(PROTOCOL_ERROR);
    vec![
        one("no :method", &[SCHEME, PATH, AUTHORITY], bad),
        one("no :scheme", &[METHOD, PATH, AUTHORITY], bad),
        one("no :path", &[METHOD, SCHEME, AUTHORITY], bad),
        one("no :authority and no Host", &[METHOD, SCHEME, PATH], Status(400)),
        one(
            "two :method",
            &with(&[])[..1].iter().chain(&GET).copied().collect::<Vec<_>>(),
            bad,
        ),
        one(
            "two :path",
            &[METHOD, SCHEME, PATH, (":path", "/x"), AUTHORITY],
            bad,
        ),
        one(
            "two :authority",
            &[METHOD, SCHEME, PATH, AUTHORITY, (":authority", "evil.test")],
            bad,
        ),
        one(
            ":path behind a field",
            &[METHOD, SCHEME, AUTHORITY, ("accept", "*/*"), PATH],
            bad,
        ),
        one("an unknown one", &with(&[(":x", "y")]), end),
        one(":status", &with(&[(":status", "200")]), bad),
        one("an empty :path", &path(""), bad),
        one("a :path without a slash", &path("index.html"), bad),
        one("* for GET", &path("*"), Status(400)),
        one("a URL as :path", &path("https://evil.test/"), bad),
        one("a space in :path", &path("/a HTTP/1.1"), bad),
        one("a line end in :path", &path("/a HTTP/1.1\r\nx: y"), bad),
        one("a NUL in :path", &path("/a\0b"), bad),
        Case {
            never: "#",
            why: "the fragment is cut off before anybody looks: there is one reading",
            ..one("a fragment in :path", &path("/a#b"), Status(200))
        },
        one(
            "an empty :method",
            &[(":method", ""), SCHEME, PATH, AUTHORITY],
            end,
        ),
        one(
            "a space in :method",
            &[(":method", "GET /hidden"), SCHEME, PATH, AUTHORITY],
            end,
        ),
        one(
            "a line end in :method",
            &[(":method", "GET / HTTP/1.1\r\nx: y"), SCHEME, PATH, AUTHORITY],
            end,
        ),
        one("a user in :authority", &authority("evil@app.test"), Status(400)),
        one("a slash in :authority", &authority("app.test/x"), bad),
        one("a line end in :authority", &authority("app.test\r\nx: y"), bad),
        one(
            ":authority of another certificate",
            &authority("app.elsewhere"),
            Status(421),
        ),
        one("Host that differs", &with(&[("host", "evil.test")]), Status(400)),
        one(
            "CONNECT",
            &[(":method", "CONNECT"), (":authority", "evil.test:25")],
            Status(405),
        ),
        one(
            "CONNECT with a :path",
            &[(":method", "CONNECT"), SCHEME, PATH, AUTHORITY],
            bad,
        ),
        one(
            "CONNECT of a :protocol",
            &[
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                SCHEME,
                PATH,
                AUTHORITY,
            ],
            bad,
        ),
    ]
}

fn fields() -> Vec<Case> {
    const GROUP: &str = "HTTP/2 fields";
    let one =
        |name: &str, more: &[(&'static str, &'static str)], wanted| request(GROUP, name, &with(more), wanted);
    let bad = Reset(PROTOCOL_ERROR);
    let end = GoAway(PROTOCOL_ERROR);
    let many: Vec<_> = with(&vec![("x-a", "b"); 150]);
    let crumbs: Vec<_> = with(&vec![("cookie", "a=b"); 1000]);
    let value = "b".repeat(20_000);
    let large: Vec<_> = [&GET[..], &[("x-a", value.as_str()); 1]].concat();
    let path = format!("/{}", "a".repeat(20_000));
    let long = [METHOD, SCHEME, (":path", path.as_str()), AUTHORITY];
    let mut all = vec![
        one("a capital letter in a name", &[("X-A", "b")], end),
        one("a space in a name", &[("x a", "b")], end),
        one("a colon in a name", &[("x:a", "b")], end),
        one("an empty name", &[("", "b")], end),
        one("a line end in a name", &[("x\r\ny", "b")], end),
        one("a line end in a value", &[("x-a", "b\r\nx-b: c")], end),
        one("a bare LF in a value", &[("x-a", "b\nc")], end),
        one("a NUL in a value", &[("x-a", "b\0c")], end),
        one("Connection", &[("connection", "close")], bad),
        one("Keep-Alive", &[("keep-alive", "timeout=5")], bad),
        one("Proxy-Connection", &[("proxy-connection", "close")], bad),
        one("Upgrade", &[("upgrade", "websocket")], bad),
        one("Transfer-Encoding", &[("transfer-encoding", "chunked")], bad),
        one("TE: gzip", &[("te", "gzip")], bad),
        one("Expect: 200-ok", &[("expect", "200-ok")], Status(417)),
        request(
            GROUP,
            "TRACE",
            &[(":method", "TRACE"), SCHEME, PATH, AUTHORITY],
            Status(405),
        ),
        request(
            GROUP,
            "a method of 100 letters",
            &[(":method", "A".repeat(100).as_str()), SCHEME, PATH, AUTHORITY],
            Status(400),
        ),
        request(GROUP, "a cookie of 1,000 crumbs", &crumbs, Status(431)),
        case(
            GROUP,
            "a field of 4 KB, 10,000 times (HPACK bomb)",
            &bomb(),
            GoAway(CALM),
        ),
        request(GROUP, "150 fields", &many, Status(431)),
        case(
            GROUP,
            "fields of 100 KB",
            &in_pieces(&[GET.to_vec(), large[4..].repeat(5)].concat()),
            Status(431),
        ),
        case(GROUP, "a :path of 20 KB", &in_pieces(&long), Status(414)),
    ];
    for (name, field, never) in [
        ("x_forwarded_for", ("x_forwarded_for", "6.6.6.6"), "6.6.6.6"),
        (
            "X-Forwarded-For from a stranger",
            ("x-forwarded-for", "6.6.6.6"),
            "6.6.6.6",
        ),
    ] {
        all.push(Case {
            never,
            why: "such a field reaches nobody; Envoy refuses names with `_`",
            ..one(name, &[field], Status(200))
        });
    }
    all
}

/// One field that is put into the table (RFC 7541 section 6.2.1), and a byte for each time that it is meant again.
fn bomb() -> Vec<Vec<u8>> {
    let value = "b".repeat(3_900);
    let mut field = block(&[("x-bomb", value.as_str())]);
    field[0] = 0x40;
    let parts = [&block(&GET)[..], &field, &[0x80 | 62; 10_000]].concat();
    vec![frame(1, 0x5, 1, &parts)]
}

/// HEADERS and CONTINUATION of a block that is longer than a frame.
fn in_pieces(fields: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let block = block(fields);
    let parts: Vec<&[u8]> = block.chunks(16_000).collect();
    let last = parts.len() - 1;
    let piece = |(at, part): (usize, &&[u8])| {
        let end = if at == last { 0x4 } else { 0 };
        match at {
            0 => frame(1, 0x1 | end, 1, part),
            _ => frame(9, end, 1, part),
        }
    };
    parts.iter().enumerate().map(piece).collect()
}

fn framing() -> Vec<Case> {
    const GROUP: &str = "HTTP/2 bodies";
    let post = |more: &[(&'static str, &'static str)]| headers(1, false, &[&POST[..], more].concat());
    let bad = Reset(PROTOCOL_ERROR);
    vec![
        case(
            GROUP,
            "more than Content-Length",
            &[post(&[("content-length", "3")]), data(1, true, b"hello")],
            bad,
        ),
        case(
            GROUP,
            "less than Content-Length",
            &[post(&[("content-length", "9")]), data(1, true, b"hello")],
            bad,
        ),
        case(
            GROUP,
            "none for a Content-Length",
            &[headers(
                1,
                true,
                &[&POST[..], &[("content-length", "9")]].concat(),
            )],
            bad,
        ),
        case(
            GROUP,
            "two Content-Length",
            &[
                post(&[("content-length", "5"), ("content-length", "6")]),
                data(1, true, b"hello"),
            ],
            bad,
        ),
        case(
            GROUP,
            "a Content-Length of +5",
            &[post(&[("content-length", "+5")]), data(1, true, b"hello")],
            bad,
        ),
        Case {
            never: "/other",
            why: TRAILERS,
            ..case(
                GROUP,
                "a pseudo-header in the trailers",
                &[
                    post(&[]),
                    data(1, false, b"hello"),
                    headers(1, true, &[(":path", "/other")]),
                ],
                Status(200),
            )
        },
        case(
            GROUP,
            "trailers that do not end the stream",
            &[
                post(&[]),
                data(1, false, b"hello"),
                headers(1, false, &[("x-a", "b")]),
            ],
            bad,
        ),
        Case {
            never: "6.6.6.6",
            why: TRAILERS,
            ..case(
                GROUP,
                "a trailer that sets X-Forwarded-For",
                &[
                    post(&[]),
                    data(1, false, b"hello"),
                    headers(1, true, &[("x-forwarded-for", "6.6.6.6")]),
                ],
                Status(200),
            )
        },
        case(
            GROUP,
            "a body that never comes",
            &[post(&[("content-length", "500")]), data(1, false, b"hello")],
            Status(408),
        ),
    ]
}

fn frames() -> Vec<Case> {
    const GROUP: &str = "HTTP/2 frames";
    let one = |name: &str, frames: &[Vec<u8>], wanted| case(GROUP, name, frames, wanted);
    let raw = |name: &str, bytes: &[u8], wanted| Case {
        input: Input::Http2(bytes.to_vec()),
        ..one(name, &[], wanted)
    };
    let bad = GoAway(PROTOCOL_ERROR);
    let size = GoAway(FRAME_SIZE_ERROR);
    let setting =
        |id: u16, value: u32| frame(4, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
    let get = headers(1, true, &GET);
    vec![
        raw(
            "HTTP/1.1 where HTTP/2 was agreed on",
            b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n",
            Closed,
        ),
        raw("half a preface", b"PRI * HTTP/2.0\r\n\r\nS", GoAway(CALM)),
        raw("a wrong preface", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", Closed),
        one("DATA on stream 0", &[data(0, true, b"x")], bad),
        one("DATA on an idle stream", &[data(1, true, b"x")], bad),
        one("HEADERS on stream 0", &[headers(0, true, &GET)], bad),
        one("HEADERS on an even stream", &[headers(2, true, &GET)], bad),
        one(
            "a stream that is older than the last",
            &[headers(5, false, &POST), headers(3, true, &GET)],
            bad,
        ),
        one("HEADERS of garbage", &[frame(1, 0x5, 1, &[0xff; 20])], bad),
        one("an index beyond the table", &[frame(1, 0x5, 1, &[0xfe])], bad),
        one(
            "padding longer than its frame",
            &[frame(1, 0xd, 1, &[200, 0x82])],
            bad,
        ),
        one(
            "a stream that depends on itself",
            &[frame(1, 0x25, 1, &[&[0, 0, 0, 1, 16][..], &block(&GET)].concat())],
            Reset(PROTOCOL_ERROR),
        ),
        one("CONTINUATION of nothing", &[frame(9, 0x4, 1, &block(&GET))], bad),
        one(
            "a PING within a field block",
            &[frame(1, 0x1, 1, &block(&GET)), frame(6, 0, 0, &[0; 8])],
            bad,
        ),
        one(
            "PUSH_PROMISE from a client",
            &[frame(5, 0x4, 1, &[0, 0, 0, 2])],
            bad,
        ),
        one("a frame of 17 KB", &[frame(0, 0, 1, &[0; 17_000])], size),
        one("SETTINGS of five bytes", &[frame(4, 0, 0, &[0; 5])], bad),
        one("SETTINGS on a stream", &[frame(4, 0, 1, &[])], bad),
        one(
            "an acknowledgement of SETTINGS with content",
            &[frame(4, 1, 0, &[0; 6])],
            bad,
        ),
        one("ENABLE_PUSH of 2", &[setting(2, 2)], bad),
        one("INITIAL_WINDOW_SIZE of 2^31", &[setting(4, 1 << 31)], bad),
        one("MAX_FRAME_SIZE of 1", &[setting(5, 1)], bad),
        one("PING of seven bytes", &[frame(6, 0, 0, &[0; 7])], bad),
        one("PING on a stream", &[frame(6, 0, 1, &[0; 8])], bad),
        one(
            "RST_STREAM on an idle stream",
            &[frame(3, 0, 1, &[0, 0, 0, 8])],
            bad,
        ),
        one(
            "RST_STREAM of three bytes",
            &[get.clone(), frame(3, 0, 1, &[0; 3])],
            bad,
        ),
        one("WINDOW_UPDATE of 0", &[frame(8, 0, 0, &[0; 4])], bad),
        one(
            "WINDOW_UPDATE beyond 2^31",
            &[frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff])],
            GoAway(FLOW_CONTROL_ERROR),
        ),
        one("GOAWAY on a stream", &[frame(7, 0, 1, &[0; 8])], bad),
        one(
            "WINDOW_UPDATE of a stream beyond 2^31",
            &[
                headers(1, false, &POST),
                frame(8, 0, 1, &[0x7f, 0xff, 0xff, 0xff]),
            ],
            Reset(FLOW_CONTROL_ERROR),
        ),
        one(
            "WINDOW_UPDATE of 0 on a stream",
            &[headers(1, false, &POST), frame(8, 0, 1, &[0; 4])],
            bad,
        ),
        one(
            "INITIAL_WINDOW_SIZE that takes an open stream beyond 2^31",
            &[
                headers(1, false, &POST),
                frame(8, 0, 1, &[0x40, 0, 0, 0]),
                setting(4, 0x7fff_ffff),
            ],
            GoAway(FLOW_CONTROL_ERROR),
        ),
        one(
            "INITIAL_WINDOW_SIZE of 1",
            &[setting(4, 1), get.clone()],
            Status(200),
        ),
        one(
            "INITIAL_WINDOW_SIZE of 0 behind the request",
            &[get.clone(), setting(4, 0)],
            Status(200),
        ),
        Case {
            why: "it is an offer: the edge's own table stays at 4 KiB",
            never: "4294967295",
            ..one(
                "HEADER_TABLE_SIZE of 2^32-1",
                &[setting(1, u32::MAX), get],
                Status(200),
            )
        },
    ]
}
