//! What streams arrives at once: the test lets the upstream go on only after the client has what came before.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use palisade_tests::harness::{
    Ask, Backend, Connection, Route, TestEdge, Upstream, Versions, crs_rules, polite, within,
};

/// Edges to try: without the WAF, with it.
async fn edges() -> Vec<(
    &'static str,
    TestEdge,
    Upstream,
    palisade_tests::harness::upstream::Events,
)> {
    let mut edges = Vec::new();
    let (upstream, events) = Upstream::events().await;
    edges.push((
        "off",
        TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await,
        upstream,
        events,
    ));
    if let Some(rules) = crs_rules() {
        let (upstream, events) = Upstream::events().await;
        edges.push((
            "on",
            TestEdge::with(
                Some(rules),
                &[Route::new("app").to(&upstream).waf("inspect_responses = true")],
            )
            .await,
            upstream,
            events,
        ));
    }
    edges
}

async fn until(connection: &mut Connection, text: &mut String, wanted: &str) {
    while !text.contains(wanted) {
        let some = connection.some().await.unwrap();
        assert!(!some.is_empty(), "the answer ended: {text}");
        text.push_str(&String::from_utf8_lossy(&some));
    }
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_sent() {
    for (waf, edge, _upstream, events) in edges().await {
        let mut connection = edge.connect("app.test").await.unwrap();
        let ask = Ask::get("/events").header("Accept", "text/event-stream");
        connection.send(ask.bytes("app.test")).await.unwrap();
        let mut text = String::new();
        for number in 0..5 {
            let event = format!("event number {number}");
            events.send(&event);
            until(&mut connection, &mut text, &event).await;
        }
        assert!(text.starts_with("HTTP/1.1 200"), "WAF {waf}: {text}");
        assert!(
            text.to_lowercase().contains("content-type: text/event-stream"),
            "WAF {waf}: {text}"
        );
        drop(events);
        connection.rest().await;
    }
}

#[tokio::test]
async fn the_head_of_a_stream_arrives_before_its_first_event() {
    for (waf, edge, _upstream, events) in edges().await {
        let client = edge.client_of(Versions::Http2);
        let request = client
            .get("https://app.test/events")
            .header("accept", "text/event-stream");
        let mut response = within("the head", request.send()).await.unwrap();
        assert_eq!(response.status(), 200, "WAF {waf}");
        for number in 0..3 {
            events.send(&number.to_string());
            let chunk = within("an event", response.chunk()).await.unwrap().unwrap();
            assert_eq!(chunk, format!("data: {number}\n\n"), "WAF {waf}");
        }
        drop(events);
        while let Some(chunk) = within("the end", response.chunk()).await.unwrap() {
            assert!(chunk.is_empty(), "{chunk:?}");
        }
    }
}

#[tokio::test]
async fn a_download_of_another_type_streams_under_inspection() {
    let Some(rules) = crs_rules() else { return };
    let (upstream, events) = Upstream::events().await;
    let edge = TestEdge::with(
        Some(rules),
        &[Route::new("app").to(&upstream).waf("inspect_responses = true")],
    )
    .await;
    let request = edge.client_of(Versions::Http1).get("https://app.test/backup.tar");
    events.send_bytes(vec![7; 1000]);
    let mut response = within(
        "the head",
        request.header("x-answer-type", "application/x-tar").send(),
    )
    .await
    .unwrap();
    let mut count = 0;
    while count < 1000 {
        count += within("the first bytes", response.chunk())
            .await
            .unwrap()
            .unwrap()
            .len();
    }
    events.send_bytes(vec![7; 500]);
    drop(events);
    while let Some(chunk) = within("the rest", response.chunk()).await.unwrap() {
        count += chunk.len();
    }
    assert_eq!(count, 1500);
}

#[tokio::test]
async fn a_page_longer_than_the_limit_does_not_stall() {
    let Some(rules) = crs_rules() else { return };
    let (upstream, events) = Upstream::events().await;
    let route = Route::new("app")
        .to(&upstream)
        .waf("response_body_limit = \"4KiB\"");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    events.send_bytes("<p>one</p>".repeat(1000));
    let request = edge
        .client_of(Versions::Http1)
        .get("https://app.test/page")
        .header("x-answer-type", "text/html");
    // The upstream has not finished, and will not before the client has something.
    let mut response = within("the head", request.send()).await.unwrap();
    let mut count = within("the first bytes", response.chunk())
        .await
        .unwrap()
        .unwrap()
        .len();
    events.send_bytes("<p>two</p>");
    drop(events);
    while let Some(chunk) = within("the rest", response.chunk()).await.unwrap() {
        count += chunk.len();
    }
    assert_eq!(count, 10_010);
}

#[tokio::test]
async fn an_upstream_learns_that_its_reader_has_gone() {
    let (upstream, events) = Upstream::events().await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    connection
        .send(Ask::get("/events").bytes("app.test"))
        .await
        .unwrap();
    events.send("hello");
    let mut text = String::new();
    until(&mut connection, &mut text, "hello").await;
    drop(connection);
    // The stream's receiving end goes away with the connection to the upstream.
    within("the upstream to be told", async {
        while !events.is_closed() {
            events.try_send("anybody there?");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_a_large_download() {
    let body = vec![42_u8; 8 << 20];
    let upstream = Upstream::serve(palisade_tests::harness::upstream::answering(
        200,
        "application/zip",
        body.clone(),
    ))
    .await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    for versions in [Versions::Http1, Versions::Http2] {
        let request = edge.client_of(versions).get("https://app.test/big.zip");
        let mut response = within("the head", request.send()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let mut count = 0;
        while let Some(chunk) = within("a piece", response.chunk()).await.unwrap() {
            count += chunk.len();
        }
        assert_eq!(count, body.len());
    }
    let _ = polite::send(edge.client().get("https://app.test/big.zip"))
        .await
        .expect(200);
}

/// An upstream that answers one request with a head that has a length, and the body piece by piece.
struct Pieces(std::net::SocketAddr);

impl Backend for Pieces {
    fn backend(&self) -> String {
        format!("http://{}", self.0)
    }
}

#[tokio::test]
async fn each_piece_of_a_body_with_a_length_arrives_before_the_next_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Pieces(listener.local_addr().unwrap());
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
    let (mut socket, _) = listener.accept().await.unwrap();
    let _ = socket.read(&mut [0; 4096]).await.unwrap();
    let mut text = String::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-Last: yes\r\n\r\n";
    for (piece, shown) in [(head, "yes"), ("12345", "12345"), ("67890", "67890")] {
        socket.write_all(piece.as_bytes()).await.unwrap();
        within("a piece", until(&mut connection, &mut text, shown)).await;
    }
}
