//! Backends: balancing, failure, time, what they are told.

use std::collections::BTreeMap;

use futures_util::{SinkExt, StreamExt};
use palisade_tests::harness::upstream::{DeadPort, SilentPort, full};
use palisade_tests::harness::{Ask, Route, TestCa, TestEdge, Upstream, polite, within, world};
use tokio_tungstenite::tungstenite::Message;

async fn over(route: Route) -> TestEdge {
    TestEdge::with(None, &[route.unguarded()]).await
}

#[tokio::test]
async fn requests_go_round_over_all_backends() {
    let backends = [
        Upstream::echo("a").await,
        Upstream::echo("b").await,
        Upstream::echo("c").await,
    ];
    let edge = over(
        backends
            .iter()
            .fold(Route::new("app"), |route, backend| route.to(backend)),
    )
    .await;
    let client = edge.client();
    let mut answered = BTreeMap::new();
    for _ in 0..12 {
        let json = polite::send(client.get("https://app.test/"))
            .await
            .expect(200)
            .json();
        *answered
            .entry(json["upstream"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    assert_eq!(answered.into_values().collect::<Vec<_>>(), [4, 4, 4]);
}

#[tokio::test]
async fn a_dead_backend_among_living_ones_is_not_noticed_by_clients() {
    let (dead, living) = (DeadPort::new(), Upstream::echo("living").await);
    let edge = over(Route::new("app").to(&dead).to(&living)).await;
    for _ in 0..8 {
        edge.get("https://app.test/").await.expect(200);
    }
    let ask = Ask::form("/", "kept=whole");
    let answer = edge.ask("app.test", &ask).await.expect(200);
    assert_eq!(answer.json()["body"], "kept=whole");
}

#[tokio::test]
async fn without_a_living_backend_the_answer_is_503() {
    let (one, two) = (DeadPort::new(), DeadPort::new());
    let edge = over(Route::new("app").to(&one).to(&two)).await;
    for _ in 0..3 {
        edge.get("https://app.test/").await.expect(503);
    }
    let edge = over(Route::new("app").to(&one)).await;
    let answer = edge
        .ask("app.test", &Ask::get("/").accept_json())
        .await
        .expect(503);
    assert_eq!(answer.json()["status"], 503);
}

#[tokio::test]
async fn a_backend_that_returns_is_used_again() {
    let dead = DeadPort::new();
    let address = dead.address();
    let edge = over(Route::new("app").to(&dead)).await;
    edge.get("https://app.test/").await.expect(503);
    let _back = Upstream::echo_at(dead).await;
    palisade_tests::harness::eventually("the backend to be used again", || async {
        (edge.get("https://app.test/").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(edge.accessed("/").await["route"], "app");
    assert!(edge.access_log().text().contains(&address.to_string()));
}

#[tokio::test]
async fn a_backend_that_does_not_accept_is_given_up_in_time() {
    let silent = SilentPort::new().await;
    let edge = over(Route::new("app").to(&silent).line("connect_timeout = \"300ms\"")).await;
    let status = edge.get("https://app.test/").await.status;
    assert!(matches!(status, 503 | 504), "{status}");
}

#[tokio::test]
async fn a_backend_that_does_not_answer_is_504() {
    let (upstream, _gate) = Upstream::held().await;
    let edge = over(
        Route::new("app")
            .to(&upstream)
            .line("first_byte_timeout = \"400ms\""),
    )
    .await;
    edge.get("https://app.test/").await.expect(504);
    edge.ask_h2("app.test", &Ask::form("/", "a=b")).await.expect(504);
}

#[tokio::test]
async fn the_first_byte_may_take_longer_than_the_idle_timeout_of_a_body() {
    let (upstream, gate) = Upstream::held().await;
    let times = ["first_byte_timeout = \"30s\"", "idle_timeout = \"400ms\""];
    let edge = over(
        times
            .into_iter()
            .fold(Route::new("app").to(&upstream), Route::line),
    )
    .await;
    let client = edge.client();
    let answer = tokio::spawn(polite::send(client.get("https://app.test/")));
    upstream.journal().await_hits(1).await;
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    gate.open();
    within("the answer", answer).await.unwrap().expect(200);
}

#[tokio::test]
async fn an_answer_that_stalls_is_cut_off_and_does_not_look_complete() {
    let (upstream, events) = Upstream::events().await;
    let times = ["first_byte_timeout = \"400ms\"", "idle_timeout = \"400ms\""];
    let edge = over(
        times
            .into_iter()
            .fold(Route::new("app").to(&upstream), Route::line),
    )
    .await;
    events.send("the beginning");
    let cut = polite::try_send(edge.client().get("https://app.test/")).await;
    // By the edge, not by the client's own patience.
    assert!(cut.is_err_and(|error| !error.is_timeout()));
}

#[tokio::test]
async fn a_broken_answer_is_502() {
    for (name, bytes) in [
        ("nothing at all", ""),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le"),
        ("no status", "HTTP/1.1 abc OK\r\n\r\n"),
    ] {
        let upstream = Upstream::broken(bytes).await;
        let edge = over(Route::new("app").to(&upstream)).await;
        let status = edge.get("https://app.test/").await.status;
        assert_eq!(status, 502, "{name}");
    }
}

#[tokio::test]
async fn half_an_answer_does_not_look_complete() {
    let upstream =
        Upstream::broken("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the beginning").await;
    let edge = over(Route::new("app").to(&upstream)).await;
    for versions in [
        palisade_tests::harness::Versions::Http1,
        palisade_tests::harness::Versions::Http2,
    ] {
        let cut = polite::try_send(edge.client_of(versions).get("https://app.test/")).await;
        assert!(cut.is_err(), "{cut:?}");
    }
}

#[tokio::test]
async fn an_order_is_not_placed_twice() {
    // The backend takes the request and goes away: whether it did the work, nobody knows.
    let (one, two) = (Upstream::broken("").await, Upstream::broken("").await);
    let edge = over(Route::new("app").to(&one).to(&two)).await;
    edge.ask("app.test", &Ask::form("/order", "item=lamp"))
        .await
        .expect(502);
    assert_eq!(one.hits() + two.hits(), 1);
}

#[tokio::test]
async fn an_https_backend_is_verified() {
    let (ca, other) = (TestCa::new(), TestCa::new());
    let upstream = Upstream::echo_over_tls("secret", &ca.issue(&["backend.internal"])).await;
    let folder = tempfile::tempdir().unwrap();
    let (right, wrong) = (folder.path().join("right.pem"), folder.path().join("wrong.pem"));
    std::fs::write(&right, ca.pem()).unwrap();
    std::fs::write(&wrong, other.pem()).unwrap();
    let tls = |host: &str, tls: String| {
        Route::new(host)
            .to(&upstream)
            .line(&format!("tls = {{ {tls} }}"))
            .unguarded()
    };
    let named = |ca: &std::path::Path, name: &str| format!("ca = {ca:?}, server_name = {name:?}");
    let edge = TestEdge::with(
        None,
        &[
            tls("right", named(&right, "backend.internal")),
            tls("wrong", named(&wrong, "backend.internal")),
            tls("misnamed", named(&right, "other.internal")),
            tls("careless", "verify = false".to_owned()),
        ],
    )
    .await;
    for (host, accepted) in [
        ("right", true),
        ("wrong", false),
        ("misnamed", false),
        ("careless", true),
    ] {
        let status = edge.get(&format!("https://{host}.test/")).await.status;
        match accepted {
            true => assert_eq!(status, 200, "{host}"),
            false => assert!(matches!(status, 502 | 503), "{host}: {status}"),
        }
    }
    assert_eq!(upstream.hits(), 2);
}

#[tokio::test]
async fn the_edge_says_who_the_client_is_and_nobody_else_does() {
    let upstream = Upstream::echo("app").await;
    let edge = over(Route::new("app").to(&upstream)).await;
    let lies = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Port", "1"),
        ("X-Real-IP", "6.6.6.6"),
        ("X-Request-Id", "chosen-by-me"),
        ("Forwarded", "for=6.6.6.6;host=evil.example"),
        ("X_Forwarded_For", "6.6.6.6"),
        ("X_Real_IP", "6.6.6.6"),
    ];
    let honest = Ask::get("/honest");
    let liar = lies
        .iter()
        .fold(Ask::get("/liar"), |ask, (name, value)| ask.also(name, value));
    let twice = lies.iter().fold(liar.clone(), |ask, (name, value)| {
        ask.also(&name.to_lowercase(), value)
    });
    for ask in [honest, liar, twice] {
        let answers = [
            edge.ask("app.test", &ask).await,
            edge.ask_h2("app.test", &ask).await,
        ];
        for answer in answers {
            let answer = answer.expect(200);
            assert_eq!(answer.echoed("x-forwarded-for"), ["127.0.0.1"]);
            assert_eq!(answer.echoed("x-real-ip"), ["127.0.0.1"]);
            assert_eq!(answer.echoed("x-forwarded-proto"), ["https"]);
            assert_eq!(answer.echoed("x-forwarded-host"), ["app.test"]);
            let [id] = &answer.echoed("x-request-id")[..] else {
                panic!("{}", answer.text())
            };
            assert!(id.len() >= 16 && id != "chosen-by-me", "{id}");
            assert!(!answer.text().contains("6.6.6.6"), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own_that_the_access_log_knows() {
    let upstream = Upstream::echo("app").await;
    let edge = over(Route::new("app").to(&upstream)).await;
    let first = edge.get("https://app.test/first").await.echoed("x-request-id");
    let second = edge.get("https://app.test/second").await.echoed("x-request-id");
    assert_ne!(first, second);
    assert_eq!(edge.accessed("/first").await["request_id"], first[0]);
}

#[tokio::test]
async fn the_backend_sees_the_clients_host_or_the_one_that_is_configured() {
    let upstream = Upstream::echo("app").await;
    let kept = Route::new("kept").to(&upstream).unguarded();
    let other = Route::new("other")
        .to(&upstream)
        .line("host = \"internal.example:8080\"")
        .unguarded();
    let edge = TestEdge::with(None, &[kept, other]).await;
    for (host, expected) in [
        ("kept.test", "kept.test"),
        ("other.test", "internal.example:8080"),
    ] {
        for answer in [
            edge.ask(host, &Ask::get("/")).await,
            edge.ask_h2(host, &Ask::get("/")).await,
        ] {
            assert_eq!(answer.echoed("host"), [expected]);
            assert_eq!(answer.echoed("x-forwarded-host"), [host]);
        }
    }
}

#[tokio::test]
async fn connections_to_a_backend_are_used_again() {
    let upstream = Upstream::echo("app").await;
    let edge = over(Route::new("app").to(&upstream)).await;
    for _ in 0..20 {
        edge.ask("app.test", &Ask::get("/")).await.expect(200);
    }
    assert!(
        upstream.journal().connections() < 20,
        "{}",
        upstream.journal().connections()
    );
}

#[tokio::test]
async fn answers_without_a_body_keep_the_connection_usable() {
    let upstream = Upstream::serve(|request, journal| async move {
        let (parts, _) = request.into_parts();
        journal.request(&parts);
        let status: u16 = parts.uri.path()[1..].parse().unwrap();
        hyper::Response::builder()
            .status(status)
            .header("etag", "\"1\"")
            .body(full(""))
            .unwrap()
    })
    .await;
    let edge = over(Route::new("app").to(&upstream)).await;
    let client = edge.client_of(palisade_tests::harness::Versions::Http1);
    for status in [204, 304, 200, 204] {
        let url = format!("https://app.test/{status}");
        polite::send(client.get(&url)).await.expect(status);
        polite::send(client.head(&url)).await.expect(status);
    }
}

#[tokio::test]
async fn a_websocket_runs_through_tls() {
    let upstream = Upstream::websocket().await;
    let edge = over(Route::new("app").to(&upstream)).await;
    let mut socket = edge.websocket("app.test", "/ws?room=7").await.unwrap();
    for text in ["hello", "", "grüße", &"long ".repeat(40_000)] {
        socket.send(Message::text(text)).await.unwrap();
        let reply = within("an echo", socket.next()).await.unwrap().unwrap();
        assert_eq!(reply.into_text().unwrap().as_str(), text);
    }
    let seen = upstream.journal().requests().remove(0);
    assert_eq!(seen.uri, "/ws?room=7");
    assert_eq!(seen.header("x-forwarded-for"), ["127.0.0.1"]);
    socket.close(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_websocket_opens_however_fast_its_upstream_answers() {
    let upstream = Upstream::websocket().await;
    let edge = over(Route::new("app").to(&upstream)).await;
    for number in 0..300 {
        let mut socket = edge.websocket("app.test", "/ws").await.unwrap();
        socket.send(Message::text(number.to_string())).await.unwrap();
        let reply = within("an echo", socket.next()).await.unwrap();
        assert_eq!(reply.unwrap().into_text().unwrap().as_str(), number.to_string());
    }
}

#[tokio::test]
async fn an_upgrade_that_the_upstream_refuses_is_an_ordinary_answer() {
    let (gone, plain) = (DeadPort::new(), Upstream::echo("plain").await);
    let routes = [
        Route::new("plain").to(&plain).unguarded(),
        Route::new("gone").to(&gone).unguarded(),
    ];
    let edge = TestEdge::with(None, &routes).await;
    for host in ["plain.test", "gone.test"] {
        let mut connection = edge.connect(host).await.unwrap();
        let ask = "GET /ws HTTP/1.1\r\nHost: @\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let ask = ask.replace('@', host);
        connection.send(&ask).await.unwrap();
        let answer = connection.answer().await.unwrap();
        assert_eq!(answer.status, if host == "plain.test" { 200 } else { 503 });
        if host == "plain.test" {
            // And the connection goes on.
            connection.send(&ask).await.unwrap();
            let answer = connection.answer().await.unwrap().expect(200);
            assert_eq!(answer.echoed("transfer-encoding"), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn an_upgrade_that_is_not_answered_is_504() {
    let (upstream, _gate) = Upstream::held().await;
    let edge = over(
        Route::new("app")
            .to(&upstream)
            .line("first_byte_timeout = \"400ms\""),
    )
    .await;
    let refused = edge.websocket("app.test", "/ws").await.err().unwrap();
    assert!(refused.contains("504"), "{refused}");
}

#[tokio::test]
async fn a_websocket_outlives_the_timeouts_of_requests() {
    let upstream = Upstream::websocket().await;
    let edge = over(
        Route::new("app")
            .to(&upstream)
            .line("first_byte_timeout = \"300ms\""),
    )
    .await;
    let mut socket = edge.websocket("app.test", "/ws").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    socket.send(Message::text("still here")).await.unwrap();
    let reply = within("an echo", socket.next()).await.unwrap().unwrap();
    assert_eq!(reply.into_text().unwrap().as_str(), "still here");
}

#[tokio::test]
async fn the_waf_sees_an_upgrade_request_and_lets_an_ordinary_one_through() {
    let Some(world) = world() else { return };
    let mut socket = world.edge.websocket("socket.test", "/ws?room=7").await.unwrap();
    // Inside an open socket the WAF does not look: messages are the application's.
    socket.send(Message::text("' OR 1=1 -- <script>")).await.unwrap();
    within("an echo", socket.next()).await.unwrap().unwrap();

    let before = world.socket.hits();
    let attack = world
        .edge
        .websocket(
            "socket.test",
            "/ws?room=1'%20UNION%20SELECT%20password%20FROM%20users--",
        )
        .await;
    assert!(attack.err().unwrap().contains("403"));
    assert_eq!(world.socket.hits(), before);
}
