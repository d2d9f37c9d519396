//! What can be shown to Coraza: the crate takes text that ends with its first NUL.

use std::borrow::Cow;

/// What is shown to Coraza in one piece, when phase 1 begins: only then it is known whether it can be.
#[derive(Default)]
pub(super) struct Head {
    pub(super) line: [Vec<u8>; 3],
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) answer_status: u16,
    pub(super) answer_protocol: String,
}

impl Head {
    /// The part that cannot be passed to Coraza as it is.
    pub(super) fn unreadable(&self) -> Option<&'static str> {
        let readable = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0);
        if !self.line.iter().all(|part| readable(part)) {
            return Some("the request line");
        }
        let mut headers = self.headers.iter();
        (!headers.all(|(name, value)| readable(name) && readable(value))).then_some("a header")
    }
}

/// As it is, or with what is no text (and NUL, which ends a C string) replaced.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(bytes) {
        text if text.contains('\0') => text.replace('\0', "\u{fffd}").into(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_found_wherever_it_stands() {
        let head = |uri: &[u8], header: &[u8]| {
            let head = Head {
                line: [b"GET".to_vec(), uri.to_vec(), b"HTTP/1.1".to_vec()],
                headers: vec![(b"x".to_vec(), header.to_vec())],
                ..Head::default()
            };
            head.unreadable()
        };
        assert_eq!(head(b"/", "gr\u{fc}n".as_bytes()), None);
        assert_eq!(head(b"/\xff", b""), Some("the request line"));
        assert_eq!(head(b"/", b"gr\xfcn"), Some("a header"));
        assert_eq!(head(b"/", b"a\0b"), Some("a header"));
    }
}
