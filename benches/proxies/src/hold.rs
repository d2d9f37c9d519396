//! What held connections cost: memory of each idle one, and what an ordinary client notices of many slow ones.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;

use crate::cases::{Case, STEADY};
use crate::load::{self, Load, LoadError, Target};
use crate::measure;
use crate::peer::Peer;
use crate::place::Place;
use crate::running::{Running, StartError};
use palisade_bench_engine::requests;

/// Of the ordinary client: what a home's busiest hour has.
const RATE: u32 = 200;

/// Between two bytes of a slow client.
const PAUSE: Duration = Duration::from_secs(3);

/// Handshakes at once while connections are opened.
const AT_ONCE: usize = 64;

/// Connections of one source address: limits for each client are not what is measured.
const PER_ADDRESS: usize = 50;

/// What a proxy did.
#[derive(Debug)]
pub struct Held {
    /// Its name.
    pub peer: &'static str,
    /// Bytes for each connection that had its answer and waits.
    pub idle_bytes: f64,
    /// Of the ordinary client, with nobody else there.
    pub alone: Duration,
    /// With so many that send a byte of their head now and then.
    pub among_slow: Duration,
    /// Slow ones that were there at the end.
    pub slow: usize,
}

/// Holds `count` connections to a proxy, idle ones first.
pub async fn hold(place: &Place, peer: Peer, count: usize) -> Result<Held, StartError> {
    let _upstream = Running::upstream(place)?;
    let target = measure::target(place, peer)?;
    let process = Running::peer(peer, place, &target).await?;
    let alone = p99(&target).await?;
    let before = process.family().memory();
    let idle = open(&target, count, true).await?;
    let used = process.family().memory().saturating_sub(before);
    let held = idle.len().max(1);
    drop(idle);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let slow = open(&target, count, false).await?;
    let dripping = tokio::spawn(drip(slow));
    let among_slow = p99(&target).await?;
    dripping.abort();
    let slow = process.family().sockets();
    Ok(Held {
        peer: peer.name(),
        idle_bytes: used as f64 / held as f64,
        alone,
        among_slow,
        slow,
    })
}

/// One line.
#[must_use]
pub fn line(held: &Held) -> String {
    format!(
        "held {:<16} {:>6.1} KiB an idle connection, p99 {:?} alone and {:?} among {} slow ones: ratio {:.2}",
        held.peer,
        held.idle_bytes / 1024.0,
        held.alone,
        held.among_slow,
        held.slow,
        held.among_slow.as_secs_f64() / held.alone.as_secs_f64(),
    )
}

async fn p99(target: &Target) -> Result<Duration, LoadError> {
    let case = Case::named(STEADY).ok_or_else(|| LoadError::Answer("no such case".to_owned()))?;
    let mut load = Load::open(target, case.shape, &(case.request)()).await?;
    load.run(Some(RATE), Duration::from_secs(2)).await?;
    let mut outcome = load.run(Some(RATE), Duration::from_secs(10)).await?;
    Ok(outcome.latencies.percentile(99))
}

/// Connections with their handshake behind them; with `asked`, one answer too.
async fn open(target: &Target, count: usize, asked: bool) -> Result<Vec<TlsStream<TcpStream>>, LoadError> {
    let mut opening = JoinSet::new();
    let mut streams = Vec::with_capacity(count);
    for number in 0..count {
        if opening.len() >= AT_ONCE
            && let Some(opened) = opening.join_next().await
        {
            streams.push(opened??);
        }
        let target = target.clone();
        opening.spawn(async move {
            let socket = connect(target.address, number)
                .await
                .map_err(load::io("connecting"))?;
            let mut stream = load::handshake(&target, socket).await?;
            if asked {
                load::ask(&mut stream, &requests::get()).await?;
            }
            Ok::<_, LoadError>(stream)
        });
    }
    while let Some(opened) = opening.join_next().await {
        streams.push(opened??);
    }
    Ok(streams)
}

/// From one of many addresses of this host.
async fn connect(address: SocketAddr, number: usize) -> std::io::Result<TcpStream> {
    let source = number / PER_ADDRESS;
    let source = Ipv4Addr::new(127, 1, (source / 250) as u8, (source % 250 + 1) as u8);
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    socket.connect(address).await
}

/// A byte of a request's head for each now and then, spread over the pause.
async fn drip(mut streams: Vec<TlsStream<TcpStream>>) {
    let step = PAUSE / u32::try_from(streams.len().max(1)).unwrap_or(1);
    let mut ticks = tokio::time::interval(step.max(Duration::from_millis(1)));
    let each = (streams.len() / 3000).max(1) + 1;
    for head in ["G", "E", "T", " ", "/", "a"]
        .into_iter()
        .chain(std::iter::repeat("a"))
    {
        for some in streams.chunks_mut(each) {
            ticks.tick().await;
            for stream in some {
                // The proxy may have had enough of it.
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.flush().await;
            }
        }
    }
}
