//! What is tried again, what is not; who waits, who is turned away; and that no route waits for another's backend.

use palisade_tests::harness::upstream::{DeadPort, SilentPort, answering};
use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, Versions, eventually, polite, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Backends are not left alone, so that every request meets them.
const PATIENT: &str = "[routes.ejection]\nfailures = 1000\nconnect_failures = 1000\n";

#[tokio::test]
async fn a_read_that_a_backend_broke_off_is_asked_of_another_and_an_order_is_not() {
    let (broken, sound) = (Upstream::broken("").await, Upstream::echo("sound").await);
    let retries = format!("[routes.retries]\nbudget = 100\n{PATIENT}");
    let route = Route::new("app").to(&broken).to(&sound).unguarded().and(&retries);
    let edge = TestEdge::with(None, &[route]).await;
    for _ in 0..10 {
        edge.ask("app.test", &Ask::get("/")).await.expect(200);
    }
    assert!(broken.hits() >= 4, "{}", broken.hits());
    edge.metric_reaches("palisade_upstream_retries_total{route=\"app\"}", 4.0)
        .await;
    let mut failed = 0;
    for _ in 0..10 {
        let ask = Ask::form("/order", "item=lamp");
        let status = edge.ask("app.test", &ask).await.status;
        let seen = usize::from(broken.saw(&ask.probe)) + usize::from(sound.saw(&ask.probe));
        assert_eq!(seen, 1, "{status}");
        failed += usize::from(status == 502);
    }
    assert!(failed >= 4, "{failed}");
    // What may be repeated is, with its body.
    for number in 0..4 {
        let ask = Ask::new("PUT", "/note").body(format!("note {number}"));
        let answer = edge.ask("app.test", &ask).await.expect(200);
        assert_eq!(answer.json()["body"], format!("note {number}"));
    }
}

#[tokio::test]
async fn an_answer_that_is_reason_enough_is_given_up_for_anothers() {
    let busy = Upstream::serve(answering(503, "text/plain", "busy\n")).await;
    let sound = Upstream::echo("sound").await;
    let retries = format!("[routes.retries]\nstatuses = [503]\nbudget = 100\n{PATIENT}");
    let route = Route::new("app").to(&busy).to(&sound).unguarded().and(&retries);
    let alone = Route::new("alone").to(&busy).unguarded().and(&retries);
    let edge = TestEdge::with(None, &[route, alone]).await;
    for _ in 0..10 {
        edge.ask("app.test", &Ask::get("/")).await.expect(200);
        edge.ask_h2("app.test", &Ask::get("/")).await.expect(200);
    }
    assert!(busy.hits() >= 8, "{}", busy.hits());
    // Without another, the answer is the backend's own.
    let answer = edge.ask("alone.test", &Ask::get("/")).await.expect(503);
    assert_eq!(answer.text(), "busy\n");
    // And an order's is its own in any case.
    let mut refused = 0;
    for _ in 0..6 {
        refused += usize::from(edge.ask("app.test", &Ask::form("/", "a=b")).await.status == 503);
    }
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn when_everything_fails_retries_end() {
    let (one, two) = (Upstream::broken("").await, Upstream::broken("").await);
    let retries = format!("[routes.retries]\nbudget = 0\nbackoff = \"0s\"\n{PATIENT}");
    let route = Route::new("app").to(&one).to(&two).unguarded().and(&retries);
    let edge = TestEdge::with(None, &[route]).await;
    for _ in 0..30 {
        edge.ask("app.test", &Ask::get("/")).await.expect(502);
    }
    // Ten are in the budget of a route that begins.
    assert_eq!(one.hits() + two.hits(), 40);
}

#[tokio::test]
async fn a_full_backend_has_a_line_and_the_line_an_end() {
    let (upstream, gate) = Upstream::held().await;
    let lines = ["max_requests = 1", "queue = 1", "queue_timeout = \"1m\""];
    let route = lines
        .into_iter()
        .fold(Route::new("app").to(&upstream), Route::line);
    let edge = TestEdge::with(None, &[route.unguarded()]).await;
    let ask = |client: reqwest::Client| tokio::spawn(polite::send(client.get("https://app.test/")));
    let first = ask(edge.client());
    upstream.journal().await_hits(1).await;
    let second = ask(edge.client());
    let waiting = "palisade_upstream_waiting_requests{route=\"app\"}";
    eventually("the second to wait", || async {
        (edge.metric(waiting).await == 1.0).then_some(())
    })
    .await;
    let refused = edge.get("https://app.test/").await.expect(503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(upstream.hits(), 1);
    gate.open();
    for request in [first, second] {
        within("an answer", request).await.unwrap().expect(200);
    }
    assert_eq!(upstream.hits(), 2);
}

#[tokio::test]
async fn who_waits_too_long_gets_503() {
    let (upstream, _gate) = Upstream::held().await;
    let lines = ["max_requests = 1", "queue_timeout = \"200ms\""];
    let route = lines
        .into_iter()
        .fold(Route::new("app").to(&upstream), Route::line);
    let edge = TestEdge::with(None, &[route.unguarded()]).await;
    let client = edge.client();
    let _first = tokio::spawn(polite::send(client.get("https://app.test/")));
    upstream.journal().await_hits(1).await;
    edge.get("https://app.test/").await.expect(503);
}

#[tokio::test]
async fn a_client_that_leaves_is_not_in_flight() {
    let (upstream, _gate) = Upstream::held().await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let (url, address) = (upstream.url(), upstream.address());
    let series = format!(
        "palisade_backend_requests_in_flight{{route=\"app\",backend=\"{url}\",address=\"{address}\"}}"
    );
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
    upstream.journal().await_hits(1).await;
    edge.metric_is(&series, 1.0).await;
    drop(connection);
    eventually("nothing in flight", || async {
        (edge.metric(&series).await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_waits_for_anothers_backend() {
    let (hangs, gate) = Upstream::held().await;
    let (silent, dead) = (SilentPort::new().await, DeadPort::new());
    let sound = Upstream::echo("sound").await;
    let slow = "connect_timeout = \"1m\"";
    let routes = [
        Route::new("hangs").to(&hangs).unguarded(),
        Route::new("silent").to(&silent).line(slow).unguarded(),
        Route::new("dead").to(&dead).unguarded(),
        Route::new("app").to(&sound).unguarded(),
    ];
    let edge = TestEdge::with(None, &routes).await;
    let (client, one_each) = (edge.client(), edge.client_of(Versions::Http1));
    let mut waiting = Vec::new();
    for _ in 0..150 {
        for host in ["hangs", "silent"] {
            // A connection each: the streams of one are counted.
            let request = one_each.get(format!("https://{host}.test/"));
            waiting.push(tokio::spawn(
                async move { polite::try_send(request).await.is_ok() },
            ));
        }
    }
    hangs.journal().await_hits(150).await;
    for _ in 0..50 {
        polite::send(client.get("https://app.test/")).await.expect(200);
        polite::send(client.get("https://dead.test/")).await.expect(503);
    }
    // All of that while the others still wait.
    assert_eq!(waiting.iter().filter(|request| request.is_finished()).count(), 0);
    gate.open();
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

/// A backend that answers the first request of each connection, once `together` of them are there, and closes it at the
/// second.
async fn forgetful(together: usize) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let all = std::sync::Arc::new(tokio::sync::Barrier::new(together));
    let serve = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let all = std::sync::Arc::clone(&all);
            connections.spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_buf(&mut head).await.unwrap();
                }
                if number < together {
                    all.wait().await;
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
            });
        }
    });
    (url, serve)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_connections_that_turn_out_closed_cost_no_request() {
    let (url, backend) = forgetful(6).await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&url.as_str()).unguarded()]).await;
    let client = edge.client();
    let first: Vec<_> = (0..6)
        .map(|_| tokio::spawn(polite::send(client.get("https://app.test/"))))
        .collect();
    for request in first {
        within("an answer", request).await.unwrap().expect(200);
    }
    // Six are kept, and each of them is closed when it is used: one attempt more, on a new one, is enough.
    for _ in 0..6 {
        polite::send(client.get("https://app.test/")).await.expect(200);
    }
    let failures = edge
        .metric("palisade_upstream_connect_failures_total{route=\"app\"}")
        .await;
    assert_eq!(failures, 0.0);
    let status = edge.admin_get("/status").await.json();
    assert_eq!(status["backends"]["app"][0]["ejections"], 0, "{status}");
    backend.abort();
}

#[tokio::test]
async fn a_backend_that_takes_all_of_a_requests_time_is_left_alone() {
    let (silent, sound) = (SilentPort::new().await, Upstream::echo("sound").await);
    let ejection = "[routes.ejection]\ntime = \"5m\"\nmax_time = \"5m\"";
    let route = Route::new("app")
        .to(&silent)
        .to(&sound)
        .line("request_timeout = \"1s\"")
        .unguarded()
        .and(ejection);
    let edge = TestEdge::with(None, &[route]).await;
    let client = edge.client();
    let mut late = 0;
    for _ in 0..8 {
        late += usize::from(polite::send(client.get("https://app.test/")).await.status == 504);
    }
    assert_eq!(late, 1);
    assert_eq!(sound.hits(), 7);
}

#[tokio::test]
async fn routes_to_one_backend_share_what_it_can_bear() {
    let (upstream, gate) = Upstream::held().await;
    let capped = |name: &str, queue: usize| {
        Route::new(name)
            .to(&upstream)
            .line("max_requests = 2")
            .line(&format!("queue = {queue}"))
            .line("queue_timeout = \"1m\"")
            .unguarded()
    };
    let edge = TestEdge::with(None, &[capped("shop", 0), capped("office", 5)]).await;
    let client = edge.client();
    let ask = |host: &str| tokio::spawn(polite::send(client.get(format!("https://{host}.test/"))));
    let held = [ask("shop"), ask("shop")];
    upstream.journal().await_hits(2).await;
    edge.get("https://shop.test/").await.expect(503);
    let waits = ask("office");
    let waiting = "palisade_upstream_waiting_requests{route=\"office\"}";
    eventually("the office to wait", || async {
        (edge.metric(waiting).await == 1.0).then_some(())
    })
    .await;
    assert_eq!(upstream.hits(), 2);
    gate.open();
    for request in held.into_iter().chain([waits]) {
        within("an answer", request).await.unwrap().expect(200);
    }
}
