//! Bodies: which type they say they have, and which they are.

use crate::differential::random::Random;

use super::{Stock, either, head, json, multipart, xml};

/// A content type (or none) and a body.
pub(super) fn body(stock: &Stock, random: &mut Random) -> (Option<Vec<u8>>, Vec<u8>) {
    let (content_type, body) = match random.below(10) {
        0..=2 => form(stock, random),
        3..=5 => multipart::multipart(stock, random),
        6..=7 => json::json(stock, random),
        8 => xml::xml(stock, random),
        _ => other(stock, random),
    };
    match random.below(30) {
        0 => (None, body),
        1 => (Some(random.pick(MISFITS).as_bytes().to_vec()), body),
        2 => (Some(content_type), damaged(body, random)),
        _ => (Some(content_type), body),
    }
}

const FORMS: &[&str] = &[
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=UTF-8",
    "application/x-www-form-urlencoded;charset=utf-7",
    "application/x-www-form-urlencoded; charset=ibm037",
    "application/x-www-form-urlencoded; charset=\"shift_jis\"",
    "APPLICATION/X-WWW-FORM-URLENCODED",
    "application/x-www-form-urlencoded, text/plain",
    " application/x-www-form-urlencoded",
];

const MISFITS: &[&str] = &[
    "application/x-www-form-urlencoded",
    "application/json",
    "text/xml",
    "multipart/form-data",
    "multipart/form-data; boundary=abc",
    "multipart/mixed; boundary=abc",
    "text/plain",
    "application/octet-stream",
    "application/json; charset=utf-16",
    "application/soap+xml",
    "application/vnd.api+json",
    "text/html",
    "",
    "/",
    "application/xml, application/json",
    "application/json;x=multipart/form-data; boundary=abc",
    "application/jsonx",
    "application/x-ndjson",
];

fn form(stock: &Stock, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let mut body = head::pairs(stock, random);
    if random.once_in(20) {
        body.extend_from_slice(
            random
                .pick(&["&", "=", "&=", "&&&", "\r\n", "\0", "%", "&%", "&=&=x"])
                .as_bytes(),
        );
    }
    (random.pick(FORMS).as_bytes().to_vec(), body)
}

fn other(stock: &Stock, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let value = stock.value(random).to_vec();
    let pairs = head::pairs(stock, random);
    (
        random.pick(MISFITS).as_bytes().to_vec(),
        either(random, value, pairs),
    )
}

/// A byte lost, changed, or the end missing.
fn damaged(mut body: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(3) {
        let at = random.below(body.len());
        match random.below(4) {
            _ if body.is_empty() => {}
            0 => body.truncate(at),
            1 => {
                body.remove(at);
            }
            2 => body[at] = random.byte(),
            _ => body.insert(at, *random.pick(b"\0\r\n\"'<>{}[],;:=&%\\-")),
        }
    }
    body
}
