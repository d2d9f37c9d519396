//! Which backend a request goes to: weights, load, keys, cookies; and who is left alone.

use std::collections::BTreeMap;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use palisade_tests::harness::upstream::{answering, full};
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

#[tokio::test]
async fn a_cookie_or_an_address_binds_a_client_as_well() {
    let backends = [
        Upstream::echo("a").await,
        Upstream::echo("b").await,
        Upstream::echo("c").await,
    ];
    let route = |name: &str, balance: &str| {
        let route = backends
            .iter()
            .fold(Route::new(name), |route, backend| route.to(backend));
        route.line(&format!("balance = {balance:?}")).unguarded()
    };
    let routes = [
        route("cookie", "hash:cookie:session"),
        route("address", "hash:address"),
    ];
    let edge = TestEdge::with(None, &routes).await;
    let mut used = BTreeMap::new();
    for session in 0..24 {
        let ask = || Ask::get("/").header("Cookie", format!("other=1; session={session}"));
        let first = name(&edge.ask("cookie.test", &ask()).await.expect(200));
        assert_eq!(name(&edge.ask("cookie.test", &ask()).await.expect(200)), first);
        *used.entry(first).or_insert(0) += 1;
    }
    assert_eq!(used.len(), 3, "{used:?}");
    let first = name(&edge.get("https://address.test/").await.expect(200));
    for _ in 0..6 {
        assert_eq!(name(&edge.get("https://address.test/").await.expect(200)), first);
    }
}

#[tokio::test]
async fn a_circuit_opens_and_closes() {
    let broken = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&broken);
    let upstream = Upstream::serve(move |request, journal| {
        let broken = state.load(Ordering::SeqCst);
        async move {
            journal.request(&request.into_parts().0);
            let status = if broken { 500 + 2 } else { 200 };
            hyper::Response::builder().status(status).body(full("")).unwrap()
        }
    })
    .await;
    let route = Route::new("app")
        .to(&upstream)
        .line("all_down = \"refuse\"")
        .unguarded()
        .and("[routes.ejection]\nfailures = 3\ntime = \"2s\"\nmax_time = \"2s\"");
    let edge = TestEdge::with(None, &[route]).await;
    for _ in 0..3 {
        edge.get("https://app.test/").await.expect(502);
    }
    // Open: whoever comes has an answer at once, and the backend has its rest.
    for _ in 0..5 {
        edge.get("https://app.test/").await.expect(503);
    }
    assert_eq!(upstream.hits(), 3);
    broken.store(false, Ordering::SeqCst);
    eventually("the circuit to close", || async {
        (edge.get("https://app.test/").await.status == 200).then_some(())
    })
    .await;
    edge.get("https://app.test/").await.expect(200);
}
