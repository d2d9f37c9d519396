//! Fields behind a request's body: by policy forgotten or refused, and never passed on.

use bytes::Bytes;
use h2::client;
use http::{HeaderMap, Request};
use palisade_tests::harness::{Route, TestEdge, Tls, Upstream, crs_rules, tls_stream, within};

const CHUNKED: &str = "POST /h1 HTTP/1.1\r\nHost: app.test\r\nContent-Type: application/json\r\nUser-Agent: x\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n";

/// Over HTTP/1.1, head and all in one piece or the trailer by itself.
async fn http1(edge: &TestEdge, pieces: &[&str]) -> u16 {
    let mut connection = edge.connect("app.test").await.unwrap();
    for piece in pieces {
        connection.send(piece).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    connection.answer().await.unwrap().status
}

/// Over HTTP/2.
async fn http2(edge: &TestEdge, trailers: HeaderMap) -> u16 {
    let tls = Tls {
        alpn: vec!["h2"],
        ..Tls::default()
    };
    let stream = tls_stream(edge.https(), "app.test", &tls).await.unwrap();
    let (client, connection) = client::handshake(stream).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    let mut client = client.ready().await.unwrap();
    let request = Request::post("https://app.test/h2")
        .header("content-type", "application/json")
        .header("user-agent", "x")
        .header("accept", "*/*")
        .body(())
        .unwrap();
    let (answer, mut body) = client.send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(b"{}"), trailers.is_empty())
        .unwrap();
    if !trailers.is_empty() {
        body.send_trailers(trailers).unwrap();
    }
    within("an answer", answer).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn trailers_are_forgotten_or_refused_and_nobody_else_sees_them() {
    let rules = crs_rules();
    for guarded in [false, true] {
        if guarded && rules.is_none() {
            continue;
        }
        for (listen, status) in [
            ("", 200),
            ("trailers = \"drop\"", 200),
            ("trailers = \"reject\"", 400),
        ] {
            let upstream = Upstream::echo("app").await;
            let route = Route::new("app").to(&upstream);
            let route = if guarded { route } else { route.unguarded() };
            let builder = TestEdge::builder().listen(listen).route(&route);
            let edge = match &rules {
                Some(rules) if guarded => builder.rules(rules).start().await,
                _ => builder.start().await,
            };
            let what = format!("{listen} guarded: {guarded}");
            let whole = format!("{CHUNKED}0\r\nX-Sum: 42\r\n\r\n");
            assert_eq!(http1(&edge, &[&whole]).await, status, "{what}");
            let apart = http1(&edge, &[CHUNKED, "0\r\nX-Sum: 42\r\n\r\n"]).await;
            assert_eq!(apart, status, "{what}, apart");
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", "42".parse().unwrap());
            assert_eq!(http2(&edge, trailers).await, status, "{what}");
            // A body without any is none the worse for it.
            assert_eq!(http1(&edge, &[CHUNKED, "0\r\n\r\n"]).await, 200, "{what}");
            assert_eq!(http2(&edge, HeaderMap::new()).await, 200, "{what}");
            for seen in upstream.journal().requests() {
                assert!(!format!("{seen:?}").contains("x-sum"), "{seen:?}");
            }
        }
    }
}
