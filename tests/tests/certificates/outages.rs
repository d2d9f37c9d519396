//! A CA that fails at each of the steps in each of the ways: it is told, something serves, and the next attempt succeeds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream;
use palisade::acme::{Certificates, DiskStore, Phase};
use palisade_tests::pebble::{Front, Instead, Toll, available};
use tempfile::TempDir;
use time::Duration;

use crate::home::{AT_ONCE, Home, Scribe, ZONE, calm, now, status, view};

/// Whatever is asked of a CA.
const STEPS: [&str; 9] = [
    "/dir",
    "/nonce-plz",
    "/sign-me-up",
    "/order-plz",
    "/authZ/",
    "/chalZ/",
    "/my-order/",
    "/finalize-order/",
    "/certZ/",
];

/// Twice what is ever read of an answer.
const TOO_MUCH: usize = 2 << 20;

const WAYS: [Instead; 6] = [
    Instead::Closed,
    Instead::Status(429),
    Instead::Status(503),
    Instead::Garbage,
    Instead::Truncated,
    Instead::Oversize(TOO_MUCH),
];

/// Ill at one step, until it is mended.
struct Ill {
    step: &'static str,
    instead: Mutex<Option<Instead>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Toll for Ill {
    async fn asked(&self, path: &str) -> Option<Instead> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let here = path.starts_with(self.step);
        self.instead.lock().unwrap().filter(|_| here)
    }

    async fn answered(&self, _: &str) {}
}

impl Ill {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn certificates_come_by_themselves_after_any_trouble_at_any_step_of_the_ca() {
    if !available() {
        return;
    }
    let home = Home::busy(calm()).await;
    let cases = STEPS.iter().flat_map(|step| WAYS.map(|instead| (*step, instead)));
    let cases = cases.enumerate();
    let cases = cases.map(|(nth, (step, instead))| falls_ill_and_recovers(&home, nth, step, instead));
    let () = stream::iter(cases).buffer_unordered(AT_ONCE).collect().await;
    let left = home.fake.records(ZONE);
    assert!(left.iter().all(|record| record.kind != "TXT"), "{left:?}");
}

async fn falls_ill_and_recovers(home: &Home, nth: usize, step: &'static str, instead: Instead) {
    let what = format!("{instead:?} at {step}");
    let folder = tempfile::tempdir().unwrap();
    let ill = Arc::new(Ill {
        step,
        instead: Mutex::new(Some(instead)),
        asked: AtomicUsize::default(),
    });
    let front = Front::before(&home.pebble, Arc::clone(&ill) as Arc<dyn Toll>).await;
    let process = || process(home, &folder, &front, nth);
    let mut certificates = process();
    certificates.round(now()).await;
    let found = status(&certificates);
    let Some(failure) = found.failure else {
        // What is asked for a nonce has no body that could be wrong.
        assert_eq!((found.phase, step), (Phase::Valid, "/nonce-plz"), "{what}");
        return;
    };
    assert_eq!((found.phase, failure.count), (Phase::Absent, 1), "{what}");
    assert!(
        !failure.message.is_empty() && failure.message.len() < 2000,
        "{what}"
    );
    assert_eq!(view(&certificates).entries.len(), 1, "{what}: something serves");

    // Nobody is asked again within the hour, by a new process neither.
    let asked = ill.asked();
    let mut certificates = process();
    certificates.round(failure.at + Duration::minutes(50)).await;
    assert_eq!(ill.asked(), asked, "{what}");

    ill.instead.lock().unwrap().take();
    certificates.round(failure.at + Duration::minutes(70)).await;
    let found = status(&certificates);
    assert_eq!((found.phase, found.failure), (Phase::Valid, None), "{what}");
    let orders = orders(&folder);
    assert!((1..=2).contains(&orders), "{what}: {orders} orders");
}

fn process(home: &Home, folder: &TempDir, front: &Front, nth: usize) -> Certificates {
    let mut zones = home.zones();
    zones[0].certificates = vec![format!("n{nth}.{ZONE}")];
    let mut acme = home.acme.clone();
    acme.directory = front.directory_url();
    let store = Arc::new(DiskStore::new(folder.path()));
    let records = Arc::new(Scribe::new(&home.fake));
    Certificates::new(&zones, &acme, store, records, home.authorities())
}

fn orders(folder: &TempDir) -> usize {
    let ca = std::fs::read_dir(folder.path().join("acme")).unwrap();
    let history = ca.last().unwrap().unwrap().path().join("orders.json");
    let text = std::fs::read_to_string(history).unwrap();
    let history: serde_json::Value = serde_json::from_str(&text).unwrap();
    history["orders"].as_array().unwrap().len()
}

/// It takes connections, and nothing comes of them.
struct Silent(Mutex<bool>);

#[async_trait]
impl Toll for Silent {
    async fn asked(&self, path: &str) -> Option<Instead> {
        let silent = *self.0.lock().unwrap() && path == "/order-plz";
        if silent {
            std::future::pending::<()>().await;
        }
        None
    }

    async fn answered(&self, _: &str) {}
}

#[tokio::test]
async fn certificates_a_ca_that_says_nothing_is_waited_for_a_minute_and_asked_again_later() {
    if !available() {
        return;
    }
    let home = Home::new(calm()).await;
    let folder = tempfile::tempdir().unwrap();
    let silent = Arc::new(Silent(Mutex::new(true)));
    let front = Front::before(&home.pebble, Arc::clone(&silent) as Arc<dyn Toll>).await;
    let mut certificates = process(&home, &folder, &front, 0);
    let patience = std::time::Duration::from_secs(120);
    let round = tokio::time::timeout(patience, certificates.round(now()));
    round.await.expect("the round to end");
    let failure = status(&certificates).failure.unwrap();
    assert!(
        failure.message.starts_with("the order: ") && failure.message.contains("timed out"),
        "{}",
        failure.message
    );
    *silent.0.lock().unwrap() = false;
    certificates.round(failure.at + Duration::minutes(70)).await;
    assert_eq!(status(&certificates).phase, Phase::Valid);
}
