//! A guarded stream between a real socket and its reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pingora_core::protocols::l4::stream::Stream as L4Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::listen::Gauge;
use crate::listen::http2::FrameLimits;

#[derive(Debug, Default)]
struct Refusals(AtomicUsize);

impl Gauge for Refusals {
    fn opened(&self) {}
    fn closed(&self) {}
    fn handshake_failed(&self) {}
    fn refused(&self, _: &'static str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn request_refused(&self, _: RefusedRequest) {}
    fn misbehaved(&self, _: SocketAddr, _: BanCause) {}
}

fn limits(head_timeout: u64) -> Arc<HttpLimits> {
    Arc::new(HttpLimits {
        head: HeadLimits {
            bytes: 16 * 1024,
            fields: 20,
            target: 8 * 1024,
        },
        trailers: crate::config::Trailers::Drop,
        head_timeout: Duration::from_millis(head_timeout),
        keepalive_timeout: Duration::from_secs(60),
        write_timeout: Duration::from_secs(60),
        frames: FrameLimits {
            window: Duration::from_secs(10),
            resets: 10,
            control: 10,
        },
        max_requests: None,
        gauge: Arc::new(Refusals::default()),
    })
}

async fn pair(limits: Arc<HttpLimits>) -> (TcpStream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.set_nodelay(true).unwrap();
    let (socket, peer) = listener.accept().await.unwrap();
    (client, guarded(Box::new(L4Stream::from(socket)), peer, limits))
}

/// Exactly so many bytes, read with such a buffer.
async fn read(stream: &mut Stream, count: usize, buffer: usize) -> String {
    let mut all = Vec::new();
    let mut chunk = vec![0; buffer];
    while all.len() < count {
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(read > 0, "{}", all.escape_ascii());
        all.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn each_target_is_escaped_and_nothing_else() {
    let request = "POST /a?b=<\"x\"> HTTP/1.1\r\nA: <#\">\r\nContent-Length: 4\r\n\r\n<#\">";
    let expected = "POST /a?b=%3C%22x%22%3E HTTP/1.1\r\nA: <#\">\r\nContent-Length: 4\r\n\r\n<#\">";
    for step in [1, 12, 4096] {
        for buffer in [3, 4096] {
            let (mut client, mut stream) = pair(limits(60_000)).await;
            for _ in 0..2 {
                let sent = async {
                    for part in request.as_bytes().chunks(step) {
                        client.write_all(part).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                };
                let (shown, ()) = tokio::join!(read(&mut stream, expected.len(), buffer), sent);
                assert_eq!(shown, expected);
                stream = next_request(stream).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_long_head_passes_whole() {
    let field = format!("A: {}\r\nContent-Length: 4", "x".repeat(10_000));
    let request = format!("POST / HTTP/1.1\r\n{field}\r\n\r\nbody");
    let (mut client, mut stream) = pair(limits(60_000)).await;
    client.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream, request.len(), 4096).await, request);
}

#[tokio::test]
async fn who_is_refused_reads_why() {
    for (sent, status) in [
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
        ("GET / HTTP/3.0\r\n\r\n", "505"),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello",
            "400",
        ),
        ("GET / HTTP/1.1\r\nA: b", "408"),
    ] {
        let (mut client, mut stream) = pair(limits(100)).await;
        client.write_all(sent.as_bytes()).await.unwrap();
        let reader = tokio::spawn(async move {
            let mut seen = Vec::new();
            stream.read_to_end(&mut seen).await.unwrap();
            seen
        });
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{sent:?}: {answer:?}"
        );
        drop(client);
        assert!(reader.await.unwrap().is_empty(), "{sent:?}");
    }
}

#[tokio::test]
async fn silence_is_met_with_silence() {
    for sent in ["", "GET /\r\n"] {
        let (mut client, mut stream) = pair(limits(100)).await;
        client.write_all(sent.as_bytes()).await.unwrap();
        assert_eq!(stream.read(&mut [0; 100]).await.unwrap(), 0);
        drop(stream);
        let mut answer = String::new();
        let _ = client.read_to_string(&mut answer).await;
        assert_eq!(answer, "");
    }
}

#[tokio::test]
async fn a_chunk_that_lies_ends_the_body() {
    let (mut client, mut stream) = pair(limits(60_000)).await;
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream, head.len(), 4096).await, head);
    client.write_all(b"5\r\nhello!").await.unwrap();
    let error = stream.read(&mut [0; 100]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn requests_that_are_sent_at_once_are_shown_one_by_one() {
    let requests = [
        "GET /1 HTTP/1.1\r\n\r\n",
        "POST /2 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "POST /3?\" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HEAD /4 HTTP/1.1\r\n\r\n",
    ];
    for step in [1, 7, 4096] {
        for buffer in [3, 4096] {
            let (mut client, mut stream) = pair(limits(60_000)).await;
            let all = requests.concat();
            let sent = tokio::spawn(async move {
                for part in all.as_bytes().chunks(step) {
                    client.write_all(part).await.unwrap();
                    tokio::task::yield_now().await;
                }
                client
            });
            for request in requests {
                let expected = request.replace('"', "%22");
                assert_eq!(read(&mut stream, expected.len(), buffer).await, expected);
                // Whoever asks for more hears nothing, until the client leaves.
                let more = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut [0; 100])).await;
                assert!(more.is_err(), "{more:?} behind {request:?} by {step}");
                stream = next_request(stream).unwrap();
            }
            drop(sent.await.unwrap());
            assert_eq!(stream.read(&mut [0; 100]).await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn a_request_that_nobody_read_to_its_end_is_the_last() {
    for body in [
        "Content-Length: 5\r\n\r\nhel",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let (mut client, mut stream) = pair(limits(60_000)).await;
        let request = format!("POST / HTTP/1.1\r\n{body}");
        client.write_all(request.as_bytes()).await.unwrap();
        read(&mut stream, request.len(), 4096).await;
        assert!(next_request(stream).is_none());
    }
}
