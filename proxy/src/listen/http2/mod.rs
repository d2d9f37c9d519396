//! HTTP/2 as it comes from a client, counted before the h2 crate reads it: heads within their time, and no floods.

mod frames;
mod retire;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use pingora_core::protocols::{Shutdown, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tracing::debug;

use self::frames::{Excess, Frames};
use super::delegate::delegate_stream;
use super::farewell::{End, LEAVE};
use super::limits::HttpLimits;
use super::stall::Stall;
use crate::config::BanCause;

pub(super) use self::frames::FrameLimits;
pub(super) use self::retire::Retiring;

/// RFC 9113 section 7.
const ENHANCE_YOUR_CALM: u32 = 0xb;

/// The stream, with its frames counted. `retire` is set once it has served its requests.
pub(super) fn counted(
    stream: Stream,
    client: SocketAddr,
    limits: Arc<HttpLimits>,
    retire: Option<watch::Sender<bool>>,
) -> Stream {
    Box::new(Counted {
        frames: Frames::new(limits.frames, std::time::Instant::now()),
        inner: stream,
        client,
        deadline: Some(Box::pin(tokio::time::sleep(limits.head_timeout))),
        limits,
        retire,
        end: End::default(),
        stall: Stall::default(),
    })
}

/// A stream whose frames are counted.
#[derive(Debug)]
struct Counted {
    inner: Stream,
    client: SocketAddr,
    limits: Arc<HttpLimits>,
    frames: Frames,
    /// While a head is awaited.
    deadline: Option<Pin<Box<Sleep>>>,
    retire: Option<watch::Sender<bool>>,
    end: End,
    stall: Stall,
}

impl Counted {
    fn look(&mut self, new: &[u8]) -> Result<(), Excess> {
        let now = Instant::now();
        let requests = self.frames.requests();
        self.frames.read(new, now.into_std())?;
        if !self.frames.awaits_head() {
            self.deadline = None;
        } else if self.deadline.is_none() || self.frames.requests() > requests {
            self.deadline = Some(Box::pin(tokio::time::sleep(self.limits.head_timeout)));
        }
        if self
            .limits
            .max_requests
            .is_some_and(|most| self.frames.requests() >= most)
            && let Some(retire) = self.retire.take()
        {
            let _ = retire.send(true);
        }
        Ok(())
    }

    /// Counts what went out.
    fn sent(&mut self, sent: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let sent = ready!(self.stall.watch(sent, context, self.limits.write_timeout))?;
        self.frames.wrote(sent);
        Poll::Ready(Ok(sent))
    }

    /// GOAWAY, and whatever the h2 crate still has to say is not said any more.
    fn refuse(&mut self, why: &'static str, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        debug!(client = %self.client, why, "HTTP/2 connection ended");
        self.limits.gauge.refused(why);
        self.end.say(goaway(self.frames.stream(), ENHANCE_YOUR_CALM));
        self.end.poll(&mut self.inner, context)
    }
}

/// RFC 9113 section 6.8.
fn goaway(last_stream: u32, reason: u32) -> Vec<u8> {
    let header: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0];
    [header, &last_stream.to_be_bytes(), &reason.to_be_bytes()].concat()
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.end.is_near() {
            return this.end.poll(&mut this.inner, context);
        }
        let before = buffer.filled().len();
        let Poll::Ready(read) = Pin::new(&mut this.inner).poll_read(context, buffer) else {
            let Some(deadline) = &mut this.deadline else {
                return Poll::Pending;
            };
            ready!(deadline.as_mut().poll(context));
            return this.refuse("head_timeout", context);
        };
        read?;
        match this.look(&buffer.filled()[before..]) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(excess) => {
                buffer.set_filled(before);
                this.limits.gauge.misbehaved(this.client, BanCause::Flood);
                this.refuse(excess.label(), context)
            }
        }
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.end.is_near() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let this = &mut *self;
        let sent = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.sent(sent, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end.is_near() {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        let flushed = Pin::new(&mut this.inner).poll_flush(context);
        this.stall.watch(flushed, context, this.limits.write_timeout)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end.is_near() {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        let closed = Pin::new(&mut this.inner).poll_shutdown(context);
        this.stall.watch(closed, context, this.limits.write_timeout)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.end.is_near() {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let this = &mut *self;
        let sent = Pin::new(&mut this.inner).poll_write_vectored(context, slices);
        this.sent(sent, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Counted {
    async fn shutdown(&mut self) {
        let _ = tokio::time::timeout(LEAVE, self.inner.as_mut().shutdown()).await;
    }
}

delegate_stream!(Counted);
