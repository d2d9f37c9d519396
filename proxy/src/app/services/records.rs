//! Records of routes' hosts as a background service.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use crate::cloudflare::Clients;
use crate::config::{Config, Detection};
use crate::ddns::{Family, Outcome};
use crate::dns::{Addresses, Found, How, Records, ZoneOutcome, desired};
use crate::service::{Board, Round, Service};
use crate::snapshot::SnapshotHandle;

/// What the service is called.
pub(in crate::app) const NAME: &str = "dns";

/// How long the first round waits for the first look at the address. With what it does not know it would only tell so.
const FIRST_LOOK: Duration = Duration::from_secs(15);

/// Plans and applies, for what serves now.
pub(in crate::app) struct RecordService {
    records: Records,
    snapshots: SnapshotHandle,
    address: watch::Receiver<Option<Outcome>>,
}

impl RecordService {
    pub(in crate::app) fn new(
        clients: Clients,
        snapshots: SnapshotHandle,
        address: watch::Receiver<Option<Outcome>>,
    ) -> Self {
        Self {
            records: Records::sharing(clients),
            snapshots,
            address,
        }
    }

    async fn await_first_look(&mut self) {
        let looked = self.address.wait_for(Option::is_some);
        // Nobody looks where no method is configured: that ends it as well.
        let _ = tokio::time::timeout(FIRST_LOOK, looked).await;
    }
}

#[async_trait]
impl Service for RecordService {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn round(&mut self) -> Round {
        self.await_first_look().await;
        let config = Arc::clone(&self.snapshots.load().config);
        let found = addresses(&config, self.address.borrow().as_ref());
        let desired = desired(&config.routes, &config.zones, &config.dns, &found);
        let outcome = self
            .records
            .round(&desired, &config.zones, &config.dns, How::default())
            .await;
        let troubles: Vec<String> = outcome.zones.iter().flat_map(troubles).collect();
        if troubles.is_empty() {
            return Round::Settled(config.dns.interval);
        }
        let wait = outcome.zones.iter().filter_map(|zone| zone.wait).max();
        Round::Troubled {
            why: troubles.join("\n"),
            again: wait.map(Duration::from_secs),
        }
    }

    fn detail(&self) -> Value {
        serde_json::to_value(self.records.last()).unwrap_or_default()
    }
}

/// The home's addresses as records are to hold them. What was not found is not known, which is no reason to change
/// anything.
pub fn addresses(config: &Config, outcome: Option<&Outcome>) -> Addresses {
    let found = |family, methods: &[Detection]| match outcome.and_then(|outcome| outcome.address(family)) {
        _ if methods.is_empty() => Found::None,
        Some(address) => Found::Known(address),
        None => Found::Unknown,
    };
    Addresses {
        v4: found(Family::Ipv4, &config.ddns.ipv4).and_then(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }),
        v6: found(Family::Ipv6, &config.ddns.ipv6).and_then(|address| match address {
            IpAddr::V6(address) => Some(address),
            IpAddr::V4(_) => None,
        }),
    }
}

/// Deletes all our records in zones whose records are looked after, as far as the policy lets.
pub(super) async fn delete(clients: Clients, config: &Config) {
    let nowhere = Addresses {
        v4: Found::None,
        v6: Found::None,
    };
    let nothing = desired(&[], &config.zones, &config.dns, &nowhere);
    let how = How {
        allow_deletes: true,
        ..How::default()
    };
    let mut records = Records::sharing(clients);
    let outcome = records.round(&nothing, &config.zones, &config.dns, how).await;
    for zone in &outcome.zones {
        tracing::info!(
            zone = zone.zone,
            deleted = zone.done,
            "our DNS records go with the edge"
        );
        for trouble in troubles(zone) {
            tracing::warn!("{trouble}");
        }
    }
}

/// Wakes the records when the address is another one, and while they are in trouble: whoever found the address has
/// just reached the world outside. Never returns.
pub(in crate::app) async fn wake_on_address(
    config: Arc<Config>,
    mut address: watch::Receiver<Option<Outcome>>,
    board: Board,
    wake: Arc<Notify>,
) {
    let mut before = addresses(&config, None);
    while address.changed().await.is_ok() {
        let now = addresses(&config, address.borrow_and_update().as_ref());
        let troubled = || {
            board
                .read()
                .get(NAME)
                .is_some_and(|status| status.trouble.is_some())
        };
        if now != before || troubled() {
            wake.notify_one();
        }
        before = now;
    }
    std::future::pending().await
}

/// What is wrong in one zone, for people.
fn troubles(zone: &ZoneOutcome) -> Vec<String> {
    let refused = zone.refused.iter();
    let refused = refused.map(|refused| format!("{}: {refused}", zone.zone));
    let failed = zone.failures.iter().chain(&zone.stopped);
    let failed = failed.map(|trouble| match &trouble.advice {
        Some(advice) => format!("{}: {} ({advice})", trouble.what, trouble.error),
        None => format!("{}: {}", trouble.what, trouble.error),
    });
    refused.chain(failed).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;

    use super::*;
    use crate::config::testing::config;
    use crate::ddns::{self, agreement::Verdict};
    use crate::service::{Leadership, Surroundings, run};

    struct Troubled;

    #[async_trait]
    impl Service for Troubled {
        fn name(&self) -> &'static str {
            NAME
        }

        async fn round(&mut self) -> Round {
            Round::Troubled {
                why: "the API is down".to_owned(),
                again: None,
            }
        }

        fn detail(&self) -> Value {
            json!(null)
        }
    }

    fn found(address: &str) -> Option<Outcome> {
        let found = ddns::Found {
            verdict: Verdict::Publish(address.parse().unwrap()),
            since: None,
            confirmed: true,
            methods: Vec::new(),
        };
        Some(Outcome {
            at: OffsetDateTime::now_utc(),
            ipv4: Some(found),
            ipv6: None,
        })
    }

    /// One look more at the same address is no reason to list a zone; while the records are in trouble it is.
    #[tokio::test(start_paused = true)]
    async fn dns_is_woken_by_another_address_and_while_it_is_in_trouble() {
        let text = "[[routes]]\nname = \"a\"\nhosts = [\"a.example\"]\necho = true\n";
        let (looks, seen) = watch::channel(None);
        let (board, wake) = (Board::default(), Arc::new(Notify::new()));
        let watching = wake_on_address(Arc::new(config(text)), seen, board.clone(), Arc::clone(&wake));
        let watching = tokio::spawn(watching);
        let woken = async |address: &str| {
            looks.send_replace(found(address));
            let woken = tokio::time::timeout(Duration::from_secs(1), wake.notified()).await;
            woken.is_ok()
        };
        assert!(woken("203.0.113.7").await);
        assert!(!woken("203.0.113.7").await);
        assert!(woken("203.0.113.8").await);
        assert!(!woken("203.0.113.8").await);
        let stop = watch::Sender::new(false);
        let around = Surroundings {
            leadership: Leadership::always(),
            stopped: stop.subscribe(),
            wake: Arc::new(Notify::new()),
            board: board.clone(),
        };
        let records = tokio::spawn(run(Troubled, around));
        while board
            .read()
            .get(NAME)
            .is_none_or(|status| status.trouble.is_none())
        {
            tokio::task::yield_now().await;
        }
        assert!(woken("203.0.113.8").await);
        records.abort();
        watching.abort();
    }
}
