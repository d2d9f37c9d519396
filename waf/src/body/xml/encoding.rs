//! From the document's encoding to UTF-8 (XML 1.0, appendix F).

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

use super::XmlErrorKind;

/// How far into the body the XML declaration may reach.
const DECLARATION: usize = 256;

pub(super) struct Decoded<'a> {
    /// The document; what could not be decoded is U+FFFD.
    pub(super) text: Cow<'a, str>,
    pub(super) fault: Option<XmlErrorKind>,
}

/// A byte order mark decides, then the look of the first characters, then the declaration.
pub(super) fn decode(body: &[u8]) -> Decoded<'_> {
    let (encoding, mark, unknown) = match Encoding::for_bom(body) {
        Some((encoding, mark)) => (encoding, mark, None),
        None => match body {
            [b'<', 0, ..] => (UTF_16LE, 0, None),
            [0, b'<', ..] => (UTF_16BE, 0, None),
            _ => {
                let (encoding, unknown) = declared(body);
                (encoding, 0, unknown)
            }
        },
    };
    let (text, invalid) = encoding.decode_without_bom_handling(body.get(mark..).unwrap_or_default());
    let invalid = invalid.then(|| XmlErrorKind::InvalidBytes(encoding.name()));
    Decoded {
        text,
        fault: unknown.or(invalid),
    }
}

/// What the declaration says, else UTF-8. A document whose declaration can be read as ASCII is not UTF-16,
/// whatever it says of itself.
fn declared(body: &[u8]) -> (&'static Encoding, Option<XmlErrorKind>) {
    let Some(label) = label(body) else {
        return (UTF_8, None);
    };
    match Encoding::for_label(label) {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => (UTF_8, None),
        // It stands for encodings that hide ASCII, and decodes to a single character.
        Some(encoding) if encoding != REPLACEMENT => (encoding, None),
        _ => {
            let label = String::from_utf8_lossy(label).into_owned();
            (UTF_8, Some(XmlErrorKind::UnknownEncoding(label)))
        }
    }
}

/// The value of `encoding` in the declaration.
fn label(body: &[u8]) -> Option<&[u8]> {
    let head = body.get(..DECLARATION).unwrap_or(body).trim_ascii_start();
    let head = head.strip_prefix(b"<?xml")?;
    let declaration = &head[..memmem::find(head, b"?>").unwrap_or(head.len())];
    let after_name = &declaration[memmem::find(declaration, b"encoding")? + b"encoding".len()..];
    let value = after_name
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let (quote, value) = value
        .split_first()
        .filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    Some(&value[..memchr::memchr(*quote, value)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_found_as_the_standard_says() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let little = utf16("<a>é</a>", u16::to_le_bytes);
        let big = utf16("<a>é</a>", u16::to_be_bytes);
        let table: &[(&str, Vec<u8>)] = &[
            ("nothing said", "<a>é</a>".into()),
            ("a UTF-8 mark", "\u{feff}<a>é</a>".into()),
            (
                "a little-endian mark",
                [b"\xff\xfe".to_vec(), little.clone()].concat(),
            ),
            ("a big-endian mark", [b"\xfe\xff".to_vec(), big.clone()].concat()),
            ("no mark, little-endian", little),
            ("no mark, big-endian", big),
        ];
        for (what, body) in table {
            let decoded = decode(body);
            assert_eq!(decoded.text, "<a>é</a>", "{what}");
            assert_eq!(decoded.fault, None, "{what}");
        }
    }

    #[test]
    fn a_declaration_is_believed_where_it_can_be() {
        let table: &[(&str, &[u8], Option<XmlErrorKind>)] = &[
            ("<?xml version='1.0' encoding='ISO-8859-1'?>", b"\xe9", None),
            ("<?xml version=\"1.0\" encoding = \"latin1\" ?>", b"\xe9", None),
            ("<?xml version='1.0' encoding='utf-8'?>", b"\xc3\xa9", None),
            ("<?xml version='1.0' encoding='UTF-16'?>", b"\xc3\xa9", None),
            (
                "<?xml version='1.0' encoding='UTF-7'?>",
                b"\xc3\xa9",
                Some(XmlErrorKind::UnknownEncoding("UTF-7".into())),
            ),
            (
                "<?xml version='1.0' encoding='iso-2022-kr'?>",
                b"\xc3\xa9",
                Some(XmlErrorKind::UnknownEncoding("iso-2022-kr".into())),
            ),
        ];
        for (declaration, bytes, fault) in table {
            let body = [declaration.as_bytes(), bytes].concat();
            let decoded = decode(&body);
            assert_eq!(decoded.text.strip_prefix(declaration), Some("é"), "{declaration}");
            assert_eq!(decoded.fault, *fault, "{declaration}");
        }
    }

    #[test]
    fn bytes_that_are_not_of_the_encoding_are_an_error() {
        let decoded = decode(b"<a>\xff attack</a>");
        assert_eq!(decoded.text, "<a>\u{fffd} attack</a>");
        assert_eq!(decoded.fault, Some(XmlErrorKind::InvalidBytes("UTF-8")));
    }
}
