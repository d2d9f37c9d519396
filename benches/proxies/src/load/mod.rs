//! The client that loads a proxy: one thread, TLS 1.3, a fixed number of requests in flight, and as little work
//! for each as there can be, so that it is never what is measured.

mod exchange;
mod http1;
mod http2;
mod latency;
mod number;
mod pace;
mod tls;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use exchange::Exchange;
pub use http1::ask;
pub use latency::Latencies;
use pace::Pace;
use palisade_bench_engine::requests::Request;
pub use tls::{HOST, Trust, handshake};

/// What becomes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, connections stay.
    Http1,
    /// HTTP/2, connections stay.
    Http2,
    /// HTTP/1.1, each request on a new connection with a full handshake.
    NewConnections,
}

/// How many at once.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// What becomes of connections.
    pub protocol: Protocol,
    /// Connections.
    pub connections: usize,
    /// Requests in flight on each.
    pub streams: usize,
}

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    /// The proxy.
    pub address: SocketAddr,
    /// The only certificate that is accepted.
    pub trust: Trust,
}

/// Why a load is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Connecting, reading or writing.
    #[error("{doing}: {source}")]
    Io {
        /// What.
        doing: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// HTTP/2.
    #[error("HTTP/2: {0}")]
    Http2(#[from] h2::Error),
    /// Another answer than the upstream's.
    #[error("expected the upstream's answer, got: {0}")]
    Answer(String),
    /// The certificate for the proxies.
    #[error("the certificate: {0}")]
    Certificate(String),
    /// A bug of the client.
    #[error("a task of the client ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// One for each request.
    pub latencies: Latencies,
    /// Connections that the proxy closed between requests.
    pub reconnections: u64,
}

/// Open connections, ready for a load.
pub struct Load {
    exchanges: Vec<Exchange>,
}

impl Load {
    /// Connects.
    pub async fn open(target: &Target, shape: Shape, request: &Request) -> Result<Self, LoadError> {
        let mut exchanges = Vec::new();
        for _ in 0..shape.connections {
            exchanges.extend(Exchange::open(target, shape, request).await?);
        }
        Ok(Self { exchanges })
    }

    /// Sends and receives for so long; the last requests are waited for.
    pub async fn run(&mut self, rate: Option<u32>, duration: Duration) -> Result<Outcome, LoadError> {
        let start = Instant::now();
        let pace = Pace::new(rate, start, duration);
        let mut workers = JoinSet::new();
        for exchange in self.exchanges.drain(..) {
            workers.spawn(work(exchange, pace.clone()));
        }
        let mut outcome = Outcome::default();
        while let Some(worker) = workers.join_next().await {
            let (exchange, latencies) = worker??;
            outcome.latencies.extend(latencies);
            self.exchanges.push(exchange);
        }
        outcome.elapsed = start.elapsed();
        outcome.reconnections = self.exchanges.iter_mut().map(Exchange::take_reconnections).sum();
        Ok(outcome)
    }
}

/// The status of one answer.
pub async fn status(target: &Target, request: &Request) -> Result<u16, LoadError> {
    http1::Http1::connect(target, request).await?.status().await
}

async fn work(mut exchange: Exchange, pace: Pace) -> Result<(Exchange, Latencies), LoadError> {
    let mut latencies = Latencies::default();
    while let Some(start) = pace.turn().await {
        exchange.once().await?;
        latencies.push(start.elapsed());
    }
    Ok((exchange, latencies))
}

pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> LoadError {
    move |source| LoadError::Io { doing, source }
}
