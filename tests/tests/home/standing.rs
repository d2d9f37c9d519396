//! `palisade certs` and `palisade status` beside an edge that runs.

use palisade_tests::cloudflare::{Fault, FaultKind};
use palisade_tests::harness::{EdgeFiles, EdgeProcess, eventually};
use palisade_tests::pebble;
use serde_json::{Value, json};

use crate::desk::{palisade, reachable, token_is_nowhere};
use crate::house::{House, ZONE, trusted};

const FIXED: &str = "[ddns]\nipv4 = [\"203.0.113.7\"]\ninterval = \"1s\"\n[dns]\ninterval = \"1s\"\n";

/// The command's JSON, as soon as `good` says so.
pub(crate) async fn told(files: &EdgeFiles, command: &str, good: impl Fn(&Value) -> bool) -> Value {
    eventually(command, async || {
        let output = palisade(files, command).await;
        let start = output.text.find('{')?;
        let mut values = serde_json::Deserializer::from_str(&output.text[start..]).into_iter();
        let value: Value = values.next()?.ok()?;
        good(&value).then_some(value)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_certs_and_status_tell_of_an_edge_that_is_well_and_of_one_that_is_not() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let files = reachable(house.builder("", FIXED)).write();
    let edge = EdgeProcess::start(&files);
    trusted(&house.client(edge.https().await).await).await;
    let certs = told(&files, "certs --json", |certs| {
        certs["issued"][0]["phase"] == "valid"
    })
    .await;
    assert_eq!(
        certs["issued"][0]["names"],
        json!(["example.com", "*.example.com"])
    );
    assert_eq!(certs["issued"][0]["failure"], json!(null));
    assert!(certs["served"].is_array(), "{certs:#}");
    palisade(&files, "certs").await.expect(
        0,
        &[
            "example.com, *.example.com: valid from https://127.0.0.1:",
            "issuer   CN=Pebble",
            "expires  2",
            "renewal  2",
            "served: example.com, *.example.com until 2",
        ],
    );
    let status = told(&files, "status --json", |status| {
        status["services"]["dns"]["last_success"].is_string()
    })
    .await;
    assert_eq!(status["ready"], true);
    palisade(&files, "status").await.expect(
        0,
        &["certificates: ok since 2", "ddns: ok since 2", "dns: ok since 2"],
    );
    palisade(&files, "health").await.expect(0, &[]);

    // The API is down: the records are in trouble, the certificate is not, and the edge is as ready as it was.
    house
        .fake
        .fault(Fault::new(FaultKind::Status(502)).times(100_000));
    told(&files, "status --json", |status| {
        status["services"]["dns"]["trouble"].is_string()
    })
    .await;
    palisade(&files, "status")
        .await
        .expect(1, &["dns: TROUBLE (", "502", "error: not all is as it should be"]);
    palisade(&files, "certs").await.expect(0, &["valid"]);
    palisade(&files, "health").await.expect(0, &[]);
    house.fake.clear_faults();
    told(&files, "status --json", |status| {
        status["services"]["dns"]["trouble"].is_null()
    })
    .await;
    palisade(&files, "status").await.expect(0, &["dns: ok since 2"]);

    token_is_nowhere(&files, house.fake.token());
    drop(edge);
    for command in ["status", "certs", "health"] {
        palisade(&files, command)
            .await
            .expect(1, &["is the edge running?"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_certs_says_why_there_is_none() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    let down = Fault::new(FaultKind::Status(500)).on("POST", "/dns_records");
    house.fake.fault(down.times(100_000));
    let files = reachable(house.builder("records = false", "")).write();
    let edge = EdgeProcess::start(&files);
    told(&files, "certs --json", |certs| {
        certs["issued"][0]["failure"].is_object()
    })
    .await;
    palisade(&files, "certs").await.expect(
        1,
        &[
            "example.com, *.example.com: absent",
            "FAILED   1 time,",
            "500",
            "error: a certificate is in trouble: see above",
        ],
    );
    palisade(&files, "status").await.expect(
        1,
        &[
            "certificates: TROUBLE (1 round,",
            "no success since the edge was started",
            "500",
        ],
    );
    assert_eq!(
        house.fake.contents(ZONE, "_acme-challenge.example.com", "TXT"),
        [""; 0]
    );
    // It says so in the log, and keeps what it must not say.
    assert!(edge.output().contains("500"), "{}", edge.output());
    token_is_nowhere(&files, house.fake.token());
}
