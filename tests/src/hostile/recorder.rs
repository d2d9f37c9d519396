//! An upstream that keeps every byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::harness::Backend;

/// Answers every complete request with 200, and keeps what it read.
pub struct Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<String>,
    bytes: Vec<u8>,
}

impl Recorder {
    /// On a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(record(socket, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            seen,
            task: task.abort_handle(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Complete requests since the last call, and all bytes.
    #[must_use]
    pub fn take(&self) -> (Vec<String>, Vec<u8>) {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        (seen.requests, seen.bytes)
    }
}

impl Backend for Recorder {
    fn backend(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn record(mut socket: TcpStream, seen: Arc<Mutex<Seen>>) {
    let mut pending = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        while let Some(end) = request_end(&pending) {
            let request: Vec<u8> = pending.drain(..end).collect();
            let request = String::from_utf8_lossy(&request).into_owned();
            seen.lock().unwrap().requests.push(request);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            if socket.write_all(answer).await.is_err() {
                return;
            }
        }
        match socket.read(&mut chunk).await {
            Ok(count) if count > 0 => {
                pending.extend_from_slice(&chunk[..count]);
                seen.lock().unwrap().bytes.extend_from_slice(&chunk[..count]);
            }
            _ => return,
        }
    }
}

/// Where the first request ends, once it is complete: proxies write their framing well.
fn request_end(bytes: &[u8]) -> Option<usize> {
    let find = |what: &[u8], from: usize| {
        let found = bytes
            .get(from..)?
            .windows(what.len())
            .position(|window| window == what)?;
        Some(from + found + what.len())
    };
    let head = find(b"\r\n\r\n", 0)?;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line[name.len()..].trim().to_owned())
    };
    if value("transfer-encoding:").is_some_and(|coding| coding.contains("chunked")) {
        return find(b"0\r\n\r\n", head);
    }
    let length = value("content-length:")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    (bytes.len() >= head + length).then_some(head + length)
}
