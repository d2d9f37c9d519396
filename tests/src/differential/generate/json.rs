//! JSON, and what is nearly JSON.

use crate::differential::random::Random;

use super::Stock;
use super::disguise::disguised;

const TYPES: &[&str] = &[
    "application/json",
    "application/json",
    "application/json",
    "application/json; charset=utf-8",
    "application/vnd.api+json",
    "application/json;charset=utf-16",
    "Application/JSON",
    "text/json",
];

pub(super) fn json(stock: &Stock, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let mut out = Vec::new();
    match random.below(40) {
        0 => out.extend_from_slice(b"\xef\xbb\xbf"),
        1 => out.extend_from_slice(b" \r\n\t"),
        _ => {}
    }
    let depth = *random.pick(&[0, 1, 1, 2, 2, 3, 5, 30]);
    value(stock, random, depth, &mut out);
    match random.below(40) {
        0 => out.extend_from_slice(b"\n{\"second\":1}"),
        1 => out.extend_from_slice(b"\n\n"),
        2 => out.extend_from_slice(b"}"),
        3 => out.extend_from_slice(b" x"),
        4 => drop(out.pop()),
        5 => out.push(0),
        _ => {}
    }
    (random.pick(TYPES).as_bytes().to_vec(), out)
}

fn value(stock: &Stock, random: &mut Random, depth: usize, out: &mut Vec<u8>) {
    if depth > 0 {
        return if random.once_in(3) {
            array(stock, random, depth, out)
        } else {
            object(stock, random, depth, out)
        };
    }
    const PLAIN: &[&str] = &[
        "1",
        "-0",
        "1e400",
        "123456789012345678901234567890",
        "0.1",
        "true",
        "false",
        "null",
        "01",
        "1.",
        "NaN",
        "'x'",
        "-",
        "{}",
        "[]",
        "\"\"",
        "True",
        "1E+2",
        "0x1F",
        "undefined",
    ];
    match random.below(4) {
        0 => out.extend_from_slice(random.pick(PLAIN).as_bytes()),
        _ => string(&disguised(stock.value(random), random), random, out),
    }
}

fn array(stock: &Stock, random: &mut Random, depth: usize, out: &mut Vec<u8>) {
    out.push(b'[');
    for index in 0..width(random, depth) {
        if index > 0 {
            out.push(b',');
        }
        let depth = shallower(random, depth);
        value(stock, random, depth, out);
    }
    if random.once_in(40) {
        out.push(b',');
    }
    out.push(b']');
}

fn object(stock: &Stock, random: &mut Random, depth: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    for index in 0..width(random, depth) {
        if index > 0 {
            out.extend_from_slice(random.pick(&[",", ", ", ",\n  "]).as_bytes());
        }
        let name = if random.once_in(8) {
            disguised(stock.value(random), random)
        } else {
            stock.name(random).to_vec()
        };
        string(&name, random, out);
        out.extend_from_slice(random.pick(&[":", ": ", " :"]).as_bytes());
        let depth = shallower(random, depth);
        value(stock, random, depth, out);
    }
    out.push(b'}');
}

/// How many members: deep documents are narrow.
fn width(random: &mut Random, depth: usize) -> usize {
    if depth > 4 { 1 } else { random.below(4) }
}

/// Mostly one level less.
fn shallower(random: &mut Random, depth: usize) -> usize {
    if depth > 5 || !random.once_in(3) {
        depth - 1
    } else {
        0
    }
}

fn string(text: &[u8], random: &mut Random, out: &mut Vec<u8>) {
    let style = random.below(10);
    out.push(b'"');
    for byte in text {
        match byte {
            _ if style == 0 => out.extend_from_slice(format!("\\u00{byte:02x}").as_bytes()),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' if style < 8 => out.extend_from_slice(b"\\n"),
            0..=0x1f if style < 8 => out.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
            b'/' if style == 1 => out.extend_from_slice(b"\\/"),
            _ => out.push(*byte),
        }
    }
    if random.once_in(25) {
        const ODD: &[&str] = &[
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\ude00x",
            "\\u0000",
            "\\x41",
            "\\u12",
            "\\uD83D\\u0041",
            "\\b\\f\\t\\r",
            "\\'",
        ];
        out.extend_from_slice(random.pick(ODD).as_bytes());
    }
    out.push(b'"');
}
