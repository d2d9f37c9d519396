//! A backend's name -> its addresses, remembered for a while.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::Semaphore;

use crate::config::Backend;

/// How long an answer is used. The system resolver does not tell the record's own TTL; Services and
/// containers change within such a time.
const REMEMBER: Duration = Duration::from_secs(10);

/// After a failed look-up the next one comes this much later: while a name server is down, few requests wait
/// for it.
const RETRY: Duration = Duration::from_secs(1);

/// How long the resolver may take before the last known answer is used.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// Finds the addresses of one backend.
#[derive(Debug)]
pub struct Resolver {
    literal: Option<SocketAddr>,
    host: String,
    port: u16,
    known: ArcSwapOption<Answer>,
    looking: Semaphore,
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

/// What the last look-up said; without addresses if none has succeeded yet.
#[derive(Debug)]
struct Answer {
    addresses: Arc<[SocketAddr]>,
    /// When the next look-up is due.
    until: Instant,
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
            looking: Semaphore::new(1),
            turn: AtomicUsize::new(0),
        }
    }

    /// The addresses for one request. A failed look-up falls back to the last answer: a name server's bad
    /// minute is no outage of the application.
    pub async fn candidates(&self) -> std::io::Result<Candidates> {
        let addresses = self.addresses().await?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Candidates::new(addresses, turn).ok_or_else(no_address)
    }

    async fn addresses(&self) -> std::io::Result<Arc<[SocketAddr]>> {
        match self.literal {
            Some(address) => Ok([address].into()),
            None => self.remembered(self.look_up()).await,
        }
    }

    /// The known answer while it is fresh, or that of `look_up`. One look-up at a time: meanwhile the others
    /// take the stale answer, if there is one.
    async fn remembered(
        &self,
        look_up: impl Future<Output = std::io::Result<Vec<SocketAddr>>>,
    ) -> std::io::Result<Arc<[SocketAddr]>> {
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        let _permit = match (self.looking.try_acquire(), self.known.load_full()) {
            (Ok(permit), _) => Some(permit),
            (Err(_), Some(stale)) if !stale.addresses.is_empty() => return Ok(Arc::clone(&stale.addresses)),
            (Err(_), _) => self.looking.acquire().await.ok(),
        };
        // Whoever had to wait finds the answer here.
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        match look_up.await {
            Ok(addresses) => Ok(self.remember(addresses.into(), REMEMBER)),
            Err(error) => {
                let known = self.known.load_full();
                let stale = known.map_or_else(|| [].into(), |known| Arc::clone(&known.addresses));
                let stale = self.remember(stale, RETRY);
                if stale.is_empty() { Err(error) } else { Ok(stale) }
            }
        }
    }

    fn fresh(&self) -> Option<Arc<[SocketAddr]>> {
        let known = self.known.load();
        let fresh = known.as_ref().filter(|known| Instant::now() < known.until);
        fresh.map(|known| Arc::clone(&known.addresses))
    }

    /// Takes these addresses as the answer for a time.
    pub(crate) fn remember(&self, addresses: Arc<[SocketAddr]>, time: Duration) -> Arc<[SocketAddr]> {
        self.known.store(Some(Arc::new(Answer {
            addresses: Arc::clone(&addresses),
            until: Instant::now() + time,
        })));
        addresses
    }

    async fn look_up(&self) -> std::io::Result<Vec<SocketAddr>> {
        let lookup = tokio::net::lookup_host((self.host.as_str(), self.port));
        let found = tokio::time::timeout(LOOKUP_TIMEOUT, lookup)
            .await
            .map_err(|_| std::io::Error::new(std::io::ErrorKind::TimedOut, "name look-up took too long"))??;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(no_address());
        }
        Ok(found)
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

fn no_address() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address")
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn resolver() -> Resolver {
        Resolver::new(&Backend {
            tls: false,
            host: "app.internal".to_owned(),
            port: 80,
        })
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 80))
    }

    /// A resolver whose answer is out of date.
    fn stale(last: u8) -> Resolver {
        let resolver = resolver();
        resolver.remember([address(last)].into(), Duration::ZERO);
        resolver
    }

    fn outage() -> std::io::Error {
        std::io::ErrorKind::TimedOut.into()
    }

    #[tokio::test]
    async fn in_an_outage_the_old_answer_serves_and_few_requests_wait() {
        let resolver = stale(1);
        let first = resolver.remembered(ready(Err(outage()))).await.unwrap();
        assert_eq!(first[..], [address(1)]);
        // The next request does not ask: this look-up would never end.
        let next = tokio::time::timeout(RETRY / 2, resolver.remembered(pending())).await;
        assert_eq!(next.unwrap().unwrap()[..], [address(1)]);
        tokio::time::sleep(RETRY).await;
        let later = resolver.remembered(ready(Ok(vec![address(2)]))).await;
        assert_eq!(later.unwrap()[..], [address(2)]);
    }

    #[tokio::test]
    async fn one_look_up_at_a_time_and_the_others_take_the_old_answer() {
        let resolver = stale(1);
        let looking = resolver.remembered(pending());
        tokio::select! {
            biased;
            _ = looking => panic!("it never ends"),
            other = resolver.remembered(pending()) => assert_eq!(other.unwrap()[..], [address(1)]),
        }
    }

    #[tokio::test]
    async fn without_an_old_answer_all_wait_for_one_look_up() {
        let resolver = resolver();
        let first = resolver.remembered(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(vec![address(1)])
        });
        let (first, second) = tokio::join!(first, resolver.remembered(pending()));
        assert_eq!(first.unwrap()[..], second.unwrap()[..]);
    }

    #[tokio::test]
    async fn a_name_that_was_never_found_fails_for_all_who_wait() {
        let resolver = resolver();
        assert!(resolver.remembered(ready(Err(outage()))).await.is_err());
        let next = tokio::time::timeout(RETRY / 2, resolver.remembered(pending())).await;
        assert!(next.unwrap().unwrap().is_empty());
    }

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
