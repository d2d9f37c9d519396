//! kill -9 at every step.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream;
use palisade::acme::{
    Certificates, DiskStore, Document, Pair, Phase, Store, StoreError, TxtError, TxtRecords,
};
use palisade_tests::pebble::{Front, Instead, Toll, available};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::home::{AT_ONCE, Home, Scribe, ZONE, calm, now, status};

/// More than there are steps on the way to a certificate: writes to the store and to the zone, and whatever the CA is asked.
const STEPS: usize = 120;

/// Lets so many steps happen, and then nothing any more.
#[derive(Clone)]
struct Life {
    left: Arc<AtomicUsize>,
    over: Arc<Notify>,
}

impl Life {
    fn of(steps: usize) -> Self {
        Self {
            left: Arc::new(AtomicUsize::new(steps)),
            over: Arc::default(),
        }
    }

    async fn step(&self) {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            self.over.notify_one();
            std::future::pending().await
        }
    }
}

/// Ends before or after each write; reads change nothing, so they count once.
struct Mortal<T> {
    inner: T,
    life: Life,
}

#[async_trait]
impl Store for Mortal<DiskStore> {
    async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.inner.names().await
    }

    async fn pair(&self, name: &str) -> Result<Option<Pair>, StoreError> {
        self.inner.pair(name).await
    }

    async fn install(&self, name: &str, pair: &Pair) -> Result<(), StoreError> {
        self.life.step().await;
        let done = self.inner.install(name, pair).await;
        self.life.step().await;
        done
    }

    async fn set_pair_aside(&self, name: &str) -> Result<String, StoreError> {
        self.inner.set_pair_aside(name).await
    }

    async fn document(&self, which: &Document) -> Result<Option<String>, StoreError> {
        self.inner.document(which).await
    }

    async fn keep(&self, which: &Document, text: &str) -> Result<(), StoreError> {
        self.life.step().await;
        let done = self.inner.keep(which, text).await;
        self.life.step().await;
        done
    }

    async fn set_aside(&self, which: &Document) -> Result<String, StoreError> {
        self.inner.set_aside(which).await
    }
}

#[async_trait]
impl TxtRecords for Mortal<Scribe> {
    async fn publish(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        self.life.step().await;
        self.inner.publish(name, &values[..1]).await?;
        self.life.step().await;
        let done = self.inner.publish(name, values).await;
        self.life.step().await;
        done
    }

    async fn withdraw(&self, name: &str, values: &[String]) -> Result<(), TxtError> {
        self.life.step().await;
        let done = self.inner.withdraw(name, values).await;
        self.life.step().await;
        done
    }

    async fn stale(&self, name: &str) -> Result<Vec<String>, TxtError> {
        self.inner.stale(name).await
    }
}

/// The life of whoever asks the CA now: it may end before a request reaches it, and before its answer is heard.
struct OfWhoeverAsks(Mutex<Life>);

#[async_trait]
impl Toll for OfWhoeverAsks {
    async fn asked(&self, _: &str) -> Option<Instead> {
        let life = self.0.lock().unwrap().clone();
        life.step().await;
        None
    }

    async fn answered(&self, _: &str) {
        let life = self.0.lock().unwrap().clone();
        life.step().await;
    }
}

/// What a process that was killed before its step `step` leaves is enough for the next one.
#[tokio::test]
async fn certificates_survive_kill_9_at_every_step() {
    if !available() {
        return;
    }
    let home = Home::busy(calm()).await;
    let deaths = stream::iter((0..STEPS).map(|step| dies_and_recovers(&home, step)));
    let deaths: Vec<bool> = deaths.buffer_unordered(AT_ONCE).collect().await;
    let died = deaths.iter().filter(|died| **died).count();
    assert!((60..STEPS).contains(&died), "{died} steps");
    let left: Vec<_> = home
        .fake
        .records(ZONE)
        .into_iter()
        .filter(|record| record.kind == "TXT")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Returns whether it died before it was done.
async fn dies_and_recovers(home: &Home, step: usize) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let life = Life::of(step);
    let toll = Arc::new(OfWhoeverAsks(Mutex::new(life.clone())));
    let front = Front::before(&home.pebble, Arc::clone(&toll) as Arc<dyn Toll>).await;
    let process = |life| process(home, &folder, &front, step, life);
    let mut certificates = process(life.clone());
    let died = tokio::select! {
        _ = certificates.round(now()) => false,
        () = life.over.notified() => true,
    };
    drop(certificates);
    let account = account(&folder);

    let long = Life::of(usize::MAX);
    toll.0.lock().unwrap().clone_from(&long);
    let mut next = process(long);
    next.round(now()).await;
    let found = status(&next);
    assert_eq!(
        (found.phase, &found.failure),
        (Phase::Valid, &None),
        "step {step}"
    );
    if let Some(account) = account {
        assert_eq!(self::account(&folder), Some(account), "step {step}");
    }
    let orders = orders(&folder);
    // The one step between which the CA knows an order and we do not: it costs a second order, no certificate.
    assert!((1..=2).contains(&orders), "step {step}: {orders} orders");
    died
}

fn process(home: &Home, folder: &TempDir, front: &Front, step: usize, life: Life) -> Certificates {
    let mut zones = home.zones();
    zones[0].certificates = vec![format!("n{step}.{ZONE}")];
    let store = Mortal {
        inner: DiskStore::new(folder.path()),
        life: life.clone(),
    };
    let records = Mortal {
        inner: Scribe::new(&home.fake),
        life,
    };
    let mut acme = home.acme.clone();
    acme.directory = front.directory_url();
    Certificates::new(
        &zones,
        &acme,
        Arc::new(store),
        Arc::new(records),
        home.authorities(),
    )
}

fn document(folder: &TempDir, name: &str) -> Option<serde_json::Value> {
    let account = std::fs::read_dir(folder.path().join("acme"))
        .ok()?
        .next()?
        .unwrap();
    let text = std::fs::read_to_string(account.path().join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The account's key: with it, the CA knows the account.
fn account(folder: &TempDir) -> Option<String> {
    Some(document(folder, "account.json")?["key"].as_str()?.to_owned())
}

fn orders(folder: &TempDir) -> usize {
    document(folder, "orders.json").unwrap()["orders"]
        .as_array()
        .unwrap()
        .len()
}
