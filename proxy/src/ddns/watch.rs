//! Notices when this host's addresses or its way out change: then the public address may be another, and nobody wants
//! to wait for the interval.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use if_addrs::get_if_addrs;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket};

use crate::ddns::address::Family;
use crate::ddns::detect::routes::{DefaultRoute, default_route};

/// Groups of rtnetlink (linux/rtnetlink.h): addresses and routes, of IPv4 and IPv6.
const GROUPS: u32 = 0x10 | 0x40 | 0x100 | 0x400;

/// A link that comes up changes several things in a row, and DHCP and duplicate address detection take their time.
const SETTLE: Duration = Duration::from_millis(1500);

/// The signal comes after this time even if nothing rests.
const SETTLE_AT_MOST: Duration = Duration::from_secs(10);

/// More came than the socket holds (linux/errno.h).
const ENOBUFS: i32 = 105;

/// A watch on the addresses and the default route of this host.
///
/// The kernel tells that something changed; whether it matters is seen by looking. Its messages come for much that
/// does not: each router advertisement, each container.
pub struct HostWatch {
    socket: Option<TokioSocket>,
    seen: Picture,
}

/// What matters.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    routes: [Option<DefaultRoute>; 2],
    addresses: BTreeSet<(String, IpAddr)>,
}

impl HostWatch {
    /// A watch from now on; in a runtime. Where the system gives none, `changed` never returns, and the interval
    /// remains.
    pub fn new() -> Self {
        let socket = subscribe();
        if let Err(error) = &socket {
            tracing::warn!(%error, "addresses of this host are not watched; changes are seen after the interval");
        }
        Self {
            socket: socket.ok(),
            seen: Picture::take(),
        }
    }

    /// Returns once something changed and then rested. Dropped before that, it loses nothing.
    pub async fn changed(&mut self) {
        loop {
            // What changed while nobody waited is seen at once.
            if Picture::take() == self.seen {
                self.event().await;
            }
            let _ = tokio::time::timeout(SETTLE_AT_MOST, self.rest()).await;
            let now = Picture::take();
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    async fn rest(&mut self) {
        while tokio::time::timeout(SETTLE, self.event()).await.is_ok() {}
    }

    async fn event(&mut self) {
        let Some(socket) = &mut self.socket else {
            return std::future::pending().await;
        };
        match socket.recv_from_full().await {
            Err(error) if error.raw_os_error() != Some(ENOBUFS) => {
                tracing::warn!(%error, "addresses of this host are no longer watched");
                self.socket = None;
            }
            // What was lost may have been a change.
            Ok(_) | Err(_) => {}
        }
    }
}

impl Default for HostWatch {
    fn default() -> Self {
        Self::new()
    }
}

fn subscribe() -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
    socket.socket_mut().bind(&SocketAddr::new(0, GROUPS))?;
    Ok(socket)
}

impl Picture {
    fn take() -> Self {
        let interfaces = get_if_addrs().unwrap_or_default().into_iter();
        let lasting = interfaces.filter(|interface| !interface.is_loopback() && !interface.is_link_local());
        Self {
            routes: Family::ALL.map(default_route),
            addresses: lasting
                .map(|interface| (interface.name.clone(), interface.ip()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ddns_a_host_that_rests_gives_no_signal() {
        let mut watch = HostWatch::new();
        assert!(watch.socket.is_some());
        let waited = tokio::time::timeout(Duration::from_millis(200), watch.changed()).await;
        assert!(waited.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn ddns_what_changed_while_nobody_waited_is_told() {
        let mut watch = HostWatch {
            socket: None,
            seen: Picture::take(),
        };
        watch
            .seen
            .addresses
            .insert(("gone0".to_owned(), [8, 8, 8, 8].into()));
        watch.changed().await;
        assert_eq!(watch.seen, Picture::take());
    }
}
