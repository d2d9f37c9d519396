//! Disguises of a value: what attackers do to the bytes, and what careless clients do.

use crate::differential::random::Random;

type Disguise = fn(&[u8], &mut Random) -> Vec<u8>;

const DISGUISES: &[Disguise] = &[
    percent_all,
    percent_some,
    percent_twice,
    percent_unicode,
    broken_percent,
    full_width,
    overlong,
    entities,
    script_escapes,
    style_escapes,
    base64,
    hex,
    other_case,
    nul,
    comments,
    blanks,
    quotes,
    insert_bytes,
    drop_bytes,
    repeat,
    halve,
    latin1,
    long,
    utf7,
    escapes_of_shells,
];

/// Between none and three disguises, one over the other.
pub(super) fn disguised(value: &[u8], random: &mut Random) -> Vec<u8> {
    let mut value = value.to_vec();
    for _ in 0..*random.pick(&[0, 0, 1, 1, 1, 2, 3]) {
        value = random.pick(DISGUISES)(&value, random);
    }
    value.truncate(400);
    value
}

/// As a browser encodes a value in a form or a query.
pub(super) fn encoded(value: &[u8]) -> Vec<u8> {
    each(value, |byte, out| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
        b' ' => out.push(b'+'),
        _ => percent(byte, out),
    })
}

fn each(value: &[u8], mut write: impl FnMut(u8, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() * 3);
    value.iter().for_each(|byte| write(*byte, &mut out));
    out
}

fn percent(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("%{byte:02X}").as_bytes());
}

fn percent_all(value: &[u8], _: &mut Random) -> Vec<u8> {
    each(value, percent)
}

fn percent_some(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| {
        if random.once_in(3) {
            out.extend_from_slice(format!("%{byte:02x}").as_bytes());
        } else {
            out.push(byte);
        }
    })
}

fn percent_twice(value: &[u8], _: &mut Random) -> Vec<u8> {
    each(&encoded(value), |byte, out| match byte {
        b'%' => out.extend_from_slice(b"%25"),
        _ => out.push(byte),
    })
}

fn percent_unicode(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| match random.below(4) {
        0 => out.extend_from_slice(format!("%u00{byte:02x}").as_bytes()),
        1 => out.extend_from_slice(format!("%uff{:02x}", byte.wrapping_sub(0x20)).as_bytes()),
        2 => out.extend_from_slice(format!("%U{:04X}", 0x100 + u16::from(byte) * 7).as_bytes()),
        _ => out.push(byte),
    })
}

fn broken_percent(value: &[u8], random: &mut Random) -> Vec<u8> {
    let mut value = value.to_vec();
    let broken = random.pick(&[
        "%", "%4", "%zz", "%u12", "%uZZZZ", "%%41", "%2", "%u", "%e9", "%c3%28", "%-1", "%u0",
    ]);
    let at = random.below(value.len() + 1);
    value.splice(at..at, broken.bytes());
    value
}

fn full_width(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| {
        match char::from_u32(0xff00 + u32::from(byte) - 0x20) {
            Some(wide) if byte > 0x20 && byte < 0x7f && random.once_in(2) => {
                out.extend_from_slice(wide.to_string().as_bytes());
            }
            _ => out.push(byte),
        }
    })
}

fn overlong(value: &[u8], random: &mut Random) -> Vec<u8> {
    let raw = random.once_in(2);
    each(value, |byte, out| {
        let bytes: &[u8] = match random.below(4) {
            0 if byte < 0x80 => &[0xc0 | byte >> 6, 0x80 | byte & 0x3f],
            1 if byte < 0x80 => &[0xe0, 0x80 | byte >> 6, 0x80 | byte & 0x3f],
            _ => &[byte],
        };
        for byte in bytes {
            if raw || bytes.len() == 1 {
                out.push(*byte);
            } else {
                percent(*byte, out);
            }
        }
    })
}

fn entities(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| {
        let entity = match random.below(7) {
            0 => format!("&#{byte};"),
            1 => format!("&#x{byte:x};"),
            2 => format!("&#X{byte:05X}"),
            3 => format!("&#{byte}"),
            4 if byte == b'<' => "&lt;".to_owned(),
            4 if byte == b'"' => "&QUOT".to_owned(),
            4 if byte == b' ' => "&nbsp;".to_owned(),
            5 => format!("&#{:07};", u32::from(byte) + 256),
            _ => return out.push(byte),
        };
        out.extend_from_slice(entity.as_bytes());
    })
}

fn script_escapes(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| {
        let escape = match random.below(8) {
            0 => format!("\\x{byte:02x}"),
            1 => format!("\\u00{byte:02X}"),
            2 => format!("\\{byte:o}"),
            3 => format!("\\uff{:02x}", byte.wrapping_sub(0x20)),
            4 => format!("\\u{{{byte:x}}}"),
            5 => "\\n\\\"\\'\\".to_owned(),
            _ => return out.push(byte),
        };
        out.extend_from_slice(escape.as_bytes());
    })
}

fn style_escapes(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| match random.below(5) {
        0 => out.extend_from_slice(format!("\\{byte:x} ").as_bytes()),
        1 => out.extend_from_slice(format!("\\{byte:06X}").as_bytes()),
        2 => out.extend_from_slice(&[b'\\', byte]),
        _ => out.push(byte),
    })
}

fn base64(value: &[u8], random: &mut Random) -> Vec<u8> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let text = if random.once_in(2) {
        STANDARD.encode(value)
    } else {
        URL_SAFE_NO_PAD.encode(value)
    };
    let mut text = text.into_bytes();
    if random.once_in(4) {
        let at = random.below(text.len() + 1);
        text.insert(at, *random.pick(b" \n.=-"));
    }
    text
}

fn hex(value: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    if random.once_in(3) {
        text.insert_str(0, "0x");
    }
    text.into_bytes()
}

fn other_case(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| {
        out.push(if random.once_in(2) {
            byte.to_ascii_uppercase()
        } else {
            byte.to_ascii_lowercase()
        });
    })
}

fn nul(value: &[u8], random: &mut Random) -> Vec<u8> {
    let mut value = value.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(value.len() + 1);
        value.insert(at, 0);
    }
    value
}

fn comments(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| match byte {
        b' ' => out.extend_from_slice(
            random
                .pick(&[
                    "/**/",
                    "/*x*/",
                    "--\n",
                    "#\n",
                    "/*",
                    "<!--",
                    "*/",
                    "-- ",
                    "/*!50000*/",
                    "/*/*nested*/*/",
                    "-->",
                ])
                .as_bytes(),
        ),
        _ => out.push(byte),
    })
}

fn blanks(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| match byte {
        b' ' => out.extend_from_slice(random.pick::<&[u8]>(&[
            b"\t",
            b"\n",
            b"\r\n",
            b"\x0b",
            b"\x0c",
            b"\xa0",
            b"\xc2\xa0",
            b"  ",
            b"\0",
            b"\xe2\x80\x83",
            b"\x85",
            b"+",
        ])),
        _ => out.push(byte),
    })
}

fn quotes(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| {
        if random.once_in(6) {
            out.extend_from_slice(
                random
                    .pick(&["'", "\"", "\\", "''", "\"\"", "^", "`", "$@", "\\\\"])
                    .as_bytes(),
            );
        }
        out.push(byte);
    })
}

fn insert_bytes(value: &[u8], random: &mut Random) -> Vec<u8> {
    let mut value = value.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(value.len() + 1);
        value.insert(at, random.byte());
    }
    value
}

fn drop_bytes(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| {
        if !random.once_in(12) {
            out.push(byte);
        }
    })
}

fn repeat(value: &[u8], random: &mut Random) -> Vec<u8> {
    value.repeat(2 + random.below(3))
}

fn halve(value: &[u8], random: &mut Random) -> Vec<u8> {
    let at = random.below(value.len() + 1);
    if random.once_in(2) {
        value[..at].to_vec()
    } else {
        value[at..].to_vec()
    }
}

fn latin1(value: &[u8], _: &mut Random) -> Vec<u8> {
    String::from_utf8_lossy(value)
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}

fn long(value: &[u8], random: &mut Random) -> Vec<u8> {
    let mut long = vec![*random.pick(b"a0 .%\xff"); 100 + random.below(250)];
    long.extend_from_slice(value);
    long
}

fn utf7(value: &[u8], _: &mut Random) -> Vec<u8> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    each(value, |byte, out| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte),
        _ => out.extend_from_slice(format!("+{}-", STANDARD_NO_PAD.encode([0, byte])).as_bytes()),
    })
}

fn escapes_of_shells(value: &[u8], random: &mut Random) -> Vec<u8> {
    each(value, |byte, out| match (byte, random.below(5)) {
        (b' ', 0) => out.extend_from_slice(b"${IFS}"),
        (b' ', 1) => out.extend_from_slice(b"$IFS$9"),
        (b'/', 0) => out.extend_from_slice(b"${HOME:0:1}"),
        (_, 0) => out.extend_from_slice(&[b'\\', byte]),
        (_, 1) => out.extend_from_slice(&[b'\'', byte, b'\'']),
        _ => out.push(byte),
    })
}
