//! A backend's name -> its addresses, remembered for a while.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
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

/// The addresses of a backend in the order in which one request tries them: a turn of its own, so that
/// requests at the same time do not take addresses out of each other's order.
#[derive(Debug)]
pub struct Candidates {
    addresses: Arc<[SocketAddr]>,
    turn: usize,
    failed: usize,
}

#[derive(Debug)]
struct Answer {
    addresses: Arc<[SocketAddr]>,
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

    /// The addresses for one request. A failed look-up falls back to the last answer: a name server's bad
    /// minute is no outage of the application.
    pub async fn candidates(&self) -> std::io::Result<Candidates> {
        let addresses = self.addresses().await?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Candidates::new(addresses, turn)
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address"))
    }

    async fn addresses(&self) -> std::io::Result<Arc<[SocketAddr]>> {
        if let Some(address) = self.literal {
            return Ok([address].into());
        }
        if let Some(answer) = self.known.load_full()
            && answer.at.elapsed() < REMEMBER
        {
            return Ok(Arc::clone(&answer.addresses));
        }
        match self.look_up().await {
            Ok(addresses) => {
                let addresses: Arc<[SocketAddr]> = addresses.into();
                self.known.store(Some(Arc::new(Answer {
                    addresses: Arc::clone(&addresses),
                    at: Instant::now(),
                })));
                Ok(addresses)
            }
            Err(error) => match self.known.load_full() {
                Some(answer) => Ok(Arc::clone(&answer.addresses)),
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
}

impl Candidates {
    /// The address whose turn it is comes first. None without addresses.
    pub fn new(addresses: Arc<[SocketAddr]>, turn: usize) -> Option<Self> {
        (!addresses.is_empty()).then_some(Self {
            addresses,
            turn,
            failed: 0,
        })
    }

    /// The address to try now; none once all have failed.
    pub fn address(&self) -> Option<SocketAddr> {
        let count = self.addresses.len();
        let index = self.turn.wrapping_add(self.failed) % count.max(1);
        self.addresses.get(index).copied().filter(|_| self.failed < count)
    }

    /// The address of now did not answer. Whether another is left.
    pub fn advance(&mut self) -> bool {
        self.failed += 1;
        self.failed < self.addresses.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_tries_each_address_once_from_its_own_turn_on() {
        let addresses: Arc<[SocketAddr]> = [1, 2, 3]
            .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
            .into();
        for (turn, expected) in [(0, [1, 2, 3]), (1, [2, 3, 1]), (5, [3, 1, 2])] {
            let mut candidates = Candidates::new(Arc::clone(&addresses), turn).unwrap();
            let mut tried = Vec::new();
            while let Some(address) = candidates.address() {
                tried.push(address.port());
                candidates.advance();
            }
            assert_eq!(tried, expected, "turn {turn}");
        }
        assert!(Candidates::new([].into(), 0).is_none());
    }
}
