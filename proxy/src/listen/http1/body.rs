//! Where a request ends: its reader is shown no byte of the next one, which waits for its turn (pipelining, RFC 9112
//! section 9.3.2).
//!
//! The edge frames requests before Pingora does, and by the same fields. Were they ever of two minds about a length,
//! the reader would wait for bytes in vain and give up; it could not take the end of one request for another.

use super::chunks::Chunks;
use super::refusal::Refusal;
use crate::config::Trailers;

/// How the end of a body is told (RFC 9112 section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length; 0 where there is none.
    Length(u64),
    /// By its last chunk.
    Chunked,
    /// Not at all: behind an upgrade anything may come.
    Open,
}

/// What is still to come of a request.
#[derive(Debug)]
pub(super) enum Body {
    Length(u64),
    Chunks(Chunks),
    Open,
}

impl Body {
    /// One that begins.
    pub(super) fn new(framing: Framing, trailers: Trailers) -> Self {
        match framing {
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked => Body::Chunks(Chunks::new(trailers)),
            Framing::Open => Body::Open,
        }
    }

    /// How many of the bytes that come next belong to it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        match self {
            Body::Length(left) => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= taken as u64;
                Ok(taken)
            }
            Body::Chunks(chunks) => chunks.check(bytes),
            Body::Open => Ok(bytes.len()),
        }
    }

    /// Whether all of it was taken; never said of one without an end.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Body::Length(left) => *left == 0,
            Body::Chunks(chunks) => chunks.are_done(),
            Body::Open => false,
        }
    }

    /// Whether its end is known and was not reached.
    pub(super) fn is_unfinished(&self) -> bool {
        !matches!(self, Body::Open) && !self.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_request_is_not_of_it() {
        let chunks = "5\r\nhello\r\n0\r\n\r\n";
        for (framing, bytes, taken) in [
            (Framing::Length(0), "GET / HTTP/1.1", 0),
            (Framing::Length(5), "helloGET / HTTP/1.1", 5),
            (Framing::Length(5), "hello", 5),
            (
                Framing::Chunked,
                "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1",
                chunks.len(),
            ),
            (
                Framing::Chunked,
                "0\r\nA: b\r\n\r\n0\r\n\r\n",
                "0\r\nA: b\r\n\r\n".len(),
            ),
        ] {
            for step in [1, 3, 100] {
                let mut body = Body::new(framing, Trailers::Drop);
                let parts = bytes.as_bytes().chunks(step);
                let sum: usize = parts.map(|part| body.take(part).unwrap()).sum();
                assert_eq!(sum, taken, "{bytes:?} by {step}");
                assert!(body.is_over() && !body.is_unfinished(), "{bytes:?}");
            }
        }
        let mut half = Body::new(Framing::Length(5), Trailers::Drop);
        assert_eq!(half.take(b"hel"), Ok(3));
        assert!(half.is_unfinished());
        let mut open = Body::new(Framing::Open, Trailers::Drop);
        assert_eq!(open.take(b"frames"), Ok(6));
        assert!(!open.is_over() && !open.is_unfinished());
    }
}
