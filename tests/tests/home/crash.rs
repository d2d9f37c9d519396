//! `kill -9` at any moment: what was begun is gone on with, and nothing is left behind.

use std::process::Stdio;
use std::time::Duration;

use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions, Fault, FaultKind};
use palisade_tests::harness::{EdgeProcess, Route, TestEdge, binary, eventually};
use palisade_tests::pebble;
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
