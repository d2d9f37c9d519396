//! `application/x-www-form-urlencoded`: query strings and form bodies.

/// What a query string or a form body holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Decoded names and values, in order, duplicates kept.
    pub pairs: Vec<(Vec<u8>, Vec<u8>)>,
    /// A `%` was not followed by two hexadecimal digits (`URLENCODED_ERROR`).
    pub invalid_encoding: bool,
    /// There were more pairs than allowed; the rest is not in `pairs`.
    pub truncated: bool,
}

/// Splits at `separator`, then at the first `=`, and decodes both sides.
///
/// A name without `=` is kept with an empty value, as is a value without a name. Empty pieces (`a&&b`)
/// are no arguments: Coraza skips them too, ModSecurity v3 makes them nameless ones.
pub fn parse(input: &[u8], separator: u8, max_arguments: usize) -> Pairs {
    let mut found = Pairs::default();
    let pieces = input.split(|byte| *byte == separator);
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        if found.pairs.len() >= max_arguments {
            found.truncated = true;
            break;
        }
        let (name, value) = split_at_equals(piece);
        let (name, bad_name) = decode(name);
        let (value, bad_value) = decode(value);
        found.invalid_encoding |= bad_name | bad_value;
        found.pairs.push((name, value));
    }
    found
}

/// Form decoding: `%XX` is a byte, `+` a space. `true` if some `%` could not be decoded and was kept.
pub fn decode(input: &[u8]) -> (Vec<u8>, bool) {
    decode_bytes(input, true)
}

/// Percent decoding alone, for paths: `+` stays. `true` if some `%` could not be decoded and was kept.
pub fn decode_path(input: &[u8]) -> (Vec<u8>, bool) {
    decode_bytes(input, false)
}

/// Before and after the first `=`; nothing after it when there is none.
pub(super) fn split_at_equals(piece: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', piece) {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (piece, &[]),
    }
}

fn decode_bytes(input: &[u8], plus_is_space: bool) -> (Vec<u8>, bool) {
    let mut decoded = Vec::with_capacity(input.len());
    let mut invalid = false;
    let plus = if plus_is_space { b' ' } else { b'+' };
    let mut rest = input;
    loop {
        let end = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        let plain = rest[..end].iter();
        decoded.extend(plain.map(|byte| if *byte == b'+' { plus } else { *byte }));
        let Some(tail) = rest.get(end + 1..) else {
            return (decoded, invalid);
        };
        match hex_pair(tail) {
            Some(byte) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            None => {
                decoded.push(b'%');
                invalid = true;
                rest = tail;
            }
        }
    }
}

/// The byte that the first two characters spell in hexadecimal.
pub(super) fn hex_pair(text: &[u8]) -> Option<u8> {
    let [high, low, ..] = text else { return None };
    Some(hex_digit(*high)? << 4 | hex_digit(*low)?)
}

/// 0 to 15.
pub(super) fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(input: &str) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let found = parse(input.as_bytes(), b'&', 100);
        found
            .pairs
            .into_iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn pairs_are_split_and_decoded() {
        let table: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("&", &[]),
            ("a=1", &[("a", "1")]),
            ("a=1&b=2", &[("a", "1"), ("b", "2")]),
            ("a=1&a=2", &[("a", "1"), ("a", "2")]),
            ("&&a=1&&&b=2&&", &[("a", "1"), ("b", "2")]),
            ("flag", &[("flag", "")]),
            ("flag&a=1", &[("flag", ""), ("a", "1")]),
            ("a=", &[("a", "")]),
            ("=1", &[("", "1")]),
            ("=", &[("", "")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a+b=c+d", &[("a b", "c d")]),
            ("a%20b=%63%3d%26", &[("a b", "c=&")]),
            ("%26=%2B", &[("&", "+")]),
            ("a;b=1", &[("a;b", "1")]),
        ];
        for (input, expected) in table {
            let expected: Vec<(String, String)> = expected
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect();
            assert_eq!(pairs(input), expected, "{input}");
        }
    }

    #[test]
    fn another_separator_leaves_the_ampersand_alone() {
        let found = parse(b"a=1;b=2&c=3", b';', 100);
        assert_eq!(
            found.pairs,
            [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"2&c=3".to_vec())]
        );
    }

    #[test]
    fn a_bad_percent_stays_and_is_flagged() {
        let table: &[(&[u8], &[u8], bool)] = &[
            (b"100%", b"100%", true),
            (b"%4", b"%4", true),
            (b"%zz", b"%zz", true),
            (b"%%41", b"%A", true),
            (b"%4%41", b"%4A", true),
            (b"%41", b"A", false),
            (b"%00%ff", b"\x00\xff", false),
            (b"%aF%Af", b"\xaf\xaf", false),
        ];
        for (input, expected, invalid) in table {
            assert_eq!(decode(input), (expected.to_vec(), *invalid), "{input:?}");
            assert_eq!(decode_path(input), (expected.to_vec(), *invalid), "{input:?}");
        }
        assert!(parse(b"%zz=1", b'&', 9).invalid_encoding, "a bad name counts");
        assert!(
            parse(b"a=%zz&b=1", b'&', 9).invalid_encoding,
            "so does an earlier bad value"
        );
        assert!(!parse(b"a=%41", b'&', 9).invalid_encoding);
    }

    #[test]
    fn a_path_keeps_its_plus() {
        assert_eq!(decode_path(b"/a+b%20c"), (b"/a+b c".to_vec(), false));
    }

    #[test]
    fn pairs_past_the_limit_are_left_out_and_flagged() {
        let found = parse(b"a=1&b=2&c=3", b'&', 2);
        assert_eq!(found.pairs.len(), 2);
        assert!(found.truncated);
        assert!(
            !parse(b"a=1&b=2&", b'&', 2).truncated,
            "an empty piece is no third argument"
        );
    }
}
