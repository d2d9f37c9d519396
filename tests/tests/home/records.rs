//! Records follow routes and the address, and nothing else is touched.

use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions, Fault, FaultKind};
use palisade_tests::harness::{EdgeProcess, Route, TestEdge, eventually};
use palisade_tests::pebble;
use serde_json::json;

use crate::house::{House, ZONE, service};

const ONLY_RECORDS: &str = "certificates = []";
const FIXED: &str = "[ddns]\nipv4 = [\"203.0.113.7\"]\ninterval = \"1s\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn dns_records_follow_the_routes_and_the_address() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    house.fake.seed(
        ZONE,
        json!({"type": "A", "name": "mail.example.com", "content": "198.51.100.1", "ttl": 300}),
    );
    house.fake.seed(ZONE, json!({"type": "CAA", "name": "example.com", "ttl": 1, "data": {"flags": 0, "tag": "issue", "value": "pebble.letsencrypt.org"}}));
    let edge = house.edge(ONLY_RECORDS, FIXED).await;
    let a = |name: &str| house.fake.contents(ZONE, name, "A");
    eventually("the record", async || {
        (a("app.example.com") == ["203.0.113.7"]).then_some(())
    })
    .await;
    let mark = house.fake.contents(ZONE, "a-app.example.com", "TXT");
    assert_eq!(
        mark,
        ["\"heritage=external-dns,external-dns/owner=default,external-dns/resource=palisade/app\""]
    );
    service(&edge, "dns", |status| status["last_success"].is_string()).await;

    // Another route, another address: both at once.
    edge.files().write("palisade.toml", &{
        let text = std::fs::read_to_string(edge.files().config()).unwrap();
        text.replace("203.0.113.7", "203.0.113.8")
            + &Route::new("wiki").hosts(&["wiki.example.com"]).unguarded().toml()
    });
    edge.reload().await.unwrap();
    eventually("the other record", async || {
        (a("wiki.example.com") == ["203.0.113.8"]).then_some(())
    })
    .await;
    eventually("the other address", async || {
        (a("app.example.com") == ["203.0.113.8"]).then_some(())
    })
    .await;

    // A route that is gone takes its record along; what is not ours stays.
    edge.files().edit("wiki.example.com", "wiki.elsewhere.org");
    edge.reload().await.unwrap();
    eventually("the record to go", async || {
        a("wiki.example.com").is_empty().then_some(())
    })
    .await;
    assert_eq!(house.fake.contents(ZONE, "a-wiki.example.com", "TXT"), [""; 0]);
    assert_eq!(a("mail.example.com"), ["198.51.100.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_an_api_that_is_down_is_state_and_recovers_by_itself() {
    if !pebble::available() {
        return;
    }
    let house = House::new().await;
    house
        .fake
        .fault(Fault::new(FaultKind::Status(502)).on("GET", "/zones").times(2));
    let edge = house.edge(ONLY_RECORDS, FIXED).await;
    let status = service(&edge, "dns", |status| status["trouble"].is_string()).await;
    assert!(status["trouble"].as_str().unwrap().contains("502"), "{status:#}");
    assert_eq!(
        edge.metric("palisade_service_healthy{service=\"dns\"}").await,
        0.0
    );
    // The look at the address wakes the records each second.
    service(&edge, "dns", |status| status["trouble"].is_null()).await;
    assert_eq!(house.fake.contents(ZONE, "app.example.com", "A"), ["203.0.113.7"]);
    assert_eq!(
        edge.metric("palisade_service_healthy{service=\"dns\"}").await,
        1.0
    );
}

/// A stop is a restart most of the time: records stay, unless they are told to go with the edge.
#[tokio::test(flavor = "multi_thread")]
async fn dns_records_outlive_the_edge_unless_they_are_told_not_to() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    fake.seed(
        ZONE,
        json!({"type": "A", "name": "mail.example.com", "content": "198.51.100.1", "ttl": 300}),
    );
    let before = fake.records(ZONE);
    let zone = format!(
        "[[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = \"./token\"\ncertificates = []\n[dns]\ndelete_on_stop = false\n{FIXED}",
        fake.base_url()
    );
    let builder = TestEdge::builder().route(&Route::new("app").hosts(&["app.example.com"]).unguarded());
    let files = builder.file("token", fake.token()).and(&zone).write();
    let a = || fake.contents(ZONE, "app.example.com", "A");
    for deletes in [false, true] {
        if deletes {
            files.edit("delete_on_stop = false", "delete_on_stop = true");
        }
        let mut edge = EdgeProcess::start(&files);
        edge.https().await;
        eventually("the record", async || (a() == ["203.0.113.7"]).then_some(())).await;
        edge.signal("TERM");
        assert!(edge.ended().await.success(), "{}", edge.output());
        assert_eq!(a().is_empty(), deletes, "{}", edge.output());
    }
    assert_eq!(fake.records(ZONE), before);
}
