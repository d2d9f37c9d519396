//! From the first start to renewal, with a client that trusts the CA alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions, Fault, FaultKind};
use palisade_tests::harness::upstream::DeadPort;
use palisade_tests::harness::{Backend, Route, TestEdge};
use palisade_tests::pebble;
use serde_json::{Value, json};

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
    let House { fake, pebble, .. } = house;
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
    let ready = edge.admin_get("/readyz").await.expect(200).text();
    assert_eq!(ready, "ready\nthe certificate example.com is not there yet\n");
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

/// A certificate that somebody put there, of whose 90 days 10 are left, and a CA that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_about_to_expire_are_told_loudly_by_an_edge_that_is_ready() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    let gone = DeadPort::new();
    let directory = Backend::backend(&gone).replace("http:", "https:");
    let services = format!(
        "[acme]\ndirectory = \"{directory}/dir\"\n[[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = \"./token\"\nrecords = false\n",
        fake.base_url()
    );
    let builder = TestEdge::builder()
        .without_certificates()
        .route(&Route::new("app").hosts(&["app.example.com"]).unguarded())
        .file("token", fake.token())
        .and(&services);
    let files = builder.write();
    let folder = files.folder().join("data/certificates/example.com");
    std::fs::create_dir_all(&folder).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["example.com".to_owned(), "*.example.com".to_owned()];
    let mut certificate = rcgen::CertificateParams::new(names).unwrap();
    let now = time::OffsetDateTime::now_utc();
    certificate.not_before = now - time::Duration::days(80);
    certificate.not_after = now + time::Duration::days(10);
    let certificate = certificate.self_signed(&key).unwrap();
    std::fs::write(folder.join("tls.crt"), certificate.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();

    let edge = TestEdge::restart(files).await;
    let status = service(&edge, "certificates", |status| status["trouble"].is_string()).await;
    let trouble = status["trouble"].as_str().unwrap();
    assert!(
        trouble.contains("it is about to expire: a sixth of its life is left"),
        "{trouble}"
    );
    let ready = edge.admin_get("/readyz").await.expect(200).text();
    let until = certificate_until(&status);
    assert_eq!(
        ready,
        format!("ready\nthe certificate example.com expires {until}\n")
    );
}

fn certificate_until(status: &Value) -> String {
    status["detail"][0]["not_after"].as_str().unwrap().to_owned()
}
