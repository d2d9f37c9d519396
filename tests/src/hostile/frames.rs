//! HTTP/2 by hand: frames as bytes, sound or not.

/// RFC 9113 section 3.4, with empty settings behind it.
pub fn connection(frames: &[Vec<u8>]) -> Vec<u8> {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    [preface, frame(4, 0, 0, &[]), frames.concat()].concat()
}

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// HEADERS, complete; `end` if the request has no body.
pub fn headers(stream: u32, end: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(1, 0x4 | u8::from(end), stream, &block(fields))
}

/// DATA.
pub fn data(stream: u32, end: bool, payload: &[u8]) -> Vec<u8> {
    frame(0, u8::from(end), stream, payload)
}

/// A field block of literals (RFC 7541 section 6.2.2), not compressed.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        push_string(&mut block, name);
        push_string(&mut block, value);
    }
    block
}

fn push_string(block: &mut Vec<u8>, text: &str) {
    // What stands for one byte is one: tests write \u{ff} for it.
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    if bytes.len() < 127 {
        block.push(bytes.len() as u8);
    } else {
        block.push(127);
        let mut rest = bytes.len() - 127;
        while rest >= 128 {
            block.push((rest % 128) as u8 | 0x80);
            rest /= 128;
        }
        block.push(rest as u8);
    }
    block.extend_from_slice(&bytes);
}

/// The status that a field block of an answer begins with.
pub fn status(block: &[u8]) -> Option<u16> {
    let mut rest = block;
    // Changes of the table's size.
    while let [first, behind @ ..] = rest
        && first >> 5 == 1
    {
        rest = behind;
    }
    match rest {
        [indexed, ..] if indexed & 0x80 != 0 => {
            const KNOWN: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
            KNOWN.get(usize::from(indexed & 0x7f).checked_sub(8)?).copied()
        }
        // A literal with the name of the static table's entry 8.
        [0x48 | 0x08 | 0x18, length, value @ ..] => {
            let text = value.get(..usize::from(length & 0x7f))?;
            match length & 0x80 {
                0 => std::str::from_utf8(text).ok()?.parse().ok(),
                _ => digits(text),
            }
        }
        _ => None,
    }
}

/// Three digits in the code of RFC 7541, appendix B: 0 to 2 have five bits, the others six.
fn digits(coded: &[u8]) -> Option<u16> {
    let mut bits = coded
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let five = (0..5).try_fold(0, |code, _| Some(code << 1 | bits.next()?))?;
        let digit = match five {
            0..=2 => five,
            _ => (five << 1 | bits.next()?).checked_sub(0x19)? + 3,
        };
        number = number * 10 + digit;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_as_servers_write_them() {
        assert_eq!(status(&[0x88]), Some(200));
        assert_eq!(status(&[0x8c, 0x61]), Some(400));
        assert_eq!(status(&[0x48, 3, b'4', b'3', b'1']), Some(431));
        // "302" and "307" of RFC 7541, appendix C.6.
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        assert_eq!(status(&[0x48, 0x83, 0x64, 0x0e, 0xff]), Some(307));
    }
}
