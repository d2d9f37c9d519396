//! What an HTTP server makes of the bytes on the wire.
//!
//! A server would answer some of these requests itself and never show them to a WAF; others it accepts but
//! tidies up first. This parser is as lenient as the engine needs, keeps the raw pieces, and notes what a
//! strict server objects to: the runner needs the objections for the stages that expect to be refused.

mod chunked;

use chunked::dechunked;

/// A request as the engine gets to see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The method's bytes.
    pub method: Vec<u8>,
    /// The request target's bytes.
    pub target: Vec<u8>,
    /// Such as `HTTP/1.1`; `HTTP/0.9` where the line names none.
    pub protocol: Vec<u8>,
    /// Names as they were written; repeated lines merged.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body that the framing marks off.
    pub body: Vec<u8>,
    /// Why a strict server answers 400 before any WAF sees the request.
    pub objections: Vec<Objection>,
}

/// What a strict HTTP server refuses (RFC 9112).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// Section 3: the line has other than three parts.
    #[error("the request line has other than three parts")]
    RequestLine,
    /// Section 3.1: the method is no token.
    #[error("the method is no token")]
    Method,
    /// Section 3.2: none of the four forms of a target.
    #[error("the request target is in none of the four forms")]
    Target,
    /// Section 2.3: no version that a server serves on this connection.
    #[error("the protocol version is not HTTP/1.x")]
    Version,
    /// Section 5: a line without a colon, or a name that is no token.
    #[error("a header line is malformed")]
    Field,
    /// Section 2.2: a carriage return alone.
    #[error("a carriage return stands alone in a header")]
    BareCr,
    /// Section 6.3: a Content-Length that is no number.
    #[error("the Content-Length is no number")]
    ContentLength,
    /// Section 7.1: chunks that end early or have no size.
    #[error("the chunked framing is broken")]
    Chunks,
}

impl Message {
    /// Reads one request; what follows it is ignored, as on a connection that is closed.
    pub fn parse(wire: &[u8]) -> Self {
        let (head, rest) = split_head(wire);
        let mut lines = head
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut message = Self::default();
        message.read_request_line(lines.next().unwrap_or_default());
        message.read_headers(lines);
        message.read_body(rest);
        message
    }

    /// HTTP/0.9: the answer has no head, so a client of today takes it for an error.
    pub fn is_simple(&self) -> bool {
        self.protocol == b"HTTP/0.9" && self.objections.contains(&Objection::RequestLine)
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_slice())
    }

    fn read_request_line(&mut self, line: &[u8]) {
        if line.contains(&b'\r') {
            self.objections.push(Objection::BareCr);
        }
        let line = line.trim_ascii_end();
        let parts: Vec<&[u8]> = line.splitn(2, |byte| *byte == b' ').collect();
        let (method, rest) = (parts[0], parts.get(1).copied().unwrap_or_default());
        let (target, protocol) = match rest.iter().rposition(|byte| *byte == b' ') {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &b""[..]),
        };
        self.method = method.to_vec();
        self.target = target.to_vec();
        self.protocol = protocol.to_vec();
        if line.split(|byte| *byte == b' ').count() != 3 {
            self.objections.push(Objection::RequestLine);
        }
        if protocol.is_empty() {
            self.protocol = b"HTTP/0.9".to_vec();
        } else if !matches!(protocol, b"HTTP/1.0" | b"HTTP/1.1") {
            self.objections.push(Objection::Version);
        }
        if !is_token(method) {
            self.objections.push(Objection::Method);
        }
        if !is_target(method, target) {
            self.objections.push(Objection::Target);
        }
    }

    fn read_headers<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]>) {
        for line in lines.filter(|line| !line.is_empty()) {
            if line.contains(&b'\r') {
                self.objections.push(Objection::BareCr);
            }
            // Section 5.2: a folded line continues the value before it.
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                if let Some((_, value)) = self.headers.last_mut() {
                    value.push(b' ');
                    value.extend_from_slice(line.trim_ascii());
                }
                continue;
            }
            let Some(at) = line.iter().position(|byte| *byte == b':') else {
                self.objections.push(Objection::Field);
                continue;
            };
            if !is_token(&line[..at]) {
                self.objections.push(Objection::Field);
            }
            self.add_header(&line[..at], line[at + 1..].trim_ascii());
        }
    }

    /// RFC 9110 section 5.3: repeated lines mean the same as one with a list; Apache merges them before any
    /// module sees them, and so does this parser. Only a `Cookie` is joined by another mark.
    fn add_header(&mut self, name: &[u8], value: &[u8]) {
        let known = self
            .headers
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            Some((_, list)) => {
                list.extend_from_slice(if name.eq_ignore_ascii_case(b"cookie") {
                    b"; "
                } else {
                    b", "
                });
                list.extend_from_slice(value);
            }
            None => self.headers.push((name.to_vec(), value.to_vec())),
        }
    }

    /// RFC 9112 section 6.3: chunks win over a length, which is removed; with neither there is no body.
    fn read_body(&mut self, rest: &[u8]) {
        if self
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"))
        {
            self.headers
                .retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
            let (body, whole) = dechunked(rest);
            self.body = body;
            if !whole {
                self.objections.push(Objection::Chunks);
            }
        } else if let Some(length) = self.header("content-length") {
            match std::str::from_utf8(length).ok().and_then(decimal) {
                Some(length) => self.body = rest[..length.min(rest.len())].to_vec(),
                None => self.objections.push(Objection::ContentLength),
            }
        }
    }
}

/// Digits only: `parse` alone would take a sign.
fn decimal(text: &str) -> Option<usize> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn split_head(wire: &[u8]) -> (&[u8], &[u8]) {
    match wire.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) => (&wire[..at], &wire[at + 4..]),
        None => (wire, &[]),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Origin, absolute, authority or asterisk form, without a fragment. The characters within a path are left
/// to the WAF: servers differ there.
fn is_target(method: &[u8], target: &[u8]) -> bool {
    if target.contains(&b'#') {
        return false;
    }
    if method == b"CONNECT" {
        let port = target.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        return port.len() < target.len() && !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    }
    let absolute = target
        .windows(3)
        .position(|window| window == b"://")
        .is_some_and(|at| target[..at].iter().all(u8::is_ascii_alphanumeric));
    target.starts_with(b"/") || target == b"*" || absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(wire: &str) -> Message {
        Message::parse(wire.as_bytes())
    }

    fn objections(line: &str) -> Vec<Objection> {
        parsed(&format!("{line}\r\nHost: a\r\n\r\n")).objections
    }

    #[test]
    fn an_ordinary_request() {
        let message = parsed("POST /a?b=c HTTP/1.1\r\nHost:  a \r\nContent-Length: 3\r\n\r\nabcdef");
        assert_eq!(message.method, b"POST");
        assert_eq!(message.target, b"/a?b=c");
        assert_eq!(message.protocol, b"HTTP/1.1");
        assert_eq!(message.header("host"), Some(&b"a"[..]));
        assert_eq!(message.body, b"abc");
        assert_eq!(message.objections, []);
    }

    #[test]
    fn without_length_or_chunks_there_is_no_body() {
        assert!(parsed("POST / HTTP/1.1\r\nHost: a\r\n\r\nabc").body.is_empty());
    }

    #[test]
    fn chunks_win_over_a_length() {
        let wire =
            "POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let message = parsed(wire);
        assert_eq!(message.body, b"abc");
        assert_eq!(message.header("content-length"), None);
    }

    #[test]
    fn repeated_lines_are_merged_and_folded_lines_joined() {
        let message = parsed("GET / HTTP/1.1\r\nA: 1\r\na: 2\r\n\t3\r\nCookie: x\r\ncookie: y\r\n\r\n");
        assert_eq!(message.header("a"), Some(&b"1, 2 3"[..]));
        assert_eq!(message.header("cookie"), Some(&b"x; y"[..]));
    }

    #[test]
    fn what_a_strict_server_refuses() {
        use Objection::{Method, RequestLine, Target, Version};
        let table: &[(&str, &[Objection])] = &[
            ("GET / HTTP/1.1", &[]),
            ("|GET / HTTP/1.1", &[]),
            ("OPTIONS * HTTP/1.1", &[]),
            ("GET http://a/ HTTP/1.0", &[]),
            ("CONNECT 1.2.3.4:80 HTTP/1.1", &[]),
            ("CONNECT a.example HTTP/1.1", &[Target]),
            ("\tGET / HTTP/1.1", &[Method]),
            ("  GET / HTTP/1.1", &[RequestLine, Method, Target]),
            ("GET /a b HTTP/1.1", &[RequestLine]),
            ("GET /#a HTTP/1.1", &[Target]),
            ("GET \\ HTTP/1.1", &[Target]),
            ("GET / HTTP/4.0", &[Version]),
            ("GET / 1.1", &[Version]),
            ("GET / ", &[RequestLine]),
        ];
        for (line, expected) in table {
            assert_eq!(objections(line), *expected, "{line:?}");
        }
    }

    #[test]
    fn a_line_without_version_is_http_0_9() {
        let message = parsed("GET / \r\n\r\n");
        assert_eq!(message.protocol, b"HTTP/0.9");
        assert!(message.is_simple());
        assert!(!parsed("GET / HTTP/0.9\r\n\r\n").is_simple());
    }

    #[test]
    fn headers_that_a_strict_server_refuses() {
        let table = [
            ("Content-Length: 3;", Objection::ContentLength),
            ("Content-Length: +3", Objection::ContentLength),
            ("A: b\rC: d", Objection::BareCr),
            ("no colon", Objection::Field),
            ("a b: c", Objection::Field),
            ("Transfer-Encoding: chunked", Objection::Chunks),
        ];
        for (line, expected) in table {
            let message = parsed(&format!("POST / HTTP/1.1\r\n{line}\r\n\r\nx"));
            assert_eq!(message.objections, [expected], "{line:?}");
        }
    }
}
