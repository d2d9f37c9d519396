//! The reflecting upstream over TCP: what `origin` answers, on connections that stay.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::corpus::origin::{self, Response};
use crate::corpus::wire::{Message, Objection};

/// More than any test sends.
const LARGEST_REQUEST: usize = 16 << 20;

/// Listens and answers in the background; returns where.
pub async fn start(address: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Ok(address)
}

/// One request after another; any failure ends the connection.
async fn serve(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    while let Some(request) = request(&mut stream).await {
        let answer = bytes(&origin::answer(&request), &request.method);
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream) -> Option<Message> {
    let mut read = Vec::new();
    loop {
        if let Some(request) = whole(&read) {
            return Some(request);
        }
        match stream.read_buf(&mut read).await {
            Ok(count) if count > 0 && read.len() <= LARGEST_REQUEST => {}
            _ => return None,
        }
    }
}

/// The request, once its body is there.
fn whole(read: &[u8]) -> Option<Message> {
    let head = read.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let request = Message::parse(read);
    let length = request
        .header("content-length")
        .and_then(|length| std::str::from_utf8(length).ok()?.parse::<usize>().ok());
    let missing = request.objections.contains(&Objection::Chunks)
        || length.is_some_and(|length| read.len() - head < length);
    (!missing).then_some(request)
}

fn bytes(response: &Response, method: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Reflected\r\n", response.status).into_bytes();
    for (name, value) in &response.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    // RFC 9110 section 6.4.1: these have none, whatever their length says.
    if method != b"HEAD" && !matches!(response.status, 100..=199 | 204 | 304) {
        bytes.extend_from_slice(&response.body);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_its_body() {
        for (read, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", false),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", true),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                true,
            ),
        ] {
            assert_eq!(whole(read.as_bytes()).is_some(), expected, "{read:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_as_the_request_says() {
        let address = start(([127, 0, 0, 1], 0).into()).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let wish = r#"{"status": 418, "headers": {"X-A": "b"}, "body": "abc"}"#;
        let request = format!(
            "POST /reflect HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{wish}",
            wish.len()
        );
        for _ in 0..2 {
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\nabc") {
                assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
            }
            assert!(answer.starts_with(b"HTTP/1.1 418 Reflected\r\nX-A: b\r\n"));
        }
    }
}
