//! The home's public address as a background service: what is found is handed to whoever writes records.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use crate::ddns::{self, Addresses, HostWatch, Notifier, Outcome, Report};
use crate::service::{Board, Round, Service};

/// Looks, and tells.
pub(in crate::app) struct AddressService {
    addresses: Addresses,
    notifier: Notifier,
    interval: Duration,
    found: watch::Sender<Option<Outcome>>,
    /// Monitors are told of records that could not be written as well.
    board: Board,
}

impl AddressService {
    pub(in crate::app) fn new(
        addresses: Addresses,
        notifier: Notifier,
        interval: Duration,
        found: watch::Sender<Option<Outcome>>,
        board: Board,
    ) -> Self {
        Self {
            addresses,
            notifier,
            interval,
            found,
            board,
        }
    }

    fn report(&self, outcome: &Outcome, took: Duration) -> Report {
        let records = self.board.read().remove(super::records::NAME);
        let trouble = records.and_then(|status| status.trouble);
        let summary = outcome.summary();
        Report {
            ok: trouble.is_none() && outcome.is_certain(),
            message: match trouble {
                Some(trouble) => format!("{summary}; records: {trouble}"),
                None => summary,
            },
            took,
        }
    }
}

#[async_trait]
impl Service for AddressService {
    fn name(&self) -> &'static str {
        "ddns"
    }

    async fn round(&mut self) -> Round {
        let start = Instant::now();
        let ((), outcome) = tokio::join!(self.notifier.start(), self.addresses.round());
        ddns::log(self.found.borrow().as_ref(), &outcome);
        let report = self.report(&outcome, start.elapsed());
        let certain = outcome.is_certain();
        self.found.send_replace(Some(outcome));
        self.notifier.done(&report).await;
        match certain {
            true => Round::Settled(self.interval),
            // Asking others more often would make them no surer.
            false => Round::Troubled {
                why: report.message,
                again: Some(self.interval),
            },
        }
    }

    fn detail(&self) -> Value {
        let found = self.found.borrow();
        serde_json::to_value(&*found).unwrap_or_default()
    }
}

/// Wakes the service when this host's addresses or its way out change. Never returns.
pub(in crate::app) async fn wake_on_change(wake: Arc<Notify>) {
    let mut host = HostWatch::new();
    loop {
        host.changed().await;
        tracing::info!("an address or the default route of this host changed");
        wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::testing::config;
    use crate::service::{Leadership, Surroundings, run};

    /// Finds nothing, or one address.
    struct Troubled;

    #[async_trait]
    impl Service for Troubled {
        fn name(&self) -> &'static str {
            super::super::records::NAME
        }

        async fn round(&mut self) -> Round {
            Round::Troubled {
                why: "the zone is locked".to_owned(),
                again: None,
            }
        }

        fn detail(&self) -> Value {
            json!(null)
        }
    }

    #[tokio::test]
    async fn ddns_monitors_hear_of_records_that_could_not_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "ddns.ipv4 = [\"203.0.113.5\"]\n[[routes]]\nname = \"a\"\nhosts = [\"a.example\"]\necho = true\n";
        let ddns = config(text).ddns;
        let board = Board::default();
        let (found, seen) = watch::channel(None);
        let addresses = Addresses::new(ddns.clone(), folder.path());
        let notifier = Notifier::new(Vec::new());
        let mut service = AddressService::new(addresses, notifier, ddns.interval, found, board.clone());
        assert_eq!(service.round().await, Round::Settled(ddns.interval));
        let outcome = seen.borrow().clone().unwrap();
        assert!(service.report(&outcome, Duration::ZERO).ok);

        let stop = watch::Sender::new(false);
        let around = Surroundings {
            leadership: Leadership::always(),
            stopped: stop.subscribe(),
            wake: Arc::new(Notify::new()),
            board: board.clone(),
        };
        let other = tokio::spawn(run(Troubled, around));
        while board.read().values().all(|status| status.trouble.is_none()) {
            tokio::task::yield_now().await;
        }
        other.abort();
        let report = service.report(&outcome, Duration::ZERO);
        assert!(!report.ok);
        assert_eq!(
            report.message,
            "IPv4: publish 203.0.113.5; records: the zone is locked"
        );
    }
}
