//! The name servers on their sockets: UDP and TCP, one port, an address for each.

mod answer;
mod content;
mod view;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::Shared;
use view::View;

/// How a name server treats a question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers it.
    #[default]
    Answers,
    /// Says nothing.
    Silent,
    /// REFUSED.
    Refuses,
    /// SERVFAIL.
    Fails,
}

/// A question that a name server was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which of the name servers, from 0.
    pub server: usize,
    /// In lower case, without a dot at its end.
    pub name: String,
    /// `TXT`.
    pub kind: String,
    /// Whether over TCP.
    pub tcp: bool,
}

/// What a test can change about a name server.
#[derive(Debug)]
pub(super) struct Server {
    pub delay: Duration,
    pub behaviour: Behaviour,
}

impl Server {
    pub(super) fn new(delay: Duration) -> Self {
        Server {
            delay,
            behaviour: Behaviour::Answers,
        }
    }
}

/// The address of name server number `index`, in the DNS as well.
fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, u8::try_from(index + 1).unwrap())
}

/// Starts one for each delay, all of one port, until the tasks are aborted.
pub(super) async fn start(delays: &[Duration], state: &Shared, tasks: &mut JoinSet<()>) -> Vec<SocketAddr> {
    assert!(!delays.is_empty(), "a fake without a name server");
    let sockets = sockets(delays.len()).await;
    let mut addresses = Vec::new();
    for (server, (udp, tcp)) in sockets.into_iter().enumerate() {
        addresses.push(udp.local_addr().unwrap());
        tasks.spawn(over_udp(udp, server, Arc::clone(state)));
        tasks.spawn(over_tcp(tcp, server, Arc::clone(state)));
    }
    addresses
}

/// Tries ports until one is free everywhere.
async fn sockets(count: usize) -> Vec<(UdpSocket, TcpListener)> {
    for _ in 0..100 {
        if let Ok(sockets) = try_sockets(count).await {
            return sockets;
        }
    }
    panic!("no port is free for UDP and TCP on {count} addresses of the loopback");
}

async fn try_sockets(count: usize) -> io::Result<Vec<(UdpSocket, TcpListener)>> {
    let mut port = 0;
    let mut sockets = Vec::new();
    for index in 0..count {
        let udp = UdpSocket::bind((address(index), port)).await?;
        port = udp.local_addr()?.port();
        let tcp = TcpListener::bind((address(index), port)).await?;
        sockets.push((udp, tcp));
    }
    Ok(sockets)
}

async fn over_udp(socket: UdpSocket, server: usize, state: Shared) {
    let mut packet = vec![0; 64 * 1024];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut packet).await else {
            continue;
        };
        if let Some(answer) = respond(&state, server, &packet[..length], false) {
            socket.send_to(&answer, client).await.ok();
        }
    }
}

async fn over_tcp(listener: TcpListener, server: usize, state: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let state = Arc::clone(&state);
        connections.spawn(async move { converse(stream, server, &state).await.unwrap_or(()) });
    }
}

/// Question after question (RFC 7766).
async fn converse(mut stream: TcpStream, server: usize, state: &Shared) -> io::Result<()> {
    loop {
        let mut packet = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut packet).await?;
        let Some(answer) = respond(state, server, &packet, true) else {
            continue;
        };
        let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
        stream
            .write_all(&[&length.to_be_bytes(), &*answer].concat())
            .await?;
    }
}

/// The answer as bytes; nothing to what is no question.
fn respond(state: &Shared, server: usize, packet: &[u8], tcp: bool) -> Option<Vec<u8>> {
    let request = Message::from_vec(packet).ok()?;
    let (behaviour, views) = {
        let mut state = state.lock().unwrap();
        for query in &request.queries {
            state.questions.push(Question {
                server,
                name: view::lower(query.name()),
                kind: query.query_type().to_string(),
                tcp,
            });
        }
        let Server { delay, behaviour } = state.servers[server];
        let now = Instant::now();
        let zones = state.zones.iter();
        let views: Vec<View> = zones
            .map(|zone| View::new(zone, zone.seen_after(delay, now)))
            .collect();
        (behaviour, views)
    };
    let answer = match behaviour {
        Behaviour::Silent => return None,
        Behaviour::Refuses => answer::error(&request, ResponseCode::Refused),
        Behaviour::Fails => answer::error(&request, ResponseCode::ServFail),
        Behaviour::Answers => answer::answer(&views, &request),
    };
    let bytes = answer.to_vec().unwrap();
    let room = match tcp {
        true => usize::from(u16::MAX),
        false => usize::from(request.max_payload()),
    };
    match bytes.len() <= room {
        true => Some(bytes),
        false => Some(cut(answer).to_vec().unwrap()),
    }
}

/// What does not fit is left out as a whole, so that nobody takes a part for all.
fn cut(mut answer: Message) -> Message {
    answer.answers.clear();
    answer.authorities.clear();
    answer.additionals.clear();
    answer.metadata.truncation = true;
    answer
}
