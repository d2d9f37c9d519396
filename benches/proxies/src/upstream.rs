//! The upstream of all proxies: a process of its own that answers 1 KiB to whatever request, and 1 MiB where a download
//! is asked for, with as little work as there can be.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The length of the body of every answer but downloads.
const PAGE_BYTES: usize = 1024;

/// The length of a download.
const DOWNLOAD_BYTES: usize = 1 << 20;

/// Where downloads are.
const DOWNLOADS: &str = "/downloads/";

/// The length of the body of an answer.
#[must_use]
pub fn body_bytes(uri: &str) -> usize {
    match uri.starts_with(DOWNLOADS) {
        true => DOWNLOAD_BYTES,
        false => PAGE_BYTES,
    }
}

/// Serves until the process ends.
pub async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let page: &'static [u8] = answer(PAGE_BYTES).leak();
    let download: &'static [u8] = answer(DOWNLOAD_BYTES).leak();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move { connection(stream, page, download).await });
    }
}

fn answer(body_bytes: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nserver: bench\r\ndate: Sun, 01 Nov 2026 12:00:00 GMT\r\ncontent-type: text/html; \
         charset=utf-8\r\ncache-control: no-cache\r\ncontent-length: {body_bytes}\r\n\r\n"
    );
    let line = "<p>A lamp that stays where you put it.</p>\n";
    let mut answer = head.into_bytes();
    answer.extend(line.bytes().cycle().take(body_bytes));
    answer
}

async fn connection(mut stream: TcpStream, page: &[u8], download: &[u8]) -> io::Result<()> {
    let mut received = Vec::with_capacity(16 * 1024);
    loop {
        while !is_whole(&received) {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        let wants_download = received
            .split(|byte| *byte == b' ')
            .nth(1)
            .is_some_and(|uri| uri.starts_with(DOWNLOADS.as_bytes()));
        received.clear();
        stream
            .write_all(if wants_download { download } else { page })
            .await?;
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
