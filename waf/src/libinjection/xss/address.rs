//! Addresses that run script.

/// Schemes; what follows does not matter, so that JAVA stands for JAVASCRIPT, too.
const SCHEMES: [&[u8]; 4] = [b"DATA", b"VIEW-SOURCE", b"VBSCRIPT", b"JAVA"];

/// Whether the address has such a scheme, as far as browsers read over what stands before and within.
pub(super) fn runs_script(address: &[u8]) -> bool {
    let start = address
        .iter()
        .position(|byte| matches!(byte, 33..=126))
        .unwrap_or(address.len());
    let address = address.get(start..).unwrap_or_default();
    SCHEMES.iter().any(|scheme| begins_with(address, scheme))
}

/// Whether the address, its character references resolved, begins with `scheme`, which is in upper case. White
/// space and control characters in front, NULs and line feeds are read over.
fn begins_with(address: &[u8], scheme: &[u8]) -> bool {
    let mut rest = address;
    let mut expected = scheme.iter();
    let mut wanted = expected.next();
    let mut is_first = true;
    while let (Some(letter), Some((code, after))) = (wanted, character(rest)) {
        rest = after;
        if (is_first && code <= 32) || code == 0 || code == 10 {
            continue;
        }
        is_first = false;
        if upper(code) != *letter {
            return false;
        }
        wanted = expected.next();
    }
    wanted.is_none()
}

/// In upper case, and cut to a byte as the reference does.
fn upper(code: u32) -> u8 {
    let lower = u32::from(b'a')..=u32::from(b'z');
    let code = if lower.contains(&code) { code - 0x20 } else { code };
    (code & 0xff) as u8
}

/// The largest number that a character reference can have.
const LARGEST: u32 = 0x10_00ff;

/// The code of the next character, and what follows it.
fn character(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let reference = match bytes {
        [b'&', b'#', b'x' | b'X', digits @ ..] => reference(digits, 16),
        [b'&', b'#', digits @ ..] => reference(digits, 10),
        _ => None,
    };
    reference.or_else(|| bytes.split_first().map(|(&byte, rest)| (u32::from(byte), rest)))
}

/// The number that `digits` begin with; a semicolon may end it. None if there is none or if it is too large.
fn reference(digits: &[u8], radix: u32) -> Option<(u32, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(radix);
    let (&first, mut rest) = digits.split_first()?;
    let mut code = digit(first)?;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b';' {
            return Some((code, after));
        }
        let Some(value) = digit(byte) else { break };
        code = code * radix + value;
        if code > LARGEST {
            return None;
        }
        rest = after;
    }
    Some((code, rest))
}

#[cfg(test)]
mod tests {
    use super::runs_script;

    #[test]
    fn schemes_in_disguise() {
        for (address, expected) in [
            (&b"javascript:alert(1)"[..], true),
            (b"JaVa", true),
            (b"jav", false),
            (b"\x01 \xc2\xa0javascript:", true),
            (b"j\0a\nva", true),
            (b"j ava", false),
            (b"&#106;&#x61;v&#97", true),
            (b"&#000000106ava", true),
            (b"&#99999999;java", false),
            (b"&#x;java", false),
            (b"&#", false),
            (b"&", false),
            (b"&#13;&#10;data:", true),
            (b"view-source:x", true),
            (b"vbscript", true),
            (b"https://example.org/java", false),
            (b"/data", false),
            (b"", false),
            (b"\x80\xff", false),
        ] {
            assert_eq!(
                runs_script(address),
                expected,
                "{:?}",
                address.escape_ascii().to_string()
            );
        }
    }
}
