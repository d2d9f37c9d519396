//! The content type of an answer that names none, by its first bytes.
//!
//! Go's HTTP server, on which the CRS test server runs, adds it so (the MIME Sniffing standard, section 7.1).
//! Response rules look only at the listed types, so this decides whether a test's body is read at all.

/// How many bytes are looked at.
const PREFIX: usize = 512;

/// A tag at the start counts if a space or `>` follows it.
const HTML_TAGS: [&str; 17] = [
    "<!DOCTYPE HTML",
    "<HTML",
    "<HEAD",
    "<SCRIPT",
    "<IFRAME",
    "<H1",
    "<DIV",
    "<FONT",
    "<TABLE",
    "<A",
    "<STYLE",
    "<TITLE",
    "<B",
    "<BODY",
    "<BR",
    "<P",
    "<!--",
];

const MAGIC: [(&[u8], &str); 12] = [
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xFE\xFF", "text/plain; charset=utf-16be"),
    (b"\xFF\xFE", "text/plain; charset=utf-16le"),
    (b"\xEF\xBB\xBF", "text/plain; charset=utf-8"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"\x1F\x8B\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1A\x07", "application/x-rar-compressed"),
];

/// The content type of a body.
pub(super) fn content_type(body: &[u8]) -> &'static str {
    let prefix = &body[..body.len().min(PREFIX)];
    let text = prefix.trim_ascii_start();
    if HTML_TAGS.iter().any(|tag| starts_with_tag(text, tag.as_bytes())) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| prefix.starts_with(magic)) {
        return kind;
    }
    if prefix.iter().any(is_binary) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}

fn starts_with_tag(text: &[u8], tag: &[u8]) -> bool {
    text.split_at_checked(tag.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(tag) && matches!(rest.first(), Some(b' ' | b'>'))
    })
}

fn is_binary(byte: &u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_by_their_first_bytes() {
        let table: [(&[u8], &str); 8] = [
            (b"\n <html><body>", "text/html; charset=utf-8"),
            (b"<?php echo 1 ?>", "text/plain; charset=utf-8"),
            (b"<?xml version=", "text/xml; charset=utf-8"),
            (b"<br/>", "text/plain; charset=utf-8"),
            (b"<b>", "text/html; charset=utf-8"),
            (b"a\x00b", "application/octet-stream"),
            (b"%PDF-1.4", "application/pdf"),
            (b"plain", "text/plain; charset=utf-8"),
        ];
        for (body, expected) in table {
            assert_eq!(content_type(body), expected, "{}", String::from_utf8_lossy(body));
        }
    }
}
