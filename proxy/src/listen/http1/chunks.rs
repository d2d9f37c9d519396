//! A body in chunks, held against RFC 9112 section 7.1 before Pingora reads it.
//!
//! Pingora's reader lets a bare LF end a line and takes extensions of any make. Where one reader ends a line and
//! another does not, they disagree on where the body ends, and on what the next request is.

use super::head;
use super::refusal::Refusal;
use crate::config::Trailers;

/// Of one chunk's line: sixteen digits and an extension that nobody has use for.
const LONGEST_LINE: usize = 256;

/// Extensions of a whole body: whoever sends more of them than of data has something else in mind.
const EXTENSIONS: usize = 16 * 1024;

/// Trailers, which go no further than this.
const TRAILERS: usize = 8 * 1024;

/// How far a body has come.
#[derive(Debug)]
pub(super) struct Chunks {
    policy: Trailers,
    state: State,
    /// The line that has begun.
    line: Vec<u8>,
    extensions: usize,
    trailers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    /// The CRLF behind the data.
    Ending(&'static [u8]),
    Trailer,
    Done,
}

impl Chunks {
    /// A body that begins.
    pub(super) fn new(policy: Trailers) -> Self {
        Self {
            policy,
            state: State::Size,
            line: Vec::new(),
            extensions: 0,
            trailers: 0,
        }
    }

    /// Looks at the bytes that come next; how many of them are of the body.
    pub(super) fn check(&mut self, all: &[u8]) -> Result<usize, Refusal> {
        let mut bytes = all;
        while let Some((first, rest)) = bytes.split_first() {
            match self.state {
                State::Data(left) => {
                    let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    bytes = &bytes[taken..];
                    let left = left - taken as u64;
                    self.state = if left == 0 {
                        State::Ending(b"\r\n")
                    } else {
                        State::Data(left)
                    };
                }
                State::Ending(wanted) => {
                    if wanted.first() != Some(first) {
                        return Err(Refusal::Framing("a chunk that does not end where it says"));
                    }
                    self.state = match &wanted[1..] {
                        b"" => State::Size,
                        wanted => State::Ending(wanted),
                    };
                    bytes = rest;
                }
                State::Size | State::Trailer => {
                    bytes = self.read_line(bytes)?;
                }
                State::Done => break,
            }
        }
        Ok(all.len() - bytes.len())
    }

    /// Whether the last chunk and its trailers have been seen.
    pub(super) fn are_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes what belongs to the line; what is behind it is returned.
    fn read_line<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Refusal> {
        let longest = match self.state {
            State::Size => LONGEST_LINE,
            _ => TRAILERS - self.trailers,
        };
        let end = memchr::memchr(b'\n', bytes);
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        if self.line.len() + part.len() > longest {
            return Err(Refusal::Framing("a chunk's line or trailers beyond reason"));
        }
        self.line.extend_from_slice(part);
        if end.is_none() {
            return Ok(rest);
        }
        let line = std::mem::take(&mut self.line);
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Err(Refusal::Framing("a chunk's line that ends in a bare LF"));
        };
        self.state = if self.state == State::Size {
            self.size(line)?
        } else {
            self.trailer(line)?
        };
        Ok(rest)
    }

    fn size(&mut self, line: &[u8]) -> Result<State, Refusal> {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, extension) = line.split_at(digits);
        self.extensions += extension.len();
        let begins = matches!(extension.first(), None | Some(b';'));
        let sound = extension
            .iter()
            .all(|byte| *byte >= 0x20 && *byte != 0x7f || *byte == b'\t');
        if !begins || !sound || self.extensions > EXTENSIONS {
            return Err(Refusal::Framing("a malformed chunk extension"));
        }
        let size = std::str::from_utf8(digits).ok().filter(|text| text.len() <= 16);
        match size.and_then(|text| i64::from_str_radix(text, 16).ok()) {
            Some(0) => Ok(State::Trailer),
            Some(size) => Ok(State::Data(size.unsigned_abs())),
            None => Err(Refusal::Framing("a malformed chunk size")),
        }
    }

    fn trailer(&mut self, line: &[u8]) -> Result<State, Refusal> {
        if line.is_empty() {
            return Ok(State::Done);
        }
        self.trailers += line.len() + 2;
        head::field(line)?;
        match self.policy {
            Trailers::Drop => Ok(State::Trailer),
            Trailers::Reject => Err(Refusal::Trailers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], step: usize) -> Result<State, Refusal> {
        let mut chunks = Chunks::new(Trailers::Drop);
        for part in body.chunks(step) {
            chunks.check(part)?;
        }
        Ok(chunks.state)
    }

    #[test]
    fn bodies_in_chunks() {
        let long = format!("5;{}\r\nhello\r\n", "x".repeat(LONGEST_LINE));
        let many = "1;aaaaaaaaaaaaaaaa\r\nx\r\n".repeat(EXTENSIONS / 16);
        let trailers = format!("0\r\n{}\r\n", "A: b\r\n".repeat(TRAILERS));
        for (body, wanted) in [
            ("0\r\n\r\n", Ok(())),
            ("5\r\nhello\r\n0\r\n\r\n", Ok(())),
            ("5\r\nhello\r\n00\r\n\r\n", Ok(())),
            (
                "A;name=\"value\"\r\n0123456789\r\n0;last\r\nTrailer: x\r\n\r\n",
                Ok(()),
            ),
            ("5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\n\n", Ok(())),
            ("5\nhello\r\n0\r\n\r\n", Err(())),
            ("5\r\nhello\n0\r\n\r\n", Err(())),
            ("5\r\nhelloX\r\n0\r\n\r\n", Err(())),
            ("5 \r\nhello\r\n", Err(())),
            (" 5\r\nhello\r\n", Err(())),
            ("+5\r\nhello\r\n", Err(())),
            ("-5\r\nhello\r\n", Err(())),
            ("0x5\r\nhello\r\n", Err(())),
            ("5g\r\nhello\r\n", Err(())),
            ("\r\n", Err(())),
            (";x\r\n", Err(())),
            ("5;a\rb\r\nhello\r\n", Err(())),
            ("5;a\nb\r\nhello\r\n", Err(())),
            ("5;a\0\r\nhello\r\n", Err(())),
            ("8000000000000000\r\n", Err(())),
            ("00000000000000005\r\nhello\r\n", Err(())),
            ("ffffffffffffffffffff\r\n", Err(())),
            ("0\r\n\n", Err(())),
            ("0\r\nA : b\r\n\r\n", Err(())),
            ("0\r\nA: b\r\n c\r\n\r\n", Err(())),
            (long.as_str(), Err(())),
            (many.as_str(), Err(())),
            (trailers.as_str(), Err(())),
        ] {
            for step in [1, 2, 5, 100_000] {
                let found = check(body.as_bytes(), step);
                assert_eq!(found.map(|_| ()).map_err(|_| ()), wanted, "{body:?} by {step}");
            }
        }
        assert_eq!(check(b"5\r\nhello\r\n0\r\n\r\n", 3), Ok(State::Done));
    }

    #[test]
    fn trailers_by_policy() {
        for (body, wanted) in [
            ("5\r\nhello\r\n0\r\n\r\n", Ok(())),
            ("0\r\nA: b\r\n\r\n", Err(Refusal::Trailers)),
        ] {
            assert_eq!(
                Chunks::new(Trailers::Reject).check(body.as_bytes()).map(|_| ()),
                wanted,
                "{body:?}"
            );
        }
    }
}
