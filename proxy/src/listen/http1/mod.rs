//! HTTP/1 as it comes from a client, looked at before Pingora reads it: heads within their limits and their time, one
//! reading of each (docs/decisions/0015-request-lines.md), chunks that end where they say, and one request after the
//! other, though many may be sent at once.

mod answer;
mod body;
mod chunks;
mod head;
mod refusal;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::apps::{HttpPersistentSettings, HttpServerApp};
use pingora_core::protocols::http::ServerSession;
use pingora_core::protocols::{Shutdown, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tracing::debug;

use self::answer::Answer;
use self::body::{Body, Framing};
use self::head::{Complete, Head, Scan};
use self::refusal::Refusal;
use super::accept::{ConnectionEnds, stop_requested};
use super::delegate::delegate_stream;
use super::farewell::{End, LEAVE};
use super::limits::HttpLimits;
use super::stall::Stall;
use crate::config::BanCause;
use crate::telemetry::RefusedRequest;

pub(super) use self::head::HeadLimits;

/// Bytes of the next requests that are read while one is answered, to see whether the client is still there.
const MOST_BEHIND: usize = 8 * 1024;

/// For a thread to hear of its sockets once more, and for bytes to come from the next machine.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// Requests of a connection, one after another, each told to `app`. Until one arrives there is nothing here but the
/// stream: what Pingora keeps for a request is more than an idle connection needs, and most connections are idle most
/// of the time.
pub(super) async fn serve<A: HttpServerApp>(
    app: &Arc<A>,
    stream: Stream,
    client: SocketAddr,
    limits: Arc<HttpLimits>,
    mut ends: ConnectionEnds,
) {
    let mut guarded = guarded(stream, client, limits);
    let mut settings: Option<HttpPersistentSettings> = None;
    loop {
        let arrived = tokio::select! {
            biased;
            arrived = guarded.arrives() => arrived,
            () = stop_requested(&mut ends.idle) => guarded.arrives_yet().await,
        };
        if !arrived {
            return guarded.leave().await;
        }
        let mut session = ServerSession::new_http1(guarded);
        match settings.take() {
            Some(settings) => settings.apply_to_session(&mut session),
            None => {
                let options = app.server_options();
                session.set_keepalive_reuses_remaining(options.and_then(|o| o.keepalive_request_limit));
            }
        }
        // Forever: the stream has the deadlines, one for idling and one for a head that has begun.
        session.set_keepalive(Some(0));
        let Some(reused) = app.process_new_http(session, &ends.drain).await else {
            return;
        };
        let (stream, kept) = reused.consume();
        let Some(next) = next_request(stream) else { return };
        (guarded, settings) = (next, kept);
    }
}

fn guarded(stream: Stream, client: SocketAddr, limits: Arc<HttpLimits>) -> Box<Guarded> {
    Box::new(Guarded {
        inner: stream,
        client,
        deadline: Box::pin(tokio::time::sleep(limits.head_timeout)),
        head: Some(Head::default()),
        is_first: true,
        held: Vec::new(),
        given: 0,
        body: Body::new(Framing::Length(0), limits.trailers),
        behind: Vec::new(),
        limits,
        end: End::default(),
        answer: Answer::default(),
        stall: Stall::default(),
    })
}

/// The same stream, in front of its next request; none where that has begun already.
fn next_request(stream: Stream) -> Option<Box<Guarded>> {
    let mut guarded = stream.into_any().downcast::<Guarded>().ok()?;
    if !guarded.held.is_empty() || guarded.body.is_unfinished() {
        // Nobody read all of the request that was answered: to go on would be out of step.
        return None;
    }
    guarded.next();
    Some(guarded)
}

/// What the reader sees of a request that has arrived up to `length`.
fn shown(complete: Complete, mut held: Vec<u8>, length: usize) -> Vec<u8> {
    held.truncate(length);
    match complete.shown {
        Some(mut shown) => {
            shown.extend_from_slice(&held[complete.end..]);
            shown
        }
        None => held,
    }
}

/// A stream whose reader is shown requests and nothing else, and whose answers begin with as few writes as they can.
#[derive(Debug)]
struct Guarded {
    inner: Stream,
    client: SocketAddr,
    limits: Arc<HttpLimits>,
    /// Until its end has arrived.
    head: Option<Head>,
    /// Of its connection: then it is the head that is waited for, not the next use of the connection.
    is_first: bool,
    deadline: Pin<Box<Sleep>>,
    /// Bytes of a head that is not complete, or that its reader did not take yet.
    held: Vec<u8>,
    /// How many of these it took.
    given: usize,
    /// What is to come of the request whose head has arrived.
    body: Body,
    /// What arrived behind it: the next one, and more.
    behind: Vec<u8>,
    end: End,
    answer: Answer,
    stall: Stall,
}

impl Guarded {
    /// Until there is something to read, if only its end; false once there has been nothing for too long.
    async fn arrives(&mut self) -> bool {
        std::future::poll_fn(|context| {
            if self.answer.poll_send(&mut self.inner, context).is_pending() {
                return self.deadline.as_mut().poll(context).map(|()| false);
            }
            if !self.behind.is_empty() {
                return Poll::Ready(true);
            }
            // Without room nothing is read; what is there shows all the same.
            let mut nothing = ReadBuf::new(&mut []);
            match Pin::new(&mut self.inner).poll_read(context, &mut nothing) {
                Poll::Ready(_) => Poll::Ready(true),
                Poll::Pending => self.deadline.as_mut().poll(context).map(|()| false),
            }
        })
        .await
    }

    /// The same for the last time, as the connection is to end. A thread that was busy has not looked at its sockets since,
    /// and a request that is there already is to be answered.
    async fn arrives_yet(&mut self) -> bool {
        let arrived = tokio::time::timeout(LAST_LOOK, self.arrives()).await;
        arrived.unwrap_or(false)
    }

    /// Nothing was asked, so nothing is answered.
    async fn leave(mut self: Box<Self>) {
        let _ = tokio::time::timeout(LEAVE, self.inner.as_mut().shutdown()).await;
    }

    fn next(&mut self) {
        self.head = Some(Head::default());
        self.is_first = false;
        self.held = Vec::new();
        self.given = 0;
        self.answer.next();
        self.allow(self.limits.keepalive_timeout);
    }

    fn allow(&mut self, time: Duration) {
        self.deadline.as_mut().reset(Instant::now() + time);
    }

    /// Reads until the head is complete, and shows nothing of it before. What came with the request before is the first
    /// that is read.
    fn poll_head(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let before = buffer.filled().len();
            let behind = std::mem::take(&mut self.behind);
            if behind.is_empty() {
                let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(context, buffer) else {
                    ready!(self.deadline.as_mut().poll(context));
                    return self.too_late(context);
                };
                read?;
            }
            let Some(mut head) = self.head.take() else {
                return Poll::Ready(Ok(()));
            };
            let read = &buffer.filled()[before..];
            let new = if behind.is_empty() { read } else { &behind };
            if new.is_empty() {
                self.end.reach();
                return Poll::Ready(Ok(()));
            }
            let begins = !head.has_begun();
            let scan = if self.held.is_empty() {
                head.scan(new, &self.limits.head)
            } else {
                self.held.extend_from_slice(new);
                head.scan(&self.held, &self.limits.head)
            };
            if let Scan::Complete(complete) = &scan
                && complete.shown.is_none()
                && self.held.is_empty()
                && behind.is_empty()
            {
                // As nearly all do, it came in one piece.
                return match self.begin_body(complete, read) {
                    Ok(length) => {
                        buffer.set_filled(before + length);
                        Poll::Ready(Ok(()))
                    }
                    Err(refusal) => {
                        let sent = read.to_vec();
                        buffer.set_filled(before);
                        self.refuse(refusal, &sent, context)
                    }
                };
            }
            if self.held.is_empty() {
                self.held.extend_from_slice(new);
            }
            buffer.set_filled(before);
            match scan {
                Scan::Partial => {
                    self.head = Some(head);
                    if begins && !self.is_first {
                        self.allow(self.limits.head_timeout);
                    }
                }
                Scan::Complete(complete) => {
                    let held = std::mem::take(&mut self.held);
                    return match self.begin_body(&complete, &held) {
                        Ok(length) => {
                            self.held = shown(complete, held, length);
                            self.hand_out(buffer);
                            Poll::Ready(Ok(()))
                        }
                        Err(refusal) => self.refuse(refusal, &held, context),
                    };
                }
                Scan::Refused(refusal) => {
                    let sent = std::mem::take(&mut self.held);
                    return self.refuse(refusal, &sent, context);
                }
                Scan::Silent => {
                    self.end.reach();
                    let sent = std::mem::take(&mut self.held);
                    self.tell(Refusal::NoVersion, &sent);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// The head is complete; how many of the bytes are of its request. The others wait.
    fn begin_body(&mut self, complete: &Complete, bytes: &[u8]) -> Result<usize, Refusal> {
        self.body = Body::new(complete.framing, self.limits.trailers);
        let length = complete.end + self.body.take(&bytes[complete.end..])?;
        self.behind = bytes[length..].to_vec();
        Ok(length)
    }

    /// The request is over: its reader hears of the client's end, and of nothing else.
    fn poll_behind(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 1024];
        // The rest waits in the socket until the answer is out.
        while self.behind.len() < MOST_BEHIND {
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.behind.extend_from_slice(buffer.filled());
        }
        Poll::Pending
    }

    fn too_late(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            // Nothing was asked, so nothing is answered.
            self.end.reach();
            return Poll::Ready(Ok(()));
        }
        let sent = std::mem::take(&mut self.held);
        self.refuse(Refusal::Timeout, &sent, context)
    }

    /// Nobody is shown what was sent.
    fn refuse(&mut self, refusal: Refusal, sent: &[u8], context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tell(refusal, sent);
        self.head = None;
        self.end.say(refusal.answer());
        self.end.poll(&mut self.inner, context)
    }

    /// No session ever sees this request: its line in the log, and what counts it, are told from here.
    fn tell(&self, refusal: Refusal, sent: &[u8]) {
        let tls = self.inner.get_ssl_digest();
        let tls = tls.as_ref().map(|tls| tls.version.as_ref());
        let gauge = &self.limits.gauge;
        gauge.refused(refusal.label());
        gauge.request_refused(RefusedRequest {
            status: refusal.code(),
            reason: refusal.label(),
            detail: refusal.detail(),
            ..RefusedRequest::new(self.client, tls, sent)
        });
        if refusal.is_malformed() {
            gauge.misbehaved(self.client, BanCause::Malformed);
        }
    }

    /// What waits goes out first.
    fn poll_out(
        &mut self,
        context: &mut Context<'_>,
        next: impl FnOnce(Pin<&mut Stream>, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        ready!(self.answer.poll_send(&mut self.inner, context))?;
        next(Pin::new(&mut self.inner), context)
    }

    fn hand_out(&mut self, buffer: &mut ReadBuf<'_>) {
        let left = &self.held[self.given..];
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..count]);
        self.given += count;
        if self.given == self.held.len() {
            self.held = Vec::new();
            self.given = 0;
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(Err(error)) = this.answer.poll_send(&mut this.inner, context) {
            return Poll::Ready(Err(error));
        }
        if this.end.is_near() {
            return this.end.poll(&mut this.inner, context);
        }
        if this.head.is_some() {
            return this.poll_head(context, buffer);
        }
        if !this.held.is_empty() {
            this.hand_out(buffer);
            return Poll::Ready(Ok(()));
        }
        if this.body.is_over() {
            return this.poll_behind(context);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        let read = &buffer.filled()[before..];
        match this.body.take(read) {
            Ok(taken) => {
                this.behind.extend_from_slice(&read[taken..]);
                buffer.set_filled(before + taken);
                Poll::Ready(Ok(()))
            }
            Err(refusal) => {
                debug!(client = %this.client, why = refusal.detail(), "request body refused");
                this.limits.gauge.refused(refusal.label());
                if refusal.is_malformed() {
                    this.limits.gauge.misbehaved(this.client, BanCause::Malformed);
                }
                buffer.set_filled(before);
                // Whoever reads answers 400 where it still can.
                Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, refusal.detail())))
            }
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = this.answer.poll_write(&mut this.inner, context, bytes);
        this.stall.watch(written, context, this.limits.write_timeout)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let flushed = this.poll_out(context, |inner, context| inner.poll_flush(context));
        this.stall.watch(flushed, context, this.limits.write_timeout)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let closed = this.poll_out(context, |inner, context| inner.poll_shutdown(context));
        this.stall.watch(closed, context, this.limits.write_timeout)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = this.answer.poll_write_vectored(&mut this.inner, context, slices);
        this.stall.watch(written, context, this.limits.write_timeout)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Guarded {
    async fn shutdown(&mut self) {
        // A client that does not read is not waited for.
        std::future::poll_fn(|context| {
            let _ = self.answer.poll_send(&mut self.inner, context);
            Poll::Ready(())
        })
        .await;
        let _ = tokio::time::timeout(LEAVE, self.inner.as_mut().shutdown()).await;
    }
}

delegate_stream!(Guarded);

#[cfg(test)]
mod tests;
