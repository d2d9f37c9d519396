//! Records follow routes and the address, and nothing else is touched.

use palisade_tests::cloudflare::{Fault, FaultKind};
use palisade_tests::harness::{Route, eventually};
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
