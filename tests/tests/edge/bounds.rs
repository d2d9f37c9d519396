//! How long bodies may be, and how long a request may take. Over h1 and h2.

use http::StatusCode;
use palisade_tests::harness::upstream::answering;
use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, Versions, crs_rules, within};

use crate::filters::{BOTH, send};

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let upstream = Upstream::echo("app").await;
    let mut edges = vec![(
        "off",
        TestEdge::with(
            None,
            &[Route::new("app")
                .to(&upstream)
                .line("max_request_body = \"64KiB\"")
                .unguarded()],
        )
        .await,
    )];
    if let Some(rules) = crs_rules() {
        let route = Route::new("app")
            .to(&upstream)
            .line("max_request_body = \"64KiB\"");
        edges.push(("on", TestEdge::with(Some(rules), &[route]).await));
    }
    for (waf, edge) in &edges {
        for versions in BOTH {
            let declared = Ask::post("/", "text/xml", vec![b'a'; 65 * 1024]).accept_json();
            let answer = send(edge, versions, "app.test", &declared).await.expect(413);
            assert_eq!(answer.json()["status"], 413, "WAF {waf}");
            assert!(!upstream.saw(&declared.probe));
            let fits = Ask::form("/", vec![b'a'; 64 * 1024]);
            send(edge, versions, "app.test", &fits).await.expect(200);
        }
        // Without a length it shows only on the way.
        let pieces = format!("ffff\r\n{}\r\n", "a".repeat(0xffff)).repeat(2);
        let chunked = Ask::form("/", "")
            .unmeasured(format!("{pieces}0\r\n\r\n"))
            .header("Transfer-Encoding", "chunked");
        edge.ask("app.test", &chunked).await.expect(413);
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_or_cut_off() {
    let (stream, events) = Upstream::events().await;
    let page = Upstream::serve(answering(200, "text/html", "a".repeat(2000))).await;
    let limit = "max_response_body = \"1KiB\"";
    let edge = TestEdge::builder()
        .route(&Route::new("page").to(&page).line(limit).unguarded())
        .route(&Route::new("stream").to(&stream).line(limit).unguarded())
        .start()
        .await;
    for versions in BOTH {
        send(&edge, versions, "page.test", &Ask::get("/"))
            .await
            .expect(502);
        let head = send(&edge, versions, "page.test", &Ask::new("HEAD", "/"))
            .await
            .expect(200);
        assert_eq!(head.header("content-length"), Some("2000"));
    }
    events.send_bytes(vec![1; 1000]);
    let request = edge.client_of(Versions::Http1).get("https://stream.test/");
    let mut response = within("the head", request.send()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let first = within("the first bytes", response.chunk())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.len(), 1000);
    events.send_bytes(vec![1; 1000]);
    let cut = within("the end", async {
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    })
    .await;
    assert!(cut, "a cut answer looks whole");
}

#[tokio::test]
async fn a_request_has_its_time() {
    let (held, _gate) = Upstream::held().await;
    let (stream, events) = Upstream::events().await;
    let quick = "request_timeout = \"300ms\"";
    let edge = TestEdge::builder()
        .route(&Route::new("held").to(&held).line(quick).unguarded())
        .route(
            &Route::new("stream")
                .to(&stream)
                .line("request_timeout = \"2s\"")
                .unguarded(),
        )
        .route(
            &Route::new("socket")
                .to(&Upstream::websocket().await)
                .line(quick)
                .unguarded(),
        )
        .start()
        .await;
    for versions in BOTH {
        for ask in [Ask::get("/"), Ask::form("/", "a=b")] {
            let answer = send(&edge, versions, "held.test", &ask.accept_json())
                .await
                .expect(504);
            assert_eq!(answer.json()["status"], 504);
        }
    }
    // An answer that has begun is broken off.
    events.send("one");
    let request = edge.client_of(Versions::Http2).get("https://stream.test/");
    let mut response = within("the head", request.send()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let ended = within("the end", async {
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                other => return other.is_err(),
            }
        }
    })
    .await;
    assert!(ended, "a broken answer looks whole");
}

#[tokio::test]
async fn a_websocket_outlives_the_time_of_a_request() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let upstream = Upstream::websocket().await;
    let filters = r#"request_timeout = "300ms"
compression = true
max_response_body = "1B"
rewrite = { path = "/socket" }
request_headers = { set = { "X-Set" = "edge" } }
response_headers = { set = { "X-Set" = "edge" } }
mirror = { backend = "http://127.0.0.1:9" }"#;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).line(filters).unguarded()]).await;
    let mut socket = edge.websocket("app.test", "/any").await.unwrap();
    for text in ["at once", "later"] {
        socket.send(Message::text(text)).await.unwrap();
        let back = within("an echo", socket.next()).await.unwrap().unwrap();
        assert_eq!(back, Message::text(text));
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    }
    let seen = &upstream.journal().requests()[0];
    assert_eq!(
        (seen.uri.as_str(), seen.header("x-set")),
        ("/socket", vec!["edge"])
    );
}
