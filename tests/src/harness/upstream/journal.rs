//! What an upstream remembers.

use std::sync::{Arc, Mutex};

use http::request::Parts;
use tokio::sync::watch;

use crate::harness::ask::PROBE;
use crate::harness::within;

/// The head of a request, as the upstream received it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The target.
    pub uri: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// All values of a header, in order.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// Shared between an upstream's connections and the test.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    requests: Mutex<Vec<Seen>>,
    connections: watch::Sender<usize>,
    hits: watch::Sender<usize>,
    body_bytes: watch::Sender<u64>,
}

impl Default for Journal {
    fn default() -> Self {
        Journal(Arc::new(Inner {
            requests: Mutex::default(),
            connections: watch::Sender::new(0),
            hits: watch::Sender::new(0),
            body_bytes: watch::Sender::new(0),
        }))
    }
}

impl Journal {
    /// Notes a connection.
    pub fn connected(&self) {
        self.0.connections.send_modify(|count| *count += 1);
    }

    /// Notes the head of a request.
    pub fn request(&self, parts: &Parts) {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect();
        self.seen(Seen {
            method: parts.method.to_string(),
            uri: parts.uri.to_string(),
            headers,
        });
    }

    /// Notes the head of a request.
    pub fn seen(&self, seen: Seen) {
        self.0.requests.lock().unwrap().push(seen);
        self.0.hits.send_modify(|count| *count += 1);
    }

    /// Notes bytes of a request body.
    pub fn body(&self, count: usize) {
        self.0.body_bytes.send_modify(|bytes| *bytes += count as u64);
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        *self.0.connections.borrow()
    }

    /// Requests so far.
    pub fn hits(&self) -> usize {
        *self.0.hits.borrow()
    }

    /// Bytes of request bodies so far.
    pub fn body_bytes(&self) -> u64 {
        *self.0.body_bytes.borrow()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.0.requests.lock().unwrap().clone()
    }

    /// The request with this probe.
    pub fn find(&self, probe: &str) -> Option<Seen> {
        self.requests()
            .into_iter()
            .find(|seen| seen.header(PROBE).contains(&probe))
    }

    /// Whether the request with this probe arrived.
    pub fn saw(&self, probe: &str) -> bool {
        self.find(probe).is_some()
    }

    /// Until this many requests arrived.
    pub async fn await_hits(&self, count: usize) {
        let mut hits = self.0.hits.subscribe();
        within("requests at the upstream", hits.wait_for(|now| *now >= count))
            .await
            .unwrap();
    }

    /// Until this many bytes of bodies arrived.
    pub async fn await_body(&self, count: u64) {
        let mut bytes = self.0.body_bytes.subscribe();
        within("body bytes at the upstream", bytes.wait_for(|now| *now >= count))
            .await
            .unwrap();
    }
}
