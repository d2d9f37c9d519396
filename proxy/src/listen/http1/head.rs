//! A request's head, held against RFC 9112 before Pingora reads it: one reading for all, or none.
//!
//! Pingora repairs what the RFC wants refused (spaces and fragments in a target, a bare LF, Content-Length beside
//! Transfer-Encoding), and nothing that comes after it could tell. It also answers 400 to `"`, `<` and `>` in a target,
//! which belong escaped but are sent raw by curl and by scanners: these three are escaped here, for the WAF and the
//! upstream alike. A line without a version is HTTP/0.9: its client understands no head of an answer.

use memchr::memchr;

use super::body::Framing;
use super::refusal::Refusal;

/// How much a head may hold.
#[derive(Debug, Clone, Copy)]
pub(in crate::listen) struct HeadLimits {
    /// Bytes of all.
    pub(in crate::listen) bytes: usize,
    /// Fields.
    pub(in crate::listen) fields: usize,
    /// Bytes of the target.
    pub(in crate::listen) target: usize,
}

/// Empty lines that may stand in front of a request (RFC 9112 section 2.2).
const EMPTY_LINES: usize = 2;

/// No method is longer, and each goes into logs.
const METHOD: usize = 64;

/// Method, version and spaces around a target.
const AROUND_TARGET: usize = 128;

/// A head that arrives.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Where the line begins whose end was not seen yet.
    line: usize,
    /// Up to where its end was looked for.
    searched: usize,
    empty_lines: usize,
    request: Option<Request>,
    fields: usize,
    host: bool,
    content_length: Option<u64>,
    chunked: bool,
    upgrade: bool,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    version: Version,
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

/// Where the target is, and whether it needs escapes.
#[derive(Debug, Clone, Copy)]
struct Target {
    start: usize,
    end: usize,
    escapes: bool,
}

/// What there is of a head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// Its end is still to come.
    Partial,
    /// All of it.
    Complete(Complete),
    /// It is none.
    Refused(Refusal),
    /// HTTP/0.9: nobody to answer to.
    Silent,
}

/// A whole head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complete {
    /// Where it ends.
    pub(super) end: usize,
    /// How the end of its body is told.
    pub(super) framing: Framing,
    /// What its reader is to be shown of it instead, if anything.
    pub(super) shown: Option<Vec<u8>>,
}

impl Head {
    /// Looks at all bytes that have arrived: those it was shown before, and more.
    pub(super) fn scan(&mut self, bytes: &[u8], limits: &HeadLimits) -> Scan {
        loop {
            let Some(at) = memchr(b'\n', &bytes[self.searched..]) else {
                self.searched = bytes.len();
                return self.partial(bytes.len(), limits);
            };
            let end = self.searched + at + 1;
            if end > limits.bytes {
                return Scan::Refused(self.too_large(end, limits));
            }
            let Some(line) = bytes[self.line..end].strip_suffix(b"\r\n") else {
                return Scan::Refused(Refusal::Syntax("a line that ends in a bare LF"));
            };
            let outcome = match (&self.request, line) {
                (None, b"") => self.empty_line(),
                (None, line) => match self.request_line(line, limits) {
                    Ok(Some(request)) => {
                        self.request = Some(request);
                        Ok(())
                    }
                    Ok(None) => return Scan::Silent,
                    Err(refusal) => Err(refusal),
                },
                (Some(request), b"") => {
                    let request = *request;
                    return self.complete(bytes, end, request);
                }
                (Some(_), line) => self.field(line, limits),
            };
            if let Err(refusal) = outcome {
                return Scan::Refused(refusal);
            }
            (self.line, self.searched) = (end, end);
        }
    }

    /// Whether something of a request has arrived.
    pub(super) fn has_begun(&self) -> bool {
        self.searched > 0
    }

    fn partial(&self, length: usize, limits: &HeadLimits) -> Scan {
        let line = length - self.line;
        let in_target = self.request.is_none() && line > limits.target + AROUND_TARGET;
        if in_target || length > limits.bytes {
            return Scan::Refused(self.too_large(length, limits));
        }
        Scan::Partial
    }

    fn too_large(&self, length: usize, limits: &HeadLimits) -> Refusal {
        if self.request.is_none() && length - self.line > limits.target {
            Refusal::TargetTooLong
        } else {
            Refusal::HeadTooLarge
        }
    }

    fn empty_line(&mut self) -> Result<(), Refusal> {
        self.empty_lines += 1;
        if self.empty_lines > EMPTY_LINES {
            return Err(Refusal::Syntax("empty lines in front of a request"));
        }
        Ok(())
    }

    /// RFC 9112 section 3; none for HTTP/0.9.
    fn request_line(&self, line: &[u8], limits: &HeadLimits) -> Result<Option<Request>, Refusal> {
        let mut words = line.split(|byte| *byte == b' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default();
        if !(1..=METHOD).contains(&method.len()) || !method.iter().all(|byte| is_token(*byte)) {
            return Err(Refusal::Syntax("not a method"));
        }
        if target.is_empty() {
            return Err(Refusal::Syntax("a request line without a target"));
        }
        if target.len() > limits.target {
            return Err(Refusal::TargetTooLong);
        }
        if words.next().is_some() {
            return Err(Refusal::Syntax("a space in the target"));
        }
        let mut escapes = false;
        for byte in target {
            match byte {
                b'"' | b'<' | b'>' => escapes = true,
                b'#' => return Err(Refusal::Syntax("a fragment in the target")),
                0..=0x20 | 0x7f => return Err(Refusal::Syntax("a control character in the target")),
                _ => {}
            }
        }
        let version = match version {
            b"HTTP/1.1" => Version::Http11,
            b"HTTP/1.0" => Version::Http10,
            b"" => return Ok(None),
            [b'H', b'T', b'T', b'P', b'/', b'2'..=b'9', b'.', minor] if minor.is_ascii_digit() => {
                return Err(Refusal::Version);
            }
            _ => return Err(Refusal::Syntax("not a version")),
        };
        let start = self.line + method.len() + 1;
        let target = Target {
            start,
            end: start + target.len(),
            escapes,
        };
        Ok(Some(Request { version, target }))
    }

    /// RFC 9112 section 5: no space before the colon, no folded lines, no control characters.
    fn field(&mut self, line: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
        self.fields += 1;
        if self.fields > limits.fields {
            return Err(Refusal::HeadTooLarge);
        }
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"host") && std::mem::replace(&mut self.host, true) {
            return Err(Refusal::Syntax("more than one Host"));
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = content_length(value)?;
            if self.content_length.replace(length).is_some() {
                return Err(Refusal::Framing("more than one Content-Length"));
            }
        }
        self.upgrade |= name.eq_ignore_ascii_case(b"upgrade");
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if std::mem::replace(&mut self.chunked, true) {
                return Err(Refusal::Framing("more than one Transfer-Encoding"));
            }
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::TransferCoding);
            }
        }
        Ok(())
    }

    fn complete(&self, bytes: &[u8], end: usize, request: Request) -> Scan {
        if self.chunked && self.content_length.is_some() {
            return Scan::Refused(Refusal::Framing("Content-Length beside Transfer-Encoding"));
        }
        if self.chunked && request.version == Version::Http10 {
            return Scan::Refused(Refusal::Framing("Transfer-Encoding in HTTP/1.0"));
        }
        let target = request.target;
        Scan::Complete(Complete {
            end,
            framing: self.framing(),
            shown: target.escapes.then(|| escaped(&bytes[..end], target)),
        })
    }

    fn framing(&self) -> Framing {
        match (self.upgrade, self.chunked) {
            (true, _) => Framing::Open,
            (false, true) => Framing::Chunked,
            (false, false) => Framing::Length(self.content_length.unwrap_or(0)),
        }
    }
}

/// Name and value of a line.
pub(super) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        return Err(Refusal::Syntax("a folded line"));
    }
    let Some(colon) = memchr(b':', line) else {
        return Err(Refusal::Syntax("a field without a colon"));
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Refusal::Syntax("not a field name"));
    }
    if !value.iter().all(|byte| is_value(*byte)) {
        return Err(Refusal::Syntax("a control character in a field"));
    }
    Ok((name, value.trim_ascii()))
}

/// RFC 9110 section 8.6: digits, and of those no more than a length has.
fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let length = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    match length {
        Some(length) if digits => Ok(length.unsigned_abs()),
        _ => Err(Refusal::Framing("a malformed Content-Length")),
    }
}

/// The head, with the target's characters escaped.
fn escaped(bytes: &[u8], target: Target) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len() + 64);
    shown.extend_from_slice(&bytes[..target.start]);
    for byte in &bytes[target.start..target.end] {
        match byte {
            b'"' => shown.extend_from_slice(b"%22"),
            b'<' => shown.extend_from_slice(b"%3C"),
            b'>' => shown.extend_from_slice(b"%3E"),
            byte => shown.push(*byte),
        }
    }
    shown.extend_from_slice(&bytes[target.end..]);
    shown
}

/// RFC 9110 section 5.6.2.
const fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = matches!(
                byte as u8,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|'
                    | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
            );
            byte += 1;
        }
        table
    };
    TOKEN[byte as usize]
}

/// RFC 9110 section 5.5.
fn is_value(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits {
        bytes: 512,
        fields: 5,
        target: 64,
    };

    /// What comes of bytes that arrive so many at a time.
    fn scan(bytes: &[u8], step: usize) -> Scan {
        let mut head = Head::default();
        let mut last = Scan::Partial;
        for end in (step..bytes.len() + step).step_by(step) {
            last = head.scan(&bytes[..end.min(bytes.len())], &LIMITS);
            if last != Scan::Partial {
                break;
            }
        }
        last
    }

    fn refusal(text: &str) -> Option<&'static str> {
        let found = [1, 3, 1000].map(|step| scan(text.as_bytes(), step));
        assert_eq!(found[0], found[1], "{text:?}");
        assert_eq!(found[0], found[2], "{text:?}");
        match found[0] {
            Scan::Refused(refusal) => Some(refusal.status()),
            _ => None,
        }
    }

    #[test]
    fn what_is_a_request_is_left_alone() {
        let none = Framing::Length(0);
        for (text, framing) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", none),
            ("\r\nGET /a?b=c&d HTTP/1.0\r\n\r\n", none),
            (
                "POST /a HTTP/1.1\r\nHost:a\r\nContent-Length:  5\t\r\n\r\n",
                Framing::Length(5),
            ),
            (
                "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
                Framing::Chunked,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
                Framing::Open,
            ),
            ("M-SEARCH * HTTP/1.1\r\nHost: a\r\nX: \u{e9}\tz\r\n\r\n", none),
            ("GET /\u{e9}|{}^` HTTP/1.1\r\nHost: a\r\n\r\n", none),
        ] {
            for step in [1, 7, 1000] {
                let complete = Complete {
                    end: text.len(),
                    framing,
                    shown: None,
                };
                assert_eq!(scan(text.as_bytes(), step), Scan::Complete(complete), "{text:?}");
            }
        }
    }

    #[test]
    fn three_characters_are_escaped_in_the_target_and_nowhere_else() {
        let text = b"GET /a?b=<\"x\"> HTTP/1.1\r\nA: <\">\r\n\r\n<\">";
        let Scan::Complete(complete) = scan(text, 1000) else {
            panic!()
        };
        let shown = String::from_utf8(complete.shown.unwrap()).unwrap();
        assert_eq!(shown, "GET /a?b=%3C%22x%22%3E HTTP/1.1\r\nA: <\">\r\n\r\n");
    }

    #[test]
    fn a_line_without_a_version_is_met_with_silence() {
        assert_eq!(scan(b"GET /\r\n", 1), Scan::Silent);
        assert_eq!(scan(b"GET / \r\n", 1), Scan::Silent);
    }

    #[test]
    fn what_is_none_is_refused() {
        let bad = Some("400 Bad Request");
        for (text, wanted) in [
            ("GET  / HTTP/1.1\r\n", bad),
            ("GET\r\n", bad),
            (" GET / HTTP/1.1\r\n", bad),
            ("G\u{e9}T / HTTP/1.1\r\n", bad),
            ("GET /a b HTTP/1.1\r\n", bad),
            ("GET /a\tb HTTP/1.1\r\n", bad),
            ("GET /a#b HTTP/1.1\r\n", bad),
            ("GET /a\0 HTTP/1.1\r\n", bad),
            ("GET /a\rb HTTP/1.1\r\n", bad),
            ("GET / HTTP/1.1\n", bad),
            ("GET / HTTP/1.1 \r\n", bad),
            ("GET / http/1.1\r\n", bad),
            ("GET / HTTP/1.1x\r\n", bad),
            ("GET / HTTP/11\r\n", bad),
            ("GET / HTTP/2.0\r\n", Some("505 HTTP Version Not Supported")),
            ("GET / HTTP/1.2\r\n", bad),
            ("GET / HTTP/0.9\r\n", bad),
            ("\r\n\r\n\r\n", bad),
            ("GET / HTTP/1.1\r\nHost : a\r\n", bad),
            ("GET / HTTP/1.1\r\nHost\r\n", bad),
            ("GET / HTTP/1.1\r\n: a\r\n", bad),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n", bad),
            ("GET / HTTP/1.1\r\n A: b\r\n", bad),
            ("GET / HTTP/1.1\r\nA: b\rc\r\n", bad),
            ("GET / HTTP/1.1\r\nA: b\0c\r\n", bad),
            ("GET / HTTP/1.1\r\nA: b\x7fc\r\n", bad),
            ("GET / HTTP/1.1\r\nA(b): c\r\n", bad),
            ("GET / HTTP/1.1\r\nA: b\nC: d\r\n", bad),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", bad),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", bad),
        ] {
            assert_eq!(refusal(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_body_has_one_end() {
        let (bad, unknown) = (Some("400 Bad Request"), Some("501 Not Implemented"));
        for (fields, wanted) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", bad),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", bad),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", bad),
            ("Content-Length: 5, 5\r\n", bad),
            ("Content-Length: +5\r\n", bad),
            ("Content-Length: -5\r\n", bad),
            ("Content-Length: 0x5\r\n", bad),
            ("Content-Length: 5 5\r\n", bad),
            ("Content-Length:\r\n", bad),
            ("Content-Length: 9223372036854775808\r\n", bad),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                bad,
            ),
            ("Transfer-Encoding: gzip, chunked\r\n", unknown),
            ("Transfer-Encoding: chunked, chunked\r\n", unknown),
            ("Transfer-Encoding: xchunked\r\n", unknown),
            ("Transfer-Encoding: identity\r\n", unknown),
            ("Transfer-Encoding: \"chunked\"\r\n", unknown),
            ("Transfer-Encoding:\r\n", unknown),
            ("Transfer-Encoding: \x0bchunked\r\n", bad),
        ] {
            assert_eq!(
                refusal(&format!("POST / HTTP/1.1\r\n{fields}\r\n")),
                wanted,
                "{fields:?}"
            );
        }
        let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(refusal(old), bad);
    }

    #[test]
    fn heads_have_limits() {
        let target = format!("GET /{} HTTP/1.1\r\n", "a".repeat(LIMITS.target));
        assert_eq!(refusal(&target), Some("414 URI Too Long"));
        let method = format!("{} / HTTP/1.1\r\n", "A".repeat(METHOD + 1));
        assert_eq!(refusal(&method), Some("400 Bad Request"));
        let endless = format!("GET /{}", "a".repeat(LIMITS.bytes));
        assert_eq!(refusal(&endless), Some("414 URI Too Long"));
        let large = Some("431 Request Header Fields Too Large");
        let field = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(LIMITS.bytes));
        assert_eq!(refusal(&field), large);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(LIMITS.fields + 1));
        assert_eq!(refusal(&many), large);
    }
}
