//! Clients that do not take their answers, or send in a trickle, over HTTP/1.1 and HTTP/2.

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use palisade_tests::harness::upstream::full;
use palisade_tests::harness::{Route, TestEdge, Tls, Upstream, eventually, tls_stream, within};
use palisade_tests::hostile::frames::{block, connection, data, frame, headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// More than any socket holds.
const LARGE: usize = 64 << 20;

async fn edge(listen: &str) -> (TestEdge, Upstream) {
    let upstream = Upstream::serve(|request, journal| async move {
        journal.request(&request.into_parts().0);
        hyper::Response::new(full(vec![b'x'; LARGE]))
    })
    .await;
    let edge = TestEdge::builder()
        .listen(listen)
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    (edge, upstream)
}

fn http2() -> Tls {
    Tls {
        alpn: vec!["h2"],
        ..Tls::default()
    }
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_given_up() {
    let (edge, _upstream) = edge("response_write_timeout = \"400ms\"").await;
    let mut connection = edge.connect("app.test").await.unwrap();
    let request = "GET /idle HTTP/1.1\r\nHost: app.test\r\n\r\n";
    connection.send(request).await.unwrap();
    // Nothing is read, and still it ends.
    let line = edge.accessed("/idle").await;
    assert_eq!(line["status"], 200);
    assert!(line["error"].as_str().unwrap().contains("Write"), "{line}");
    let rest = connection.rest().await;
    assert!(rest.len() < LARGE, "{}", rest.len());
    // Who takes it in time gets all of it, however long it takes as a whole.
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send(request.replace("/idle", "/slow")).await.unwrap();
    let mut taken = 0;
    while taken < LARGE {
        let some = connection.some().await.unwrap();
        assert!(!some.is_empty(), "broken off after {taken}");
        if taken / (8 << 20) != (taken + some.len()) / (8 << 20) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        taken += some.len();
    }
}

/// A client whose streams have no window; its connection runs in the background.
async fn without_window(edge: &TestEdge) -> SendRequest<Bytes> {
    let stream = tls_stream(edge.https(), "app.test", &http2()).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (client, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    client
}

#[tokio::test]
async fn nor_are_many_small_ones() {
    let upstream = Upstream::serve(|_, _| async { hyper::Response::new(full(vec![b'x'; 9000])) }).await;
    let edge = TestEdge::builder()
        .listen("response_write_timeout = \"400ms\"")
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    // Each is small enough to be written at once, until one is not.
    let stream = tls_stream(edge.https(), "app.test", &Tls::default())
        .await
        .unwrap();
    let (reader, mut writer) = tokio::io::split(stream);
    let request = b"GET /small HTTP/1.1\r\nHost: app.test\r\n\r\n";
    within("the edge to have had enough", async {
        while writer.write_all(request).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    eventually("the connection to be gone", || async {
        (edge.metric("palisade_connections").await <= 1.0).then_some(())
    })
    .await;
    drop(reader);
}

#[tokio::test]
async fn neither_is_one_for_which_http_2_gives_no_window() {
    let (edge, upstream) = edge("response_write_timeout = \"400ms\"").await;
    // The edge's own answers as well as a backend's.
    for (host, path, status) in [("app.test", "/window", 200), ("nobody.test", "/none", 404)] {
        let mut client = without_window(&edge).await.ready().await.unwrap();
        let request = Request::get(format!("https://{host}{path}")).body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let answer = within("a head", answer).await.unwrap();
        assert_eq!(answer.status(), status);
        let mut body = answer.into_body();
        let end = within("the end", body.data()).await;
        assert!(!matches!(end, Some(Ok(_))), "{end:?}");
        assert_eq!(edge.accessed(path).await["status"], status);
    }
    assert_eq!(upstream.hits(), 1);
    eventually("nothing to be held", || async {
        (edge.metric("palisade_connections").await <= 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_window_of_a_byte_at_a_time_has_its_bounds() {
    let (edge, _upstream) = edge("[listen.http2]\nmax_control_frames = 100").await;
    let mut stream = tls_stream(edge.https(), "app.test", &http2()).await.unwrap();
    let setting = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let get = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/bytes"),
        (":authority", "app.test"),
    ];
    let start = connection(&[setting, headers(1, true, &get)]);
    stream.write_all(&start).await.unwrap();
    let byte = frame(8, 0, 1, &[0, 0, 0, 1]);
    within("the end of a trickle", async {
        while stream.write_all(&byte).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let mut told = Vec::new();
    let _ = stream.read_to_end(&mut told).await;
    let calm = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0xb];
    assert!(
        told.ends_with(&calm),
        "{}",
        told[told.len().saturating_sub(40)..].escape_ascii()
    );
    let refused = "palisade_listener_refusals_total{reason=\"h2_window_updates\"}";
    edge.metric_is(refused, 1.0).await;
}

/// Sends a part again and again until the edge has said how it ends; all that it said.
async fn trickle(edge: &TestEdge, start: &[u8], part: &[u8]) -> Vec<u8> {
    let stream = tls_stream(edge.https(), "app.test", &http2()).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (start, part) = (start.to_vec(), part.to_vec());
    let sender = tokio::spawn(async move {
        if writer.write_all(&start).await.is_err() {
            return;
        }
        while writer.write_all(&part).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    });
    let mut told = Vec::new();
    within("the end of a trickle", async {
        let mut chunk = [0; 4096];
        loop {
            let count = reader.read(&mut chunk).await.unwrap_or(0);
            told.extend_from_slice(&chunk[..count]);
            let end = told.windows(3).any(|bytes| bytes == b"408") || told.contains(&0xb);
            if count == 0 || end {
                return;
            }
        }
    })
    .await;
    sender.abort();
    told
}

#[tokio::test]
async fn what_trickles_in_over_http_2_is_given_up_in_time() {
    let listen =
        "request_head_timeout = \"600ms\"\nrequest_body_rate = \"1MiB\"\nrequest_body_grace = \"600ms\"";
    // One that waits for the whole of a request.
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::builder()
        .listen(listen)
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    let post = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/body"),
        (":authority", "app.test"),
    ];
    // A field block whose next frame comes in a byte at a time: GOAWAY with ENHANCE_YOUR_CALM.
    let next = frame(9, 0, 1, &[0; 10_000]);
    let begun = connection(&[frame(1, 0, 1, &block(&post)), next[..9].to_vec()]);
    let told = trickle(&edge, &begun, &next[9..10]).await;
    assert!(told.ends_with(&[0, 0, 0, 0xb]), "{}", told.escape_ascii());
    let refused = "palisade_listener_refusals_total{reason=\"head_timeout\"}";
    edge.metric_is(refused, 1.0).await;
    // A body of a byte at a time: 408.
    let begun = connection(&[headers(1, false, &post)]);
    trickle(&edge, &begun, &data(1, false, b"x")).await;
    assert_eq!(edge.accessed("/body").await["status"], 408);
}
