//! The end of a connection that was refused: last words, and time for the client to read them. Its reader sees its end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pingora_core::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// For the last words of TLS: a client that does not read is not waited for.
pub(super) const LEAVE: Duration = Duration::from_millis(100);

/// How long, and how much, is read on from a client after these: a socket that is closed with bytes unread is reset, and
/// what was said is lost with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;

/// Whether a connection is at its end.
#[derive(Debug, Default)]
pub(super) struct End {
    farewell: Option<Farewell>,
    reached: bool,
}

impl End {
    /// Nothing more is shown of what the client sends.
    pub(super) fn is_near(&self) -> bool {
        self.reached || self.farewell.is_some()
    }

    /// It ends without a word.
    pub(super) fn reach(&mut self) {
        self.reached = true;
    }

    /// It ends with these bytes, once [`End::poll`] has said them.
    pub(super) fn say(&mut self, words: Vec<u8>) {
        self.farewell = Some(Farewell::new(words));
    }

    /// Until the last words were said: then the reader is to be told that the client has left.
    pub(super) fn poll(&mut self, below: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(farewell) = &mut self.farewell {
            ready!(farewell.poll(below, context));
            self.farewell = None;
            self.reached = true;
        }
        Poll::Ready(Ok(()))
    }
}

/// A farewell on its way.
#[derive(Debug)]
struct Farewell {
    words: Vec<u8>,
    sent: usize,
    closed: bool,
    drained: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Farewell {
    /// Ends with these bytes.
    fn new(words: Vec<u8>) -> Self {
        Self {
            words,
            sent: 0,
            closed: false,
            drained: 0,
            deadline: Box::pin(tokio::time::sleep(LINGER)),
        }
    }

    /// Goes on until it has been said and read, or for as long as that may take.
    fn poll(&mut self, below: &mut Stream, context: &mut Context<'_>) -> Poll<()> {
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
