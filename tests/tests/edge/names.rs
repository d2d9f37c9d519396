//! Backends by name: looked up within the TTL of their records, by all their addresses, through bad minutes of DNS.

use std::net::SocketAddr;

use palisade_tests::harness::upstream::{DeadPort, NameServer, SilentPort};
use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, eventually, polite};

/// The same port at two addresses of this machine.
fn two_addresses() -> (SocketAddr, SocketAddr) {
    let port = DeadPort::new().address().port();
    (
        SocketAddr::from(([127, 0, 0, 1], port)),
        SocketAddr::from(([127, 0, 0, 2], port)),
    )
}

/// A route to `app.internal`, of which this name server knows.
fn route(server: &NameServer, port: u16, lines: &[&str]) -> Route {
    let url = format!("http://app.internal:{port}");
    let asks = format!("nameservers = [\"{}\"]", server.address());
    let route = Route::new("app").to(&url.as_str()).line(&asks).unguarded();
    lines.iter().fold(route, |route, line| route.line(line))
}

async fn served_by(edge: &TestEdge) -> String {
    let answer = polite::send(edge.client().get("https://app.test/"))
        .await
        .expect(200);
    answer.json()["upstream"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn new_addresses_are_used_when_the_ttl_of_the_old_ones_is_over() {
    let (one, two) = two_addresses();
    let (_old, new) = (
        Upstream::echo_at(DeadPort::at(one)).await,
        Upstream::echo_at(DeadPort::at(two)).await,
    );
    let server = NameServer::start().await;
    server.set("app.internal", 1, &["127.0.0.1"]);
    // The TTL it is, and not the interval.
    let edge = TestEdge::with(
        None,
        &[route(&server, one.port(), &["resolve_interval = \"24h\""])],
    )
    .await;
    served_by(&edge).await;
    server.set("app.internal", 1, &["127.0.0.2"]);
    eventually("the new address to be used", || async {
        served_by(&edge).await;
        (new.hits() > 0).then_some(())
    })
    .await;
    // While nobody answers for the name, what is known stays.
    server.set_silent(true);
    let asked = server.questions();
    eventually("some questions without an answer", || async {
        (server.questions() > asked + 2).then_some(())
    })
    .await;
    let before = new.hits();
    served_by(&edge).await;
    assert_eq!(new.hits(), before + 1);
    server.set_silent(false);
    server.set("app.internal", 1, &["127.0.0.1", "127.0.0.2"]);
    eventually("both addresses to be backends", || async {
        let status = edge.admin_get("/status").await.json();
        (status["backends"]["app"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_long_ttl_is_not_waited_for() {
    let (one, two) = two_addresses();
    let (_old, new) = (
        Upstream::echo_at(DeadPort::at(one)).await,
        Upstream::echo_at(DeadPort::at(two)).await,
    );
    let server = NameServer::start().await;
    // As a container's runtime does it.
    server.set("app.internal", 600, &["127.0.0.1"]);
    let edge = TestEdge::with(
        None,
        &[route(&server, one.port(), &["resolve_interval = \"500ms\""])],
    )
    .await;
    served_by(&edge).await;
    server.set("app.internal", 600, &["127.0.0.2"]);
    eventually("the new address to be used", || async {
        served_by(&edge).await;
        (new.hits() > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_address_that_packets_are_lost_to_costs_no_request_its_time() {
    let (one, two) = two_addresses();
    let silent = SilentPort::at(one).await;
    let living = Upstream::echo_at(DeadPort::at(two)).await;
    let server = NameServer::start().await;
    server.set("app.internal", 60, &["127.0.0.1", "127.0.0.2"]);
    // Nobody waits for that; and it is tried again and again.
    let lines = [
        "connect_timeout = \"10m\"",
        "ejection = { time = \"10ms\", max_time = \"10ms\", slow_start = \"0s\" }",
    ];
    let edge = TestEdge::with(None, &[route(&server, one.port(), &lines)]).await;
    let client = edge.client();
    for number in 0..12 {
        let answer = polite::send(client.get("https://app.test/")).await.expect(200);
        assert_eq!(answer.json()["method"], "GET");
        let order = client
            .post("https://app.test/order")
            .body(format!("number {number}"));
        let answer = polite::send(order).await.expect(200);
        assert_eq!(answer.json()["body"], format!("number {number}"));
    }
    assert_eq!(living.hits(), 24);
    let status = edge.admin_get("/status").await.json();
    let backends = status["backends"]["app"].as_array().unwrap();
    let of = |address: SocketAddr| {
        let address = address.to_string();
        let found = backends.iter().find(|backend| backend["address"] == address);
        found.unwrap().clone()
    };
    assert!(of(one)["ejections"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(of(two)["ejections"], 0, "{status}");
    assert_eq!(of(one)["in_flight"], 0, "{status}");
    assert_eq!(of(two)["in_flight"], 0, "{status}");
    // The log names the address that answered.
    let text = edge.access_log().text();
    assert!(
        text.contains(&two.to_string()) && !text.contains(&format!("({one})")),
        "{text}"
    );
    drop(silent);
}

#[tokio::test]
async fn a_name_without_an_address_is_503_until_it_has_one() {
    let upstream = Upstream::echo("app").await;
    let server = NameServer::start().await;
    let edge = TestEdge::with(None, &[route(&server, upstream.address().port(), &[])]).await;
    edge.ask("app.test", &Ask::get("/")).await.expect(503);
    server.set("app.internal", 60, &["127.0.0.1"]);
    eventually("the name to be found", || async {
        (edge.ask("app.test", &Ask::get("/")).await.status == 200).then_some(())
    })
    .await;
}
