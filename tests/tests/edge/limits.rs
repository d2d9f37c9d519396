//! What a client may ask for, and how long it may take: deadlines and sizes.

use std::time::Duration;

use palisade_tests::harness::{Ask, Connection, Route, TestEdge, Upstream, within};

async fn edge(listen: &str) -> (TestEdge, Upstream) {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::builder()
        .listen(listen)
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    (edge, upstream)
}

/// Sends a part again and again until the edge has had enough; returns its answer.
async fn trickle(mut connection: Connection, part: &[u8]) -> String {
    within("the end of a trickle", async {
        loop {
            let gone = connection.send(part).await.is_err();
            let wait = Duration::from_millis(if gone { 10_000 } else { 40 });
            if let Ok(answer) = tokio::time::timeout(wait, connection.some()).await {
                return String::from_utf8_lossy(&answer.unwrap_or_default()).into_owned();
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_head_that_trickles_in_is_given_up_in_time() {
    let (edge, upstream) = edge("request_head_timeout = \"400ms\"").await;
    let mut connection = edge.connect("app.test").await.unwrap();
    connection
        .send("GET / HTTP/1.1\r\nHost: app.test\r\nX: ")
        .await
        .unwrap();
    let answer = trickle(connection, b"x").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // The same for a second request.
    let mut connection = edge.connect("app.test").await.unwrap();
    connection
        .send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
        .await
        .unwrap();
    connection.answer().await.unwrap().expect(200);
    connection.send("GET / HT").await.unwrap();
    let answer = trickle(connection, b"x").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // Who says nothing is told nothing.
    let mut connection = edge.connect("app.test").await.unwrap();
    assert!(connection.rest().await.is_empty());
    assert_eq!(upstream.hits(), 1);
    let refused = "palisade_listener_refusals_total{reason=\"head_timeout\"}";
    edge.metric_reaches(refused, 2.0).await;
}

#[tokio::test]
async fn a_body_that_trickles_in_is_given_up_in_time() {
    let listen = "request_body_rate = \"1MiB\"\nrequest_body_grace = \"400ms\"";
    let (edge, _upstream) = edge(listen).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    let head = "POST /slow HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000\r\n\r\n";
    connection.send(head).await.unwrap();
    let answer = trickle(connection, b"x").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let mut connection = edge.connect("app.test").await.unwrap();
    let head = "POST /slow HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.send(head).await.unwrap();
    let answer = trickle(connection, b"1\r\nx\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // gRPC is a conversation; but not over HTTP/1.1.
    let mut connection = edge.connect("app.test").await.unwrap();
    let head = "POST /call HTTP/1.1\r\nHost: app.test\r\nContent-Type: application/grpc\r\nContent-Length: 100000\r\n\r\n";
    connection.send(head).await.unwrap();
    let answer = trickle(connection, b"x").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn sizes_have_limits_over_both_protocols() {
    let (edge, upstream) = edge(
        "max_request_head = \"8KiB\"\nmax_request_headers = 30\nmax_request_target = \"1KiB\"\nmax_request_body = \"1KiB\"",
    )
    .await;
    let many = (0..40).fold(Ask::get("/"), |ask, at| ask.also(&format!("X-{at}"), "x"));
    for (ask, status) in [
        (Ask::get(format!("/{}", "x".repeat(2000))), 414),
        (Ask::get("/").header("X-Long", "x".repeat(10_000)), 431),
        (many, 431),
        (Ask::json("/", "x".repeat(2000)), 413),
        (Ask::json("/", "x".repeat(500)), 200),
    ] {
        edge.ask("app.test", &ask).await.expect(status);
        edge.ask_h2("app.test", &ask).await.expect(status);
    }
    let mut connection = edge.connect("app.test").await.unwrap();
    let chunk = format!("800\r\n{}\r\n0\r\n\r\n", "x".repeat(0x800));
    let head = "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.send(format!("{head}{chunk}")).await.unwrap();
    connection.answer().await.unwrap().expect(413);
    edge.ask("app.test", &Ask::get("/")).await.expect(200);
    assert!(upstream.hits() <= 4);
}

#[tokio::test]
async fn a_connection_serves_as_many_requests_as_allowed() {
    let (edge, upstream) = edge("max_requests_per_connection = 2").await;
    let mut connection = edge.connect("app.test").await.unwrap();
    for last in [false, true] {
        connection
            .send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            .await
            .unwrap();
        let answer = connection.answer().await.unwrap().expect(200);
        assert_eq!(answer.header("connection") == Some("close"), last);
    }
    assert!(connection.rest().await.is_empty());
    assert_eq!(upstream.hits(), 2);
    // An HTTP/2 client is asked to go, and loses nothing.
    let client = edge.client_of(palisade_tests::harness::Versions::Http2);
    for _ in 0..7 {
        palisade_tests::harness::polite::send(client.get("https://app.test/"))
            .await
            .expect(200);
    }
    edge.metric_reaches("palisade_connections_accepted_total", 4.0)
        .await;
}
