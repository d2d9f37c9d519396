//! Connections that do not behave like most: too slow, too many, too old.

use std::time::Duration;

use palisade_tests::harness::{Ask, Connection, Route, TestEdge, Tls, Upstream, within, world};

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
