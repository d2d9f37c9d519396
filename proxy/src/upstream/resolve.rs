//! A backend's name -> an address, remembered for a while.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::config::Backend;

/// How long an answer is used. The system resolver does not tell the record's own TTL; Services and
/// containers change within such a time.
const REMEMBER: Duration = Duration::from_secs(10);

/// How long the resolver may take before the last known answer is used.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// Finds the addresses of one backend.
#[derive(Debug)]
pub struct Resolver {
    literal: Option<SocketAddr>,
    host: String,
    port: u16,
    known: ArcSwapOption<Answer>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Answer {
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl Resolver {
    /// A resolver that knows nothing yet; an address literal is never looked up.
    pub fn new(backend: &Backend) -> Self {
        Self {
            literal: backend
                .host
                .parse::<IpAddr>()
                .ok()
                .map(|ip| SocketAddr::new(ip, backend.port)),
            host: backend.host.clone(),
            port: backend.port,
            known: ArcSwapOption::empty(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The next address in turn. A failed look-up falls back to the last answer: a name server's bad minute
    /// is no outage of the application.
    pub async fn address(&self) -> std::io::Result<SocketAddr> {
        if let Some(address) = self.literal {
            return Ok(address);
        }
        if let Some(answer) = self.known.load_full()
            && answer.at.elapsed() < REMEMBER
        {
            return self.in_turn(&answer.addresses);
        }
        match self.look_up().await {
            Ok(addresses) => {
                let chosen = self.in_turn(&addresses);
                self.known.store(Some(std::sync::Arc::new(Answer {
                    addresses,
                    at: Instant::now(),
                })));
                chosen
            }
            Err(error) => match self.known.load_full() {
                Some(answer) => self.in_turn(&answer.addresses),
                None => Err(error),
            },
        }
    }

    async fn look_up(&self) -> std::io::Result<Vec<SocketAddr>> {
        let lookup = tokio::net::lookup_host((self.host.as_str(), self.port));
        let found = tokio::time::timeout(LOOKUP_TIMEOUT, lookup)
            .await
            .map_err(|_| std::io::Error::new(std::io::ErrorKind::TimedOut, "name look-up took too long"))??;
        Ok(found.collect())
    }

    fn in_turn(&self, addresses: &[SocketAddr]) -> std::io::Result<SocketAddr> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        addresses
            .get(turn % addresses.len().max(1))
            .copied()
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address"))
    }
}
