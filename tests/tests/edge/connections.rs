//! Connections that do not behave like most: too slow, too many, too old.

use std::time::Duration;

use palisade_tests::harness::{Ask, Connection, Route, TestEdge, Tls, Upstream, tls_stream, within, world};
use palisade_tests::hostile::frames;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

async fn edge(listen: &str) -> TestEdge {
    TestEdge::builder()
        .listen(listen)
        .route(&Route::new("app").unguarded())
        .start()
        .await
}

#[tokio::test]
async fn a_handshake_that_does_not_come_ends_the_connection() {
    let edge = edge("handshake_timeout = \"300ms\"").await;
    let mut silent = Connection::plain(edge.https()).await.unwrap();
    assert!(silent.rest().await.is_empty());
    let mut slow = Connection::plain(edge.https()).await.unwrap();
    slow.send([22, 3, 1, 2, 0, 1]).await.unwrap();
    slow.rest().await;
    edge.metric_reaches("palisade_handshake_failures_total", 2.0)
        .await;
    edge.ask("app.test", &Ask::get("/")).await.expect(200);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_a_while() {
    let edge = edge("keepalive_timeout = \"300ms\"").await;
    let mut connection = edge.connect("app.test").await.unwrap();
    connection
        .send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
        .await
        .unwrap();
    connection.answer().await.unwrap().expect(200);
    assert!(connection.rest().await.is_empty());
}

/// An HTTP/2 connection that says what its test says, and nothing besides.
async fn raw_h2(edge: &TestEdge) -> TlsStream<TcpStream> {
    let tls = Tls {
        alpn: vec!["h2"],
        ..Tls::default()
    };
    let mut stream = tls_stream(edge.https(), "app.test", &tls).await.unwrap();
    stream.write_all(&frames::connection(&[])).await.unwrap();
    stream
}

fn h2_get(stream: u32) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "app.test"),
        (":path", "/"),
    ];
    frames::headers(stream, true, &fields)
}

#[tokio::test]
async fn an_idle_connection_of_http_2_is_closed_after_a_while() {
    let (upstream, gate) = Upstream::held().await;
    let edge = TestEdge::builder()
        .listen("keepalive_timeout = \"300ms\"")
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    let mut stream = raw_h2(&edge).await;
    stream.write_all(&h2_get(1)).await.unwrap();
    // It is not idle while its answer is awaited, however long.
    upstream.journal().await_hits(1).await;
    let mut bytes = Vec::new();
    let idle = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut bytes)).await;
    assert!(idle.is_err(), "{bytes:?}");
    gate.open();
    // TLS may be broken off too.
    let _ = within("its end", stream.read_to_end(&mut bytes)).await;
    assert_eq!(edge.accessed("/").await["status"], 200);
    // One that only pings is as idle.
    let mut stream = raw_h2(&edge).await;
    stream.write_all(&h2_get(1)).await.unwrap();
    within("its end", async {
        let (mut read, mut write) = tokio::io::split(stream);
        let pings = async {
            while write.write_all(&frames::frame(6, 0, 0, &[0; 8])).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let mut bytes = Vec::new();
        tokio::select! {
            _ = read.read_to_end(&mut bytes) => {}
            () = pings => {}
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_hear_that_its_connection_has_served_is_held_to_it() {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::builder()
        .listen("keepalive_timeout = \"300ms\"\nmax_requests_per_connection = 2")
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    // One that says nothing any more, not even to the edge's ping.
    let mut silent = raw_h2(&edge).await;
    silent.write_all(&[h2_get(1), h2_get(3)].concat()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = within("the end of the silent one", silent.read_to_end(&mut bytes)).await;
    assert_eq!(upstream.hits(), 2);
    // One that goes on asking.
    let (mut read, mut write) = tokio::io::split(raw_h2(&edge).await);
    let asks = async {
        for stream in (1..).step_by(2) {
            if write.write_all(&h2_get(stream)).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut bytes = Vec::new();
    within("the end of the other", async {
        tokio::select! {
            _ = read.read_to_end(&mut bytes) => {}
            () = asks => {}
        }
    })
    .await;
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let edge = edge("max_connections = 2").await;
    let one = edge.connect("app.test").await.unwrap();
    let _two = edge.connect("app.test").await.unwrap();
    let address = edge.https();
    let third = tokio::spawn(async move {
        let mut connection = Connection::tls(address, "app.test", &Tls::default())
            .await
            .unwrap();
        connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
        connection.answer().await.unwrap().status
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!third.is_finished());
    // Probes still get through.
    edge.admin_get("/healthz").await.expect(200);
    drop(one);
    assert_eq!(within("its turn", third).await.unwrap(), 200);
}

#[tokio::test]
async fn http_1_0_is_served_without_chunks() {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    connection
        .send("GET /old HTTP/1.0\r\nHost: app.test\r\n\r\n")
        .await
        .unwrap();
    let answer = connection.answer().await.unwrap().expect(200);
    assert_eq!(answer.header("transfer-encoding"), None);
    assert_eq!(answer.json()["uri"], "/old");
    // Nor is a body that comes in chunks, or without any length: it ends with the connection.
    for head in [
        "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "X: y\r\n\r\nok",
    ] {
        let upstream = Upstream::broken(format!("HTTP/1.1 200 OK\r\n{head}")).await;
        let route = Route::new("app")
            .to(&upstream)
            .line("compression = true")
            .unguarded();
        let edge = TestEdge::with(None, &[route]).await;
        for field in ["", "Connection: keep-alive\r\n", "Accept-Encoding: gzip\r\n"] {
            let mut connection = edge.connect("app.test").await.unwrap();
            let ask = format!("GET /old HTTP/1.0\r\nHost: app.test\r\n{field}\r\n");
            connection.send(ask).await.unwrap();
            let answer = connection.answer().await.unwrap().expect(200);
            assert_eq!(answer.header("transfer-encoding"), None);
            assert_eq!(answer.header("connection"), Some("close"));
            assert_eq!(answer.text(), "ok");
        }
    }
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let Some(world) = world() else { return };
    let mut connection = world.edge.connect("app.test").await.unwrap();
    for number in 0..30 {
        let request = format!("GET /page/{number} HTTP/1.1\r\nHost: app.test\r\nAccept: */*\r\n\r\n");
        connection.send(request).await.unwrap();
        let answer = connection.answer().await.unwrap().expect(200);
        assert_eq!(answer.json()["uri"], format!("/page/{number}"));
    }
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_no_way_in() {
    let Some(world) = world() else { return };
    let ask = Ask::get("/");
    let mut connection = Connection::plain(world.edge.https()).await.unwrap();
    connection.send(ask.bytes("app.test")).await.unwrap();
    let answer = connection.rest().await;
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    assert!(!world.echo.saw(&ask.probe));
}

#[tokio::test]
async fn requests_that_are_sent_at_once_are_answered_in_their_order() {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: app.test\r\n\r\n");
    let post = |path: &str| format!("POST {path} HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\na=b");
    let all = [get("/1"), post("/2"), get("/3"), post("/4")].concat();
    connection.send(all).await.unwrap();
    for (path, body) in [("/1", ""), ("/2", "a=b"), ("/3", ""), ("/4", "a=b")] {
        let answer = connection.answer().await.unwrap().expect(200).json();
        assert_eq!((&answer["uri"], &answer["body"]), (&path.into(), &body.into()));
    }
    // The same connection goes on.
    connection.send(get("/5")).await.unwrap();
    connection.answer().await.unwrap().expect(200);
    assert_eq!(upstream.hits(), 5);
}
