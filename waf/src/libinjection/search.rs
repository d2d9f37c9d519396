//! Searches in bytes that several lexemes share.

use memchr::memchr;

/// Where `first` directly followed by `second` stands in `bytes`.
pub(super) fn pair(bytes: &[u8], first: u8, second: u8) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = memchr(first, bytes.get(from..)?) {
        let at = from + found;
        if bytes.get(at + 1) == Some(&second) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// How many bytes at the start of `bytes` satisfy `belongs`.
pub(super) fn span(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|&byte| !belongs(byte))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::{pair, span};

    #[test]
    fn a_pair_is_found_where_it_first_stands() {
        for (bytes, at) in [
            (&b"a*b**/"[..], Some(4)),
            (b"*/", Some(0)),
            (b"*", None),
            (b"", None),
            (b"/*", None),
        ] {
            assert_eq!(pair(bytes, b'*', b'/'), at, "{bytes:?}");
        }
    }

    #[test]
    fn a_span_ends_with_the_first_stranger() {
        assert_eq!(span(b"12a3", |byte| byte.is_ascii_digit()), 2);
        assert_eq!(span(b"123", |byte| byte.is_ascii_digit()), 3);
        assert_eq!(span(b"", |byte| byte.is_ascii_digit()), 0);
    }
}
