//! The head of an answer waits for the beginning of its body, so that both go out as one TLS record, with one system
//! call.
//!
//! Pingora writes them one after the other, and flushes where the client is not to wait: after an interim answer and
//! after a head without a length. A head that is not flushed waits no longer than its connection has something to
//! do: it leaves with the next bytes, or before the next look at what the client sends, which Pingora takes whenever it
//! waits for the upstream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// A longer head goes out by itself: it fills a good part of a record.
const LONGEST_HEAD: usize = 8 * 1024;

/// What goes out together at most: the longest TLS record.
const MOST: usize = 16 * 1024;

/// An answer on its way.
#[derive(Debug, Default)]
pub(super) struct Answer {
    begun: bool,
    /// What waits, or what the stream below did not take yet.
    held: Vec<u8>,
    /// How much of that is gone.
    gone: usize,
    /// More may come to it.
    waits: bool,
}

impl Answer {
    /// Takes bytes of the answer.
    pub(super) fn poll_write<W: AsyncWrite + Unpin + ?Sized>(
        &mut self,
        below: &mut W,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let is_head = !std::mem::replace(&mut self.begun, true);
        if is_head && self.held.is_empty() && bytes.len() <= LONGEST_HEAD {
            self.held.extend_from_slice(bytes);
            self.waits = true;
            return Poll::Ready(Ok(bytes.len()));
        }
        if self.waits {
            let taken = bytes.len().min(MOST - self.held.len());
            self.held.extend_from_slice(&bytes[..taken]);
            // What the stream does not take now it takes before anything else.
            if let Poll::Ready(Err(error)) = self.poll_send(below, context) {
                return Poll::Ready(Err(error));
            }
            return Poll::Ready(Ok(taken));
        }
        ready!(self.poll_send(below, context))?;
        Pin::new(below).poll_write(context, bytes)
    }

    /// The same for bytes in pieces.
    pub(super) fn poll_write_vectored<W: AsyncWrite + Unpin + ?Sized>(
        &mut self,
        below: &mut W,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.begun && !self.waits {
            ready!(self.poll_send(below, context))?;
            return Pin::new(below).poll_write_vectored(context, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(below, context, first.map_or(&[], |slice| &**slice))
    }

    /// Hands on what waits.
    pub(super) fn poll_send<W: AsyncWrite + Unpin + ?Sized>(
        &mut self,
        below: &mut W,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.waits = false;
        while self.gone < self.held.len() {
            let sent = ready!(Pin::new(&mut *below).poll_write(context, &self.held[self.gone..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gone += sent;
        }
        self.held.clear();
        self.gone = 0;
        Poll::Ready(Ok(()))
    }

    /// The next bytes are the head of another answer.
    pub(super) fn next(&mut self) {
        self.begun = false;
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Keeps each write; takes so many bytes of one, and at times none.
    #[derive(Default)]
    struct Below {
        writes: Vec<String>,
        longest: Option<usize>,
        blocked: bool,
    }

    impl AsyncWrite for Below {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if self.blocked {
                return Poll::Pending;
            }
            let taken = bytes.len().min(self.longest.unwrap_or(usize::MAX));
            self.writes
                .push(String::from_utf8(bytes[..taken].to_vec()).unwrap());
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn write(answer: &mut Answer, below: &mut Below, bytes: &str) -> Poll<usize> {
        let mut context = Context::from_waker(Waker::noop());
        answer
            .poll_write(below, &mut context, bytes.as_bytes())
            .map(Result::unwrap)
    }

    fn send(answer: &mut Answer, below: &mut Below) -> Poll<()> {
        let mut context = Context::from_waker(Waker::noop());
        answer.poll_send(below, &mut context).map(Result::unwrap)
    }

    #[test]
    fn a_head_goes_out_with_the_beginning_of_its_body() {
        let (mut answer, mut below) = (Answer::default(), Below::default());
        for _ in 0..2 {
            assert_eq!(write(&mut answer, &mut below, "head "), Poll::Ready(5));
            assert_eq!(write(&mut answer, &mut below, "body "), Poll::Ready(5));
            assert_eq!(write(&mut answer, &mut below, "more"), Poll::Ready(4));
            answer.next();
        }
        assert_eq!(below.writes, ["head body ", "more", "head body ", "more"]);
    }

    #[test]
    fn a_head_that_is_sent_does_not_wait() {
        let (mut answer, mut below) = (Answer::default(), Below::default());
        assert_eq!(write(&mut answer, &mut below, "head"), Poll::Ready(4));
        assert_eq!(send(&mut answer, &mut below), Poll::Ready(()));
        assert_eq!(below.writes, ["head"]);
        assert_eq!(write(&mut answer, &mut below, "body"), Poll::Ready(4));
        assert_eq!(below.writes, ["head", "body"]);
    }

    #[test]
    fn what_the_stream_does_not_take_keeps_its_order() {
        let (mut answer, mut below) = (Answer::default(), Below::default());
        below.blocked = true;
        assert_eq!(write(&mut answer, &mut below, "head "), Poll::Ready(5));
        assert_eq!(write(&mut answer, &mut below, "body "), Poll::Ready(5));
        assert_eq!(write(&mut answer, &mut below, "more"), Poll::Pending);
        assert_eq!(send(&mut answer, &mut below), Poll::Pending);
        (below.blocked, below.longest) = (false, Some(4));
        assert_eq!(write(&mut answer, &mut below, "more"), Poll::Ready(4));
        assert_eq!(below.writes, ["head", " bod", "y ", "more"]);
    }

    #[test]
    fn long_heads_and_long_bodies_go_on_as_they_come() {
        let (mut answer, mut below) = (Answer::default(), Below::default());
        let long = "x".repeat(LONGEST_HEAD + 1);
        assert_eq!(write(&mut answer, &mut below, &long), Poll::Ready(long.len()));
        assert_eq!(below.writes.len(), 1);
        answer.next();
        let body = "y".repeat(MOST);
        assert_eq!(write(&mut answer, &mut below, "head"), Poll::Ready(4));
        assert_eq!(write(&mut answer, &mut below, &body), Poll::Ready(MOST - 4));
        assert_eq!(below.writes[1].len(), MOST);
    }
}
