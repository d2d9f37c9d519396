//! `kill -9` at any moment: what was begun is gone on with, and nothing is left behind.

use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use palisade_tests::cloudflare::{Call, FakeCloudflare, FakeOptions, Fault, FaultKind};
use palisade_tests::harness::{EdgeFiles, EdgeProcess, Route, TestEdge, binary, eventually};
use palisade_tests::pebble::{self, Instead, Toll};
use serde_json::json;

use crate::desk::{palisade, reachable, token_is_nowhere, untouched};
use crate::house::{House, ZONE, trusted};
use crate::standing::told;

const CHALLENGE: &str = "_acme-challenge.example.com";

/// What the CA counts, as it said last.
fn counted(log: &str, what: &str) -> usize {
    let mut counts = log.lines().filter_map(|line| {
        let rest = line.split_once("There are now ")?.1;
        rest.strip_suffix(what)?.trim().parse().ok()
    });
    counts.next_back().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_an_edge_that_is_killed_during_its_first_order_gets_there_with_few_orders() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let before = house.fake.records(ZONE);
    let files = reachable(house.builder("records = false", "")).write();
    for round in 0..10 {
        let edge = EdgeProcess::start(&files);
        tokio::time::sleep(Duration::from_millis(round * 150)).await;
        drop(edge);
    }
    let edge = EdgeProcess::start(&files);
    let certs = told(&files, "certs --json", |certs| {
        certs["issued"][0]["phase"] == "valid" || certs["issued"][0]["failure"].is_object()
    })
    .await;
    assert_eq!(
        certs["issued"][0]["failure"],
        json!(null),
        "{certs:#}\n{}",
        edge.output()
    );
    trusted(&house.client(edge.https().await).await).await;
    eventually("the challenges to go", async || {
        house
            .fake
            .contents(ZONE, CHALLENGE, "TXT")
            .is_empty()
            .then_some(())
    })
    .await;
    assert_eq!(house.fake.records(ZONE), before);
    let log = house.pebble.log();
    assert_eq!(counted(&log, "accounts in memory"), 1, "{log}");
    // One; a kill between the CA's answer and our note of it costs another.
    let orders = counted(&log, "orders in the db");
    assert!((1..=3).contains(&orders), "{orders} orders");
    token_is_nowhere(&files, house.fake.token());
}

/// Holds one answer of the CA's back for ever: it has done what it was asked, and the edge does not know.
#[derive(Default)]
struct Held {
    at: Mutex<Option<&'static str>>,
}

#[async_trait]
impl Toll for Held {
    async fn asked(&self, _: &str) -> Option<Instead> {
        None
    }

    async fn answered(&self, path: &str) {
        let here = {
            let mut at = self.at.lock().unwrap();
            at.take_if(|at| path.starts_with(*at)).is_some()
        };
        if here {
            std::future::pending::<()>().await;
        }
    }
}

impl Held {
    /// Until the answer is held.
    async fn reached(&self, what: &str) {
        eventually(what, async || self.at.lock().unwrap().is_none().then_some(())).await;
    }
}

/// One order, with a kill -9 at each point where others have done something that the edge has not heard of.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_an_edge_that_is_killed_before_it_hears_of_each_step_gets_one_certificate() {
    if !pebble::available() {
        return;
    }
    let held = Arc::new(Held::default());
    let house = House::behind(Arc::clone(&held) as Arc<dyn Toll>).await;
    let before = house.fake.records(ZONE);
    let files = reachable(house.builder("records = false", "")).write();
    for step in [
        "/sign-me-up",
        "/order-plz",
        "/authZ/",
        "POST",
        "/chalZ/",
        "/finalize-order/",
        "/certZ/",
        "DELETE",
    ] {
        let by_the_api = ["POST", "DELETE"].contains(&step);
        match by_the_api {
            true => house.fake.fault(Fault::new(FaultKind::HangAfter).on(step, "")),
            false => *held.at.lock().unwrap() = Some(step),
        }
        house.fake.forget_calls();
        let edge = EdgeProcess::start(&files);
        match by_the_api {
            true => {
                eventually(step, async || {
                    let calls = house.fake.calls();
                    let held = |call: &Call| call.method == step && call.faulted;
                    calls.iter().any(held).then_some(())
                })
                .await
            }
            false => held.reached(step).await,
        }
        drop(edge);
    }
    let edge = EdgeProcess::start(&files);
    let certs = told(&files, "certs --json", |certs| {
        certs["issued"][0]["phase"] == "valid" || certs["issued"][0]["failure"].is_object()
    })
    .await;
    assert_eq!(certs["issued"][0]["failure"], json!(null), "{}", edge.output());
    trusted(&house.client(edge.https().await).await).await;
    assert_eq!(house.fake.records(ZONE), before, "no challenge is left");
    let log = house.pebble.log();
    assert_eq!(counted(&log, "accounts in memory"), 1, "{log}");
    // The order that nobody heard of, and the next.
    assert_eq!(counted(&log, "orders in the db"), 2, "{log}");
    assert_eq!(log.matches("Issued certificate").count(), 1, "{log}");
    token_is_nowhere(&files, house.fake.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_a_restart_while_the_ca_is_looking_leaves_the_challenges_where_they_are() {
    if !pebble::available() {
        return;
    }
    let house = House::with_slow_ca().await;
    let files = reachable(house.builder("records = false", "")).write();
    let edge = EdgeProcess::start(&files);
    eventually("the CA to be told of both challenges", async || {
        let told = house.pebble.log().matches("Sleeping for").count();
        (told >= 2).then_some(())
    })
    .await;
    drop(edge);
    // Longer than the CA waits: challenges that were taken away would not be back in time.
    house
        .fake
        .fault(Fault::new(FaultKind::Slow(Duration::from_secs(6))).on("POST", "/dns_records"));
    let edge = EdgeProcess::start(&files);
    let certs = told(&files, "certs --json", |certs| {
        certs["issued"][0]["phase"] == "valid" || certs["issued"][0]["failure"].is_object()
    })
    .await;
    assert_eq!(
        certs["issued"][0]["failure"],
        json!(null),
        "{certs:#}\n{}",
        edge.output()
    );
    assert_eq!(house.fake.contents(ZONE, CHALLENGE, "TXT"), [""; 0]);
    assert_eq!(counted(&house.pebble.log(), "orders in the db"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_records_converge_however_often_the_writer_is_killed() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    fake.seed(
        ZONE,
        json!({"type": "A", "name": "mail.example.com", "content": "198.51.100.1", "ttl": 300}),
    );
    let before = fake.records(ZONE);
    let hosts: Vec<String> = (0..60).map(|host| format!("h{host}.example.com")).collect();
    let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let zone = format!(
        "[[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = \"./token\"\ncertificates = []\n\
         [dns]\nmax_delete_percent = 100\nmax_deletes = 1000\n[ddns]\nipv4 = [\"203.0.113.7\"]\ninterval = \"1s\"\n",
        fake.base_url()
    );
    let builder = TestEdge::builder().route(&Route::new("app").hosts(&names).unguarded());
    let files = reachable(builder.file("token", fake.token()).and(&zone)).write();
    for round in 0..8_u64 {
        // The writer dies before, during and after the batch; and each round there is another thing to write.
        let (from, to) = (
            format!("203.0.113.{}", 7 + round),
            format!("203.0.113.{}", 8 + round),
        );
        files.edit(&from, &to);
        fake.fault(Fault::new(FaultKind::Slow(Duration::from_millis(150))).on("POST", "/batch"));
        if round % 2 == 0 {
            let edge = EdgeProcess::start(&files);
            tokio::time::sleep(Duration::from_millis(100 + round * 150)).await;
            drop(edge);
        } else {
            let mut apply = std::process::Command::new(binary())
                .args(["dns", "apply", "--config"])
                .arg(files.config())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            tokio::time::sleep(Duration::from_millis(round * 100)).await;
            apply.kill().unwrap();
            apply.wait().unwrap();
        }
    }
    fake.clear_faults();
    let edge = EdgeProcess::start(&files);
    eventually("the records", async || {
        let good = |host: &str| fake.contents(ZONE, host, "A") == ["203.0.113.15"];
        names.iter().all(|host| good(host)).then_some(())
    })
    .await;
    drop(edge);
    palisade(&files, "dns plan").await.expect(0, &["nothing to do"]);
    untouched(&before, &fake.records(ZONE));
    for host in &hosts {
        assert_eq!(
            fake.contents(ZONE, &format!("a-{host}"), "TXT").len(),
            1,
            "{host}"
        );
    }
    assert_eq!(fake.records(ZONE).len(), before.len() + 2 * hosts.len());
    token_is_nowhere(&files, fake.token());
}

/// `palisade dns apply`, to be killed.
fn apply(files: &EdgeFiles) -> Child {
    std::process::Command::new(binary())
        .args(["dns", "apply", "--config"])
        .arg(files.config())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Before each call of a round was carried out, and after: a batch that is sent, one that is done, one that is refused
/// and goes on in parts.
#[tokio::test(flavor = "multi_thread")]
async fn dns_records_converge_wherever_in_a_batch_the_writer_is_killed() {
    const LIST: &str = "/dns_records";
    const BATCH: &str = "/dns_records/batch";
    // More than one batch; and one whose third record the API does not take.
    let many = (
        101,
        [
            ("GET", "/zones", 1),
            ("GET", LIST, 1),
            ("POST", BATCH, 1),
            ("POST", BATCH, 2),
        ],
    );
    let refused = (
        3,
        [
            ("POST", BATCH, 1),
            ("POST", BATCH, 2),
            ("POST", BATCH, 3),
            ("POST", BATCH, 4),
        ],
    );
    for (hosts, points) in [many, refused] {
        for (method, path, nth) in points {
            for kind in [FaultKind::Hang, FaultKind::HangAfter] {
                let what = format!("{hosts} hosts, {kind:?} at {method} {path} {nth}");
                let fake = zone_of_others().await;
                let before = fake.records(ZONE);
                let files = records_of(&fake, hosts);
                // Those before it are as they should be.
                let good = Fault::new(FaultKind::Slow(Duration::ZERO)).on(method, path);
                (1..nth).for_each(|_| fake.fault(good.clone()));
                fake.fault(Fault::new(kind).on(method, path));
                let mut writer = apply(&files);
                fake.await_count(method, path, nth).await;
                writer.kill().unwrap();
                writer.wait().unwrap();
                fake.clear_faults();

                let is_refused = |host: usize| hosts == 3 && host == 2;
                let code = i32::from(hosts == 3);
                let told = palisade(&files, "dns apply").await;
                assert_eq!(told.code, code, "{what}: {}", told.text);
                untouched(&before, &fake.records(ZONE));
                for host in 0..hosts {
                    let expected = usize::from(!is_refused(host));
                    let name = format!("h{host}.example.com");
                    assert_eq!(fake.contents(ZONE, &name, "A").len(), expected, "{what}: {name}");
                    let mark = fake.contents(ZONE, &format!("a-{name}"), "TXT");
                    assert_eq!(mark.len(), expected, "{what}: {name}");
                }
                let ours = fake.records(ZONE).len() - before.len();
                assert_eq!(ours, 2 * (hosts - usize::from(hosts == 3)), "{what}");
            }
        }
    }
}

async fn zone_of_others() -> FakeCloudflare {
    let options = FakeOptions {
        record_quota: 3500,
        ..FakeOptions::zones(&[ZONE])
    };
    let fake = FakeCloudflare::start(options).await;
    fake.seed(
        ZONE,
        json!({"type": "A", "name": "mail.example.com", "content": "198.51.100.1", "ttl": 300}),
    );
    fake
}

/// So many hosts; of three, the last wants what the API refuses.
fn records_of(fake: &FakeCloudflare, hosts: usize) -> EdgeFiles {
    let route = |host: usize| {
        let route = Route::new(&format!("r{host}")).hosts(&[&format!("h{host}.example.com")]);
        match (hosts, host) {
            (3, 2) => route
                .unguarded()
                .and("[routes.dns]\ntargets = [\"10.0.0.1\"]\nproxied = true"),
            _ => route.unguarded(),
        }
    };
    let zone = format!(
        "[[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = \"./token\"\ncertificates = []\n\
         [ddns]\nipv4 = [\"203.0.113.7\"]\n",
        fake.base_url()
    );
    let builder = (0..hosts).fold(TestEdge::builder(), |builder, host| builder.route(&route(host)));
    builder.file("token", fake.token()).and(&zone).write()
}
