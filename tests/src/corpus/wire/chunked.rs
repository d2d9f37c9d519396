//! The chunked transfer coding (RFC 9112 section 7.1).

/// The content of a chunked body, and whether it was whole and well-formed.
pub(super) fn dechunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some((size, data)) = chunk_size(rest) {
        if size == 0 {
            return (body, true);
        }
        let Some((chunk, behind)) = data.split_at_checked(size) else {
            body.extend_from_slice(data);
            return (body, false);
        };
        body.extend_from_slice(chunk);
        match behind.strip_prefix(b"\r\n") {
            Some(next) => rest = next,
            None => return (body, false),
        }
    }
    (body, false)
}

/// The size at the start and what follows its line; extensions are ignored.
fn chunk_size(rest: &[u8]) -> Option<(usize, &[u8])> {
    let end = rest.windows(2).position(|window| window == b"\r\n")?;
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    let digits = line.split(';').next()?.trim();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((usize::from_str_radix(digits, 16).ok()?, &rest[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        assert_eq!(
            dechunked(b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"),
            (b"abc0123456789".to_vec(), true)
        );
    }

    #[test]
    fn broken_chunks_keep_what_came() {
        for (wire, body) in [
            ("5\r\nabc", "abc"),
            ("x\r\nabc", ""),
            ("3\r\nabcX", "abc"),
            ("", ""),
        ] {
            assert_eq!(
                dechunked(wire.as_bytes()),
                (body.as_bytes().to_vec(), false),
                "{wire:?}"
            );
        }
    }
}
