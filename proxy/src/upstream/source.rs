//! The addresses of one backend: its own, or what its name led to last.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;

use super::endpoint::Endpoint;
use super::seats::Hall;
use crate::config::Backend;

/// A backend and its addresses.
#[derive(Debug)]
pub struct Source {
    backend: Arc<Backend>,
    literal: bool,
    hall: Arc<Hall>,
    /// None before the first look-up has ended.
    known: ArcSwapOption<Vec<Arc<Endpoint>>>,
}

impl Source {
    /// A backend of which nothing is known yet but what its own text says.
    pub(super) fn new(backend: &Backend, hall: &Arc<Hall>, now: Instant) -> Self {
        let backend = Arc::new(backend.clone());
        let literal = backend.host.parse::<IpAddr>().ok();
        let known = literal.map(|ip| {
            let address = SocketAddr::new(ip, backend.port);
            Arc::new(vec![Arc::new(Endpoint::new(&backend, address, hall, now))])
        });
        Self {
            backend,
            literal: literal.is_some(),
            hall: Arc::clone(hall),
            known: ArcSwapOption::new(known),
        }
    }

    /// The backend.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Whether a name stands for its addresses, which may become others.
    pub(super) fn is_named(&self) -> bool {
        !self.literal
    }

    /// Whether no look-up has ended yet.
    pub(super) fn is_unknown(&self) -> bool {
        self.known.load().is_none()
    }

    /// Its addresses; none if no look-up found any.
    pub fn endpoints(&self) -> Arc<Vec<Arc<Endpoint>>> {
        self.known.load_full().unwrap_or_default()
    }

    /// What a look-up found. An address that stays keeps what is known of it. True if anything is other than before.
    pub(crate) fn learn(&self, mut addresses: Vec<SocketAddr>, now: Instant) -> bool {
        let before = self.endpoints();
        // Resolvers turn the order with each answer: that is no change.
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.iter().eq(before
            .iter()
            .map(|endpoint| endpoint.address())
            .collect::<Vec<_>>()
            .iter())
        {
            return false;
        }
        let endpoint = |address: SocketAddr| match before.iter().find(|known| known.address() == address) {
            Some(known) => Arc::clone(known),
            None => Arc::new(Endpoint::new(&self.backend, address, &self.hall, now)),
        };
        let endpoints = addresses.into_iter().map(endpoint).collect();
        self.known.store(Some(Arc::new(endpoints)));
        true
    }

    /// A look-up found nothing. What was known stays: a name server's bad minute is no outage of the application. True
    /// if it was the first.
    pub(super) fn found_nothing(&self) -> bool {
        let first = self.is_unknown();
        if first {
            self.known.store(Some(Arc::default()));
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Scheme;

    fn named() -> Source {
        let backend = Backend {
            scheme: Scheme::Http,
            host: "app.internal".to_owned(),
            port: 80,
        };
        Source::new(&backend, &Arc::default(), Instant::now())
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 80))
    }

    fn addresses(source: &Source) -> Vec<SocketAddr> {
        source
            .endpoints()
            .iter()
            .map(|endpoint| endpoint.address())
            .collect()
    }

    #[test]
    fn an_address_that_stays_keeps_what_is_known_of_it() {
        let (source, now) = (named(), Instant::now());
        assert!(source.is_unknown() && source.is_named());
        assert!(source.learn(vec![address(2), address(1), address(2)], now));
        assert_eq!(addresses(&source), [address(1), address(2)]);
        let kept = Arc::clone(&source.endpoints()[1]);
        assert!(!source.learn(vec![address(1), address(2)], now));
        assert!(source.learn(vec![address(3), address(2)], now));
        assert_eq!(addresses(&source), [address(2), address(3)]);
        assert!(Arc::ptr_eq(&kept, &source.endpoints()[0]));
    }

    #[test]
    fn in_an_outage_of_dns_the_last_answer_stays() {
        let source = named();
        source.found_nothing();
        assert!(!source.is_unknown() && source.endpoints().is_empty());
        source.learn(vec![address(1)], Instant::now());
        source.found_nothing();
        assert_eq!(addresses(&source), [address(1)]);
    }

    #[test]
    fn an_address_is_known_at_once() {
        for (host, shown) in [("192.0.2.1", "192.0.2.1:80"), ("2001:db8::1", "[2001:db8::1]:80")] {
            let backend = Backend {
                scheme: Scheme::Http,
                host: host.to_owned(),
                port: 80,
            };
            let source = Source::new(&backend, &Arc::default(), Instant::now());
            assert!(!source.is_named());
            assert_eq!(&**source.endpoints()[0].label(), shown);
        }
    }
}
