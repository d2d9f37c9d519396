//! From the first start to renewal, with a client that trusts the CA alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use palisade_tests::cloudflare::{Fault, FaultKind};
use palisade_tests::harness::TestEdge;
use palisade_tests::pebble;
use serde_json::json;

use crate::house::{House, ZONE, is_trusted, service, trusted};

const NO_RECORDS: &str = "records = false";

#[tokio::test(flavor = "multi_thread")]
async fn certificates_a_new_edge_gets_one_and_a_restart_serves_it_without_an_order() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let edge = house.edge(NO_RECORDS, "").await;
    let client = house.client(edge.https()).await;
    trusted(&client).await;
    let status = service(&edge, "certificates", |status| {
        status["detail"][0]["phase"] == "valid"
    })
    .await;
    let certificate = &status["detail"][0];
    assert_eq!(certificate["names"], json!(["example.com", "*.example.com"]));
    assert!(
        certificate["issuer"].as_str().unwrap().contains("Pebble"),
        "{certificate}"
    );
    assert_eq!(status["trouble"], json!(null));
    let challenges = house.fake.contents(ZONE, "_acme-challenge.example.com", "TXT");
    assert_eq!(challenges, [""; 0]);
    let expiry = "palisade_certificate_expiry_timestamp_seconds{name=\"example.com\"}";
    assert!(edge.metric(expiry).await > 1.7e9);

    // The CA and the API are gone: what is stored serves at once.
    let files = edge.stop().await;
    let House { fake, pebble } = house;
    let root = pebble.issuer_roots().await;
    drop((fake, pebble));
    let edge = TestEdge::restart(files).await;
    let root = reqwest::Certificate::from_pem(root.as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .resolve("app.example.com", edge.https());
    assert!(is_trusted(&client.build().unwrap()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_until_one_comes_the_edge_says_who_it_is_not_and_why() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    house.fake.fault(
        Fault::new(FaultKind::Status(500))
            .on("POST", "/dns_records")
            .times(1000),
    );
    let edge = house.edge(NO_RECORDS, "").await;
    let status = service(&edge, "certificates", |status| status["trouble"].is_string()).await;
    assert!(status["trouble"].as_str().unwrap().contains("500"), "{status:#}");
    assert_eq!(status["detail"][0]["phase"], "absent");
    // Requests are served meanwhile, by a certificate that nobody trusts.
    assert!(!is_trusted(&house.client(edge.https()).await).await);
    let careless = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .resolve("app.example.com", edge.https());
    let answer = careless
        .build()
        .unwrap()
        .get("https://app.example.com/")
        .send()
        .await;
    assert!(answer.is_ok(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_an_edge_that_refuses_until_then_ends_handshakes() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    house.fake.fault(
        Fault::new(FaultKind::Status(500))
            .on("POST", "/dns_records")
            .times(1000),
    );
    let edge = house.edge(NO_RECORDS, "").await;
    let files = edge.stop().await;
    files.edit("[acme]\n", "[acme]\nuntil_issued = \"refuse\"\n");
    let edge = TestEdge::restart(files).await;
    let careless = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .resolve("app.example.com", edge.https());
    let careless = careless.build().unwrap();
    assert!(careless.get("https://app.example.com/").send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_renewal_under_load_fails_no_handshake() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let edge = house.edge(NO_RECORDS, "").await;
    let client = house.client(edge.https()).await;
    trusted(&client).await;
    let before = service(&edge, "certificates", |status| {
        status["detail"][0]["phase"] == "valid"
    })
    .await;

    let (stop, failed, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicU32::new(0)),
    );
    let load = tokio::spawn({
        let (stop, failed, done, client) = (
            Arc::clone(&stop),
            Arc::clone(&failed),
            Arc::clone(&done),
            client.clone(),
        );
        async move {
            while !stop.load(Ordering::Relaxed) {
                // Each on a connection of its own.
                match is_trusted(&client).await {
                    true => done.fetch_add(1, Ordering::Relaxed),
                    false => failed.fetch_add(1, Ordering::Relaxed),
                };
            }
        }
    });
    // Another name for the certificate: the old one serves until the new one is there.
    edge.files().edit(
        NO_RECORDS,
        "records = false\ncertificates = [\"example.com\", \"home.example.com\"]",
    );
    edge.reload().await.unwrap();
    let after = service(&edge, "certificates", |status| {
        status["detail"][1]["phase"] == "valid" && status["detail"][0]["phase"] == "valid"
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    load.await.unwrap();
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    assert!(done.load(Ordering::Relaxed) > 10);
    assert_eq!(before["detail"][0]["not_after"], after["detail"][0]["not_after"]);
}
