//! Which backend a request goes to: weights, load, keys, cookies; and who is left alone.

use std::collections::BTreeMap;

use palisade_tests::harness::upstream::answering;
use palisade_tests::harness::{Answer, Ask, Route, TestEdge, Upstream, eventually, polite, within};

async fn over(route: Route) -> TestEdge {
    TestEdge::with(None, &[route.unguarded()]).await
}

fn name(answer: &Answer) -> String {
    answer.json()["upstream"].as_str().unwrap().to_owned()
}

async fn counted(edge: &TestEdge, count: usize) -> BTreeMap<String, usize> {
    let client = edge.client();
    let mut counted = BTreeMap::new();
    for _ in 0..count {
        let answer = polite::send(client.get("https://app.test/")).await.expect(200);
        *counted.entry(name(&answer)).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn backends_get_what_their_weights_say() {
    let (one, three, none) = (
        Upstream::echo("one").await,
        Upstream::echo("three").await,
        Upstream::echo("none").await,
    );
    let route = Route::new("app")
        .weighted(&one, 1)
        .weighted(&three, 3)
        .weighted(&none, 0);
    let edge = over(route).await;
    let expected = BTreeMap::from([("one".to_owned(), 4), ("three".to_owned(), 12)]);
    assert_eq!(counted(&edge, 16).await, expected);
    // A new weight takes over without a restart.
    edge.files().edit("weight = 3", "weight = 1");
    edge.reload().await.unwrap();
    let expected = BTreeMap::from([("one".to_owned(), 4), ("three".to_owned(), 4)]);
    assert_eq!(counted(&edge, 8).await, expected);
}

#[tokio::test]
async fn a_busy_backend_gets_no_more_while_another_is_idle() {
    let (busy, gate) = Upstream::held().await;
    let idle = Upstream::echo("idle").await;
    let route = Route::new("app")
        .to(&busy)
        .to(&idle)
        .line("balance = \"least-requests\"");
    let edge = over(route).await;
    let client = edge.client();
    let mut held = Vec::new();
    // Chance decides between two idle ones: until the busy one has a request.
    while busy.hits() == 0 {
        held.push(tokio::spawn(polite::send(client.get("https://app.test/"))));
        let arrived = || async { (busy.hits() + idle.hits() == held.len()).then_some(()) };
        eventually("the request to arrive", arrived).await;
    }
    for _ in 0..20 {
        let answer = polite::send(client.get("https://app.test/")).await.expect(200);
        assert_eq!(name(&answer), "idle");
    }
    assert_eq!(busy.hits(), 1);
    gate.open();
    for request in held {
        within("what was held", request).await.unwrap().expect(200);
    }
}

#[tokio::test]
async fn the_same_key_leads_to_the_same_backend() {
    let backends = [
        Upstream::echo("a").await,
        Upstream::echo("b").await,
        Upstream::echo("c").await,
    ];
    let route = backends
        .iter()
        .fold(Route::new("app"), |route, backend| route.to(backend));
    let edge = over(route.line("balance = \"hash:header:X-User\"")).await;
    let of = async |user: &str| {
        name(
            &edge
                .ask("app.test", &Ask::get("/").header("X-User", user))
                .await
                .expect(200),
        )
    };
    let mut used = BTreeMap::new();
    for user in 0..24 {
        let user = user.to_string();
        let first = of(&user).await;
        assert_eq!(of(&user).await, first);
        *used.entry(first).or_insert(0) += 1;
    }
    assert_eq!(used.len(), 3, "{used:?}");
}

#[tokio::test]
async fn a_client_stays_with_its_backend_by_a_cookie_that_tells_nothing() {
    let backends = [
        Upstream::echo("a").await,
        Upstream::echo("b").await,
        Upstream::echo("c").await,
    ];
    let route = backends
        .iter()
        .fold(Route::new("app"), |route, backend| route.to(backend));
    let route = route
        .unguarded()
        .and("[routes.sticky]\ncookie = \"edge\"\nttl = \"1h\"");
    let edge = TestEdge::with(None, &[route]).await;
    let first = edge.get("https://app.test/").await.expect(200);
    let set = first.header("set-cookie").unwrap().to_owned();
    assert!(
        set.ends_with("; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"),
        "{set}"
    );
    let cookie = set.split(';').next().unwrap();
    assert!(!cookie.contains("127.0.0.1"), "{cookie}");
    for _ in 0..6 {
        let ask = Ask::get("/").header("Cookie", format!("a=b; {cookie}"));
        let answer = edge.ask("app.test", &ask).await.expect(200);
        assert_eq!(name(&answer), name(&first));
        assert_eq!(answer.header("set-cookie"), None);
    }
    // A restart changes nothing about it.
    let edge = TestEdge::restart(edge.stop().await).await;
    let answer = edge
        .ask("app.test", &Ask::get("/").header("Cookie", cookie))
        .await
        .expect(200);
    assert_eq!(name(&answer), name(&first));
    // Whoever makes one up gets another.
    let answer = edge
        .ask("app.test", &Ask::get("/").header("Cookie", "edge=a"))
        .await
        .expect(200);
    assert!(answer.header("set-cookie").is_some());
}

#[tokio::test]
async fn a_backend_that_answers_503_again_and_again_is_left_alone() {
    let broken = Upstream::serve(answering(503, "text/plain", "starting\n")).await;
    let sound = Upstream::echo("sound").await;
    let route = Route::new("app")
        .to(&broken)
        .to(&sound)
        .unguarded()
        .and("[routes.ejection]\nfailures = 3\ntime = \"5m\"\nmax_time = \"5m\"");
    let edge = TestEdge::with(None, &[route]).await;
    let client = edge.client();
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(polite::send(client.get("https://app.test/")).await.status == 503);
    }
    assert_eq!(refused, 3);
    assert_eq!(broken.hits(), 3);
}

#[tokio::test]
async fn edges_with_one_key_lead_each_others_clients_back() {
    let backends = [
        Upstream::echo("a").await,
        Upstream::echo("b").await,
        Upstream::echo("c").await,
    ];
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("sticky-key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let start = async || {
        let route = backends
            .iter()
            .fold(Route::new("app"), |route, backend| route.to(backend));
        let tables = format!("[routes.sticky]\n[upstream]\nsticky_key = {key:?}");
        TestEdge::with(None, &[route.unguarded().and(&tables)]).await
    };
    let (here, there) = (start().await, start().await);
    for _ in 0..3 {
        let first = here.get("https://app.test/").await.expect(200);
        let cookie = first.header("set-cookie").unwrap().split(';').next().unwrap();
        for _ in 0..4 {
            let ask = Ask::get("/").header("Cookie", cookie);
            let answer = there.ask("app.test", &ask).await.expect(200);
            assert_eq!(name(&answer), name(&first));
            assert_eq!(answer.header("set-cookie"), None);
        }
    }
    // A key that anybody could guess is none.
    std::fs::write(&key, "secret").unwrap();
    let told = here.reload().await.unwrap_err();
    assert!(told.contains("32 bytes"), "{told}");
}
