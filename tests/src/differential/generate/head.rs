//! Request lines and headers.

use crate::corpus::wire::Message;
use crate::differential::random::Random;

use super::disguise::{disguised, encoded};
use super::values::HEADERS;
use super::{Stock, either};

const METHODS: &[&str] = &["GET", "GET", "GET", "HEAD", "OPTIONS", "DELETE"];
const WITH_BODY: &[&str] = &["POST", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "GET"];
const ODD_METHODS: &[&str] = &[
    "PROPFIND", "TRACE", "get", "CONNECT", "MKCOL", "FROB", "PATCHX", "A-B",
];
const PROTOCOLS: &[&str] = &[
    "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/3.0",
];
const PATHS: &[&str] = &[
    "/",
    "/index.html",
    "/api/v1/items/17",
    "/a/b/c.php",
    "/upload",
    "/login",
    "/a%20b/c",
    "/%2e%2e/x",
    "//double//",
    "/a;v=1/b",
    "/.git/config",
    "/x/../y",
    "/a.b.c/",
    "/%C3%A9t%C3%A9",
    "/caf\u{e9}",
    "/a+b",
    "/a%2Fb",
    "/a%00b",
    "/a%",
    "/a%zz",
    "/%u0061",
    "/backup.sql",
    "/a\\b",
    "/wp-admin/",
    "/reflect",
    "/a?",
    "/~user/",
    "/a'b",
    "*",
];

/// A head without a body.
pub(super) fn head(stock: &Stock, random: &mut Random, has_body: bool) -> Message {
    let methods = if has_body { WITH_BODY } else { METHODS };
    let method = if random.once_in(40) {
        random.pick(ODD_METHODS)
    } else {
        random.pick(methods)
    };
    let mut message = Message {
        method: method.as_bytes().to_vec(),
        target: target(stock, random),
        protocol: random.pick(PROTOCOLS).as_bytes().to_vec(),
        ..Message::default()
    };
    headers(&mut message, stock, random);
    message
}

fn target(stock: &Stock, random: &mut Random) -> Vec<u8> {
    let mut target = path(stock, random);
    if !random.once_in(4) {
        target.push(b'?');
        target.extend(pairs(stock, random));
    }
    if random.once_in(30) {
        target.extend_from_slice(
            random
                .pick(&["#part", "?x=y", "#a?b=c", "/x", "%23a", "?", "&", "="])
                .as_bytes(),
        );
    }
    if random.once_in(30) {
        target.splice(
            0..0,
            random
                .pick(&[
                    "http://app.test",
                    "https://app.test:8443",
                    "//other",
                    "x:",
                    "http://a@b",
                ])
                .bytes(),
        );
    }
    clean(target)
}

fn path(stock: &Stock, random: &mut Random) -> Vec<u8> {
    let mut path = random.pick(PATHS).as_bytes().to_vec();
    if random.once_in(6) {
        let value = disguised(stock.value(random), random);
        path.push(b'/');
        path.extend(either(random, encoded(&value), value));
    }
    path
}

/// `a=b&c=d`, as browsers write it and as they do not.
pub(super) fn pairs(stock: &Stock, random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    let separators: &[&str] = &["&", "&", "&", "&", "&", "&", "&&", ";", "&amp;", "%26", "?"];
    for index in 0..*random.pick(&[1, 1, 2, 2, 3]) {
        if index > 0 {
            text.extend_from_slice(random.pick(separators).as_bytes());
        }
        text.extend(name(stock, random));
        let equals: &[&str] = &["=", "=", "=", "=", "=", "=", "", "==", "%3d", " = "];
        text.extend_from_slice(random.pick(equals).as_bytes());
        let value = disguised(stock.value(random), random);
        let safe = encoded(&value);
        text.extend(if random.once_in(4) { value } else { safe });
    }
    text
}

/// A name of an argument; once in a while an attack stands there.
pub(super) fn name(stock: &Stock, random: &mut Random) -> Vec<u8> {
    if random.once_in(8) {
        let name = disguised(stock.value(random), random);
        return either(random, encoded(&name), name);
    }
    encoded(stock.name(random))
}

fn headers(message: &mut Message, stock: &Stock, random: &mut Random) {
    let host = random.pick(&[
        "app.test",
        "app.test",
        "app.test",
        "app.test:8443",
        "127.0.0.1",
        "[::1]",
        "",
        "a, b",
    ]);
    if !random.once_in(30) {
        message.headers.push((b"Host".to_vec(), host.as_bytes().to_vec()));
    }
    for (name, value) in HEADERS.iter().filter(|_| random.once_in(4)).collect::<Vec<_>>() {
        add(message, name.as_bytes(), value.as_bytes().to_vec());
    }
    if random.once_in(4) {
        let name = random.pick(&[
            "User-Agent",
            "Referer",
            "X-Custom",
            "Accept",
            "Cookie",
            "X-Forwarded-For",
            "Accept-Language",
            "Range",
        ]);
        let value = disguised(stock.value(random), random);
        add(
            message,
            name.as_bytes(),
            either(random, value.clone(), encoded(&value)),
        );
    }
    if random.once_in(4) {
        let cookie = cookies(stock, random);
        add(message, b"Cookie", cookie);
    }
}

/// Cookies, also in the syntaxes that only some parsers know.
fn cookies(stock: &Stock, random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for index in 0..*random.pick(&[1, 1, 2, 2, 3]) {
        if index > 0 {
            text.extend_from_slice(
                random
                    .pick(&["; ", "; ", ";", ";; ", ", ", " ;", ";\t", "&"])
                    .as_bytes(),
            );
        }
        text.extend(name(stock, random));
        text.extend_from_slice(random.pick(&["=", "=", "=", "=", "", "==", " = "]).as_bytes());
        let value = disguised(stock.value(random), random);
        let quoted = [&b"\""[..], &value, b"\""].concat();
        text.extend(match random.below(4) {
            0 => value,
            1 => quoted,
            _ => encoded(&value),
        });
    }
    text
}

/// Adds a header unless it is there already: an HTTP server merges them before any engine sees them.
pub(super) fn add(message: &mut Message, name: &[u8], value: Vec<u8>) {
    if message
        .headers
        .iter()
        .all(|(known, _)| !known.eq_ignore_ascii_case(name))
    {
        let value = field(value);
        message.headers.push((name.to_vec(), value));
    }
}

/// What an HTTP server lets into a target: no blanks, no control characters.
pub(super) fn clean(mut target: Vec<u8>) -> Vec<u8> {
    target.retain(|byte| *byte > b' ' && *byte != 0x7f);
    if target.is_empty() {
        target.push(b'/');
    }
    target
}

/// What an HTTP server lets into a header's value.
pub(super) fn field(value: Vec<u8>) -> Vec<u8> {
    let mut value = value;
    value.retain(|byte| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f);
    value.trim_ascii().to_vec()
}
