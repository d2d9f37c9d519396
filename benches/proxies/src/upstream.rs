//! The upstream of all proxies: a process of its own that answers 1 KiB to whatever request, with as little work
//! as there can be.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The length of the body of every answer.
pub const BODY_BYTES: usize = 1024;

/// Serves until the process ends.
pub async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let answer: &'static [u8] = answer().leak();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move { connection(stream, answer).await });
    }
}

fn answer() -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nserver: bench\r\ndate: Sun, 01 Nov 2026 12:00:00 GMT\r\ncontent-type: text/html; \
         charset=utf-8\r\ncache-control: no-cache\r\ncontent-length: {BODY_BYTES}\r\n\r\n"
    );
    let line = "<p>A lamp that stays where you put it.</p>\n";
    let mut answer = head.into_bytes();
    answer.extend(line.bytes().cycle().take(BODY_BYTES));
    answer
}

async fn connection(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    let mut received = Vec::with_capacity(16 * 1024);
    loop {
        while !is_whole(&received) {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        received.clear();
        stream.write_all(answer).await?;
    }
}

/// Is the request here to its end? Proxies send one at a time, so that nothing follows it.
fn is_whole(received: &[u8]) -> bool {
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return false;
    };
    let end = end + 4;
    let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
    if head.contains("\r\ntransfer-encoding:") {
        return received[end..].ends_with(b"0\r\n\r\n");
    }
    let length = head.split("\r\ncontent-length:").nth(1).and_then(|rest| {
        let value = rest.split("\r\n").next()?;
        value.trim().parse::<usize>().ok()
    });
    received.len() >= end + length.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_its_body() {
        assert!(!is_whole(b"GET / HTTP/1.1\r\nHost: a\r\n"));
        assert!(is_whole(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(!is_whole(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"));
        assert!(is_whole(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"));
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert!(is_whole(chunked));
        assert!(!is_whole(&chunked[..chunked.len() - 5]));
    }
}
