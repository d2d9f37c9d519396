//! The end of a connection that was refused: last words, and time for the client to read them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pingora_core::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long, and how much, is read on from a client after these: a socket that is closed with bytes unread is reset, and
/// what was said is lost with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;

/// A farewell on its way.
#[derive(Debug)]
pub(super) struct Farewell {
    words: Vec<u8>,
    sent: usize,
    closed: bool,
    drained: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Farewell {
    /// Ends with these bytes.
    pub(super) fn new(words: Vec<u8>) -> Self {
        Self {
            words,
            sent: 0,
            closed: false,
            drained: 0,
            deadline: Box::pin(tokio::time::sleep(LINGER)),
        }
    }

    /// Goes on until it has been said and read, or for as long as that may take.
    pub(super) fn poll(&mut self, below: &mut Stream, context: &mut Context<'_>) -> Poll<()> {
        match self.poll_say(below, context) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => self.deadline.as_mut().poll(context),
        }
    }

    fn poll_say(&mut self, below: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.words.len() {
            let sent = ready!(Pin::new(&mut *below).poll_write(context, &self.words[self.sent..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        if !self.closed {
            ready!(Pin::new(&mut *below).poll_flush(context))?;
            ready!(Pin::new(&mut *below).poll_shutdown(context))?;
            self.closed = true;
            self.deadline.as_mut().reset(Instant::now() + LINGER);
        }
        let mut scratch = [0; 4096];
        while self.drained < LINGER_BYTES {
            let mut unread = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut *below).poll_read(context, &mut unread))?;
            match unread.filled().len() {
                0 => break,
                count => self.drained += count,
            }
        }
        Poll::Ready(Ok(()))
    }
}
