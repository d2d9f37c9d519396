//! Connections of one client at once.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::ClientKey;

/// Parts of the table, each with a lock of its own: accepts of several threads rarely meet.
const PARTS: usize = 16;

/// How many connections each client has. Holds no more clients than there are connections.
#[derive(Debug, Clone)]
pub struct ClientConnections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    hasher: RandomState,
    parts: [Mutex<HashMap<ClientKey, usize>>; PARTS],
}

/// One connection of a client; counted until it is dropped.
#[derive(Debug)]
pub struct ClientConnection {
    shared: Arc<Shared>,
    key: ClientKey,
}

impl ClientConnections {
    /// At most `limit` for each client.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared {
            limit,
            hasher: RandomState::new(),
            parts: Default::default(),
        }))
    }

    /// Counts one more connection of `client`, if it may have one more.
    pub fn open(&self, client: IpAddr) -> Option<ClientConnection> {
        let key = ClientKey::from(client);
        let mut part = self.0.part(key).lock().unwrap_or_else(PoisonError::into_inner);
        let open = part.entry(key).or_default();
        // A limit is never zero: a client that is refused has others open, and so an entry anyway.
        if *open >= self.0.limit {
            return None;
        }
        *open += 1;
        Some(ClientConnection {
            shared: Arc::clone(&self.0),
            key,
        })
    }
}

impl Shared {
    fn part(&self, key: ClientKey) -> &Mutex<HashMap<ClientKey, usize>> {
        &self.parts[self.hasher.hash_one(key) as usize % PARTS]
    }
}

impl Drop for ClientConnection {
    fn drop(&mut self) {
        let part = self.shared.part(self.key);
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut open) = part.entry(self.key) {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_and_no_more() {
        let connections = ClientConnections::new(2);
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let _one = connections.open(client).unwrap();
        let two = connections.open(client).unwrap();
        assert!(connections.open(client).is_none());
        assert!(connections.open("::ffff:192.0.2.1".parse().unwrap()).is_none());
        assert!(connections.open("192.0.2.2".parse().unwrap()).is_some());
        drop(two);
        assert!(connections.open(client).is_some());
    }

    #[test]
    fn a_home_is_one_client() {
        let connections = ClientConnections::new(1);
        let _one = connections.open("2001:db8:1:2::1".parse().unwrap()).unwrap();
        assert!(
            connections
                .open("2001:db8:1:2:ffff::9".parse().unwrap())
                .is_none()
        );
        assert!(connections.open("2001:db8:1:3::1".parse().unwrap()).is_some());
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let connections = ClientConnections::new(1);
        for last in 0..=255 {
            drop(connections.open(IpAddr::from([192, 0, 2, last])));
        }
        let left = |part: &Mutex<HashMap<ClientKey, usize>>| part.lock().unwrap().len();
        assert_eq!(connections.0.parts.iter().map(left).sum::<usize>(), 0);
    }
}
