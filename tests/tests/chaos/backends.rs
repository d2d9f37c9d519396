//! Backends that are well, and such that are not.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use palisade_tests::harness::Backend;
use palisade_tests::harness::upstream::{Body, Journal, full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// What `/download` is.
pub(crate) const DOWNLOAD: usize = 200 * 1024;

/// Reads the body and says how long it was; a download where one is asked for.
pub(crate) async fn answer(request: Request<Incoming>, _: Journal) -> Response<Body> {
    let download = request.uri().path() == "/download";
    let length = request
        .into_body()
        .collect()
        .await
        .map_or(0, |body| body.to_bytes().len());
    Response::new(match download {
        true => full(Bytes::from(vec![b'd'; DOWNLOAD])),
        false => full(length.to_string()),
    })
}

/// A backend that is not well; ends when it is dropped.
pub(crate) struct Troubled {
    address: SocketAddr,
    task: AbortHandle,
}

/// What is wrong with it.
#[derive(Clone, Copy)]
enum Trouble {
    /// Its process dies and comes back.
    Dies,
    /// Takes requests and says nothing.
    Hangs,
    /// Speaks no HTTP.
    Garbage,
    /// Breaks off in the midst of a body.
    BreaksOff,
    /// Resets the connection as soon as it has the head.
    Resets,
}

const TROUBLES: [Trouble; 5] = [
    Trouble::Dies,
    Trouble::Hangs,
    Trouble::Garbage,
    Trouble::BreaksOff,
    Trouble::Resets,
];

impl Troubled {
    /// Two, with another mixture for each number.
    pub(crate) async fn pair(number: usize) -> [Self; 2] {
        let trouble = |offset| TROUBLES[(number + offset) % TROUBLES.len()];
        [Self::new(trouble(0)).await, Self::new(trouble(1)).await]
    }

    async fn new(trouble: Trouble) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = match trouble {
            Trouble::Dies => tokio::spawn(die_and_come_back(listener, address)),
            _ => tokio::spawn(accept(listener, trouble)),
        };
        Self {
            address,
            task: task.abort_handle(),
        }
    }
}

impl Backend for Troubled {
    fn backend(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Troubled {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn die_and_come_back(mut listener: TcpListener, address: SocketAddr) {
    loop {
        let life = tokio::time::timeout(Duration::from_millis(700), accept(listener, Trouble::Dies));
        let _ = life.await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        listener = loop {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            match socket.bind(address).and_then(|()| socket.listen(64)) {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
    }
}

async fn accept(listener: TcpListener, trouble: Trouble) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, trouble));
    }
}

async fn serve(mut stream: TcpStream, trouble: Trouble) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(count) if count > 0) {
            return;
        }
    }
    let answer: &[u8] = match trouble {
        Trouble::Hangs => return std::future::pending().await,
        Trouble::Garbage => b"\x00\x01garbage, and no HTTP\r\n\r\n",
        Trouble::BreaksOff => b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning",
        Trouble::Resets => {
            socket2::SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            return;
        }
        Trouble::Dies => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    };
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
    // What is unread would turn the end into a reset.
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut head)).await;
}
