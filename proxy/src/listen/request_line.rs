//! The request line of HTTP/1, looked at before Pingora reads it.
//!
//! Pingora escapes a line with spaces in its target and cuts fragments off, without a trace, where RFC 9112 (section
//! 3.2) wants both refused; and it answers 400 to `"`, `<` and `>`, which belong escaped but are sent raw by curl and
//! by scanners: what comes so is to be seen by the WAF and to stand in its log. So these three are escaped here, for
//! all later readers alike, and what has to be refused is made into something that Pingora refuses. A line without a
//! version is HTTP/0.9: its client understands no head of an answer, so that the connection just ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_core::protocols::http::v2::server::H2Options;
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::tls::{SslDigest, TlsRef};
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use pingora_core::server::ShutdownWatch;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::Answer;

/// An application whose requests come over streams of `watched`.
#[derive(Debug)]
pub struct RequestLines<A>(pub Arc<A>);

/// The stream, with its request lines looked at; HTTP/2 has none.
pub(super) fn watched(stream: Stream) -> Stream {
    match stream.selected_alpn_proto() {
        Some(ALPN::H2) => stream,
        _ => Box::new(Watched {
            inner: stream,
            line: Some(Line::default()),
            pending: Vec::new(),
            ended: false,
            answer: Answer::default(),
        }),
    }
}

#[async_trait]
impl<A: HttpServerApp + Send + Sync + 'static> HttpServerApp for RequestLines<A> {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let (stream, settings) = self.0.process_new_http(session, shutdown).await?.consume();
        Some(ReusedHttpStream::new(next_request(stream)?, settings))
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.0.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.0.server_options()
    }

    async fn http_cleanup(&self) {
        self.0.http_cleanup().await;
    }
}

/// The same stream, in front of its next request. None for one that is not ours, which there is not.
fn next_request(stream: Stream) -> Option<Stream> {
    let mut watched = stream.into_any().downcast::<Watched>().ok()?;
    watched.line = Some(Line::default());
    watched.answer.next();
    Some(watched)
}

/// A stream whose reader is shown a better request line, and whose answers begin with as few writes as they can.
#[derive(Debug)]
struct Watched {
    inner: Stream,
    /// Until the line's end.
    line: Option<Line>,
    /// What did not fit into the reader's buffer once it was escaped.
    pending: Vec<u8>,
    /// The reader is told that the client has left.
    ended: bool,
    answer: Answer,
}

/// Where in the line its reader is.
#[derive(Debug, Default, Clone, Copy)]
struct Line {
    spaces: usize,
    /// Bytes since the last space, the line's end not counted.
    word: usize,
}

/// A line that ends within its target is no request to anybody.
const REFUSED: &[u8] = b"\n";

impl Line {
    /// What stands for a byte of the line, if anything does.
    fn replacement(&mut self, byte: u8) -> Option<&'static [u8]> {
        self.word += usize::from(!matches!(byte, b'\r' | b'\n'));
        match byte {
            b' ' => {
                self.spaces += 1;
                self.word = 0;
                (self.spaces > 2).then_some(REFUSED)
            }
            // Before the target is the method, which Pingora reads well.
            _ if self.spaces == 0 => None,
            b'#' => Some(REFUSED),
            b'"' => Some(b"%22"),
            b'<' => Some(b"%3C"),
            b'>' => Some(b"%3E"),
            _ => None,
        }
    }

    /// An empty one, which may stand in front of a request (RFC 9112 section 2.2).
    fn is_empty(self) -> bool {
        self.spaces == 0 && self.word == 0
    }

    /// A method and a target and no more.
    fn is_http_0_9(self) -> bool {
        (self.spaces == 1 && self.word > 0) || (self.spaces == 2 && self.word == 0)
    }
}

/// A whole line, as nearly all are, to be left as it is.
fn is_ordinary(line: &[u8]) -> bool {
    let spaces = line.iter().filter(|byte| **byte == b' ').count();
    let special = line.iter().any(|byte| matches!(byte, b'"' | b'<' | b'>' | b'#'));
    let version = line.strip_suffix(b"\r").unwrap_or(line).last();
    spaces == 2 && !special && version.is_some_and(|byte| *byte != b' ')
}

impl Watched {
    /// Looks at bytes that were just read; what is to be shown instead, if anything.
    fn look(&mut self, read: &[u8]) -> Option<Vec<u8>> {
        if self.line.is_some_and(Line::is_empty)
            && let Some(end) = read.iter().position(|byte| *byte == b'\n')
            && is_ordinary(&read[..end])
        {
            self.line = None;
            return None;
        }
        let mut shown: Option<Vec<u8>> = None;
        for (at, byte) in read.iter().enumerate() {
            let Some(line) = &mut self.line else {
                shown
                    .iter_mut()
                    .for_each(|shown| shown.extend_from_slice(&read[at..]));
                break;
            };
            match (line.replacement(*byte), &mut shown) {
                (None, None) => {}
                (None, Some(shown)) => shown.push(*byte),
                (Some(instead), shown) => shown.get_or_insert_with(|| read[..at].to_vec()).extend(instead),
            }
            if *byte == b'\n' {
                self.ended = line.is_http_0_9();
                self.line = line.is_empty().then(Line::default);
            }
        }
        shown
    }

    fn hand_out(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.pending.len().min(buffer.remaining());
        buffer.put_slice(&self.pending[..count]);
        self.pending.drain(..count);
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(Err(error)) = this.answer.poll_send(&mut this.inner, context) {
            return Poll::Ready(Err(error));
        }
        if !self.pending.is_empty() {
            self.hand_out(buffer);
            return Poll::Ready(Ok(()));
        }
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if self.line.is_some()
            && let Some(shown) = self.look(&buffer.filled()[before..])
        {
            buffer.set_filled(before);
            self.pending = shown;
            self.hand_out(buffer);
        }
        if self.ended {
            buffer.set_filled(before);
            self.pending.clear();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.answer.poll_write(&mut this.inner, context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.answer.poll_send(&mut this.inner, context))?;
        Pin::new(&mut this.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.answer.poll_send(&mut this.inner, context))?;
        Pin::new(&mut this.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.answer.poll_write_vectored(&mut this.inner, context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Watched {
    async fn shutdown(&mut self) {
        // A client that does not read is not waited for.
        std::future::poll_fn(|context| {
            let _ = self.answer.poll_send(&mut self.inner, context);
            Poll::Ready(())
        })
        .await;
        self.inner.as_mut().shutdown().await;
    }
}

impl UniqueID for Watched {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Watched {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Watched {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for Watched {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_proxy_digest()
    }

    fn set_proxy_digest(&mut self, digest: ProxyDigest) {
        self.inner.set_proxy_digest(digest);
    }
}

impl GetSocketDigest for Watched {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.inner.set_socket_digest(digest);
    }
}

/// Only looked for on plain connections that may turn out to be HTTP/2.
impl Peek for Watched {}

#[cfg(test)]
mod tests {
    use pingora_core::protocols::l4::stream::Stream as L4Stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What a reader with such a buffer is shown of two requests that come in such parts.
    async fn shown(parts: &[&str], buffer: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.set_nodelay(true).unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let mut stream = watched(Box::new(L4Stream::from(socket)));
        let mut all = Vec::new();
        for _ in 0..2 {
            for part in parts {
                client.write_all(part.as_bytes()).await.unwrap();
                let mut chunk = vec![0; buffer];
                loop {
                    let wait = Duration::from_millis(50);
                    let read = tokio::time::timeout(wait, stream.read(&mut chunk)).await;
                    let Ok(count) = read else { break };
                    let count = count.unwrap();
                    all.extend_from_slice(&chunk[..count]);
                    if count == 0 {
                        break;
                    }
                }
            }
            stream = next_request(stream).unwrap();
        }
        String::from_utf8(all).unwrap()
    }

    #[tokio::test]
    async fn each_request_line_is_escaped_and_nothing_else() {
        let request = "POST /a?b=<\"x\">  HTTP/1.1\r\nA: <#\">\r\n\r\n<#\">".replace("  ", " ");
        let expected = "POST /a?b=%3C%22x%22%3E HTTP/1.1\r\nA: <#\">\r\n\r\n<#\">".repeat(2);
        assert_eq!(shown(&[&request], 4096).await, expected);
        assert_eq!(shown(&[&request], 3).await, expected);
        let (head, tail) = request.split_at(12);
        assert_eq!(shown(&[head, tail], 4096).await, expected);
    }

    #[tokio::test]
    async fn a_line_without_a_version_ends_the_connection() {
        for (sent, expected) in [
            ("GET /\r\nHost: a\r\n\r\n", ""),
            ("GET / \r\n\r\n", ""),
            ("GET / x\r\n\r\n", "GET / x\r\n\r\n"),
            ("\r\nGET /< HTTP/1.1\r\n\r\n", "\r\nGET /%3C HTTP/1.1\r\n\r\n"),
        ] {
            let once = shown(&[sent], 4096).await;
            assert_eq!(once, expected.repeat(2), "{sent:?}");
        }
    }

    #[tokio::test]
    async fn a_fragment_and_a_space_in_the_target_end_the_line() {
        for (line, expected) in [
            ("GET /a#b HTTP/1.1\r\n", "GET /a\nb HTTP/1.1\r\n"),
            ("GET /a b HTTP/1.1\r\n", "GET /a b\nHTTP/1.1\r\n"),
            ("G<# / HTTP/1.1\r\n", "G<# / HTTP/1.1\r\n"),
        ] {
            assert_eq!(shown(&[line], 4096).await, expected.repeat(2), "{line:?}");
        }
    }
}
