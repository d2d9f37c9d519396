//! gRPC through the edge: unary and every kind of stream, trailers, with the WAF on.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Frame, Incoming};
use palisade_tests::harness::upstream::{Body, Journal};
use palisade_tests::harness::{Route, TestCa, TestEdge, Tls, Upstream, crs_rules, tls_stream, within};
use tokio::sync::mpsc;

/// A message as gRPC frames it: not compressed, its length, itself.
fn message(text: &str) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(text.len() as u32);
    bytes.put_slice(text.as_bytes());
    bytes.freeze()
}

fn trailers(status: &'static str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(status));
    trailers.insert("grpc-message", HeaderValue::from_static("so it is"));
    trailers
}

/// Each message comes back at once; `/fail` fails without one, `/many` answers with three.
async fn serve(request: Request<Incoming>, journal: Journal) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    journal.request(&parts);
    let answer = Response::builder().header("content-type", "application/grpc");
    if parts.uri.path() == "/fail" {
        let answer = answer
            .header("grpc-status", "5")
            .header("grpc-message", "no such thing");
        return answer
            .body(
                http_body_util::Empty::new()
                    .map_err(|never| match never {})
                    .boxed_unsync(),
            )
            .unwrap();
    }
    let many = parts.uri.path() == "/many";
    let (sender, receiver) = mpsc::channel::<Frame<Bytes>>(4);
    tokio::spawn(async move {
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            journal.body(data.len());
            let times = if many { 3 } else { 1 };
            for _ in 0..times {
                sender.send(Frame::data(data.clone())).await.ok();
            }
        }
        sender.send(Frame::trailers(trailers("0"))).await.ok();
    });
    let frames = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|frame| (Ok(frame), receiver))
    });
    answer.body(StreamBody::new(frames).boxed_unsync()).unwrap()
}

/// A call under way.
struct Call {
    send: h2::SendStream<Bytes>,
    answer: h2::client::ResponseFuture,
}

async fn connect(edge: &TestEdge, host: &str) -> SendRequest<Bytes> {
    let tls = Tls {
        alpn: vec!["h2"],
        ..Tls::default()
    };
    let stream = tls_stream(edge.https(), host, &tls).await.unwrap();
    let (client, connection) = within("a handshake", h2::client::handshake(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

async fn call(client: &SendRequest<Bytes>, host: &str, method: &str) -> Call {
    let mut client = within("a stream", client.clone().ready()).await.unwrap();
    let request = Request::post(format!("https://{host}/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "grpc-rust/1.0")
        .header("accept", "*/*")
        .body(())
        .unwrap();
    let (answer, send) = client.send_request(request, false).unwrap();
    Call { send, answer }
}

async fn next(body: &mut h2::RecvStream) -> Option<Bytes> {
    let data = within("a message", body.data()).await?.unwrap();
    body.flow_control().release_capacity(data.len()).unwrap();
    Some(data)
}

async fn rest(body: &mut h2::RecvStream) -> (Vec<u8>, HeaderMap) {
    let mut bytes = Vec::new();
    while let Some(data) = next(body).await {
        bytes.extend_from_slice(&data);
    }
    let trailers = within("trailers", body.trailers()).await.unwrap();
    (bytes, trailers.unwrap_or_default())
}

async fn every_kind_works(edge: &TestEdge, host: &str) {
    let client = connect(edge, host).await;
    // Unary.
    let mut unary = call(&client, host, "unary").await;
    unary.send.send_data(message("one"), true).unwrap();
    let answer = within("an answer", unary.answer).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    let (bytes, told) = rest(&mut answer.into_body()).await;
    assert_eq!(bytes, message("one"));
    assert_eq!(told["grpc-status"], "0");
    assert_eq!(told["grpc-message"], "so it is");
    // The server streams.
    let mut many = call(&client, host, "many").await;
    many.send.send_data(message("m"), true).unwrap();
    let (bytes, told) = rest(&mut within("an answer", many.answer).await.unwrap().into_body()).await;
    assert_eq!(bytes, [message("m"), message("m"), message("m")].concat());
    assert_eq!(told["grpc-status"], "0");
    // The client streams, and both: each message is answered before the next is sent.
    let mut both = call(&client, host, "both").await;
    both.send.send_data(message("first"), false).unwrap();
    let mut body = within("an answer before the end of the request", both.answer)
        .await
        .unwrap()
        .into_body();
    assert_eq!(next(&mut body).await.unwrap(), message("first"));
    for number in 0..20 {
        let text = format!("number {number}");
        both.send.send_data(message(&text), false).unwrap();
        assert_eq!(next(&mut body).await.unwrap(), message(&text));
    }
    both.send.send_data(Bytes::new(), true).unwrap();
    let (bytes, told) = rest(&mut body).await;
    assert!(bytes.is_empty());
    assert_eq!(told["grpc-status"], "0");
    // A failure without a message.
    let mut fail = call(&client, host, "fail").await;
    fail.send.send_data(message("x"), true).unwrap();
    let answer = within("an answer", fail.answer).await.unwrap();
    assert_eq!(answer.headers()["grpc-status"], "5");
}

#[tokio::test]
async fn every_kind_of_call_works_without_the_waf() {
    let upstream = Upstream::serve(serve).await;
    let url = format!("h2c://{}", upstream.address());
    let edge = TestEdge::with(None, &[Route::new("app").to(&url.as_str()).unguarded()]).await;
    every_kind_works(&edge, "app.test").await;
    let seen = upstream.journal().requests().remove(0);
    assert_eq!(seen.header("te"), ["trailers"]);
}

#[tokio::test]
async fn every_kind_of_call_works_with_the_waf_where_grpc_is_allowed() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::serve(serve).await;
    let url = format!("h2c://{}", upstream.address());
    let allowed = "allowed_content_types = [\"application/grpc\"]";
    let routes = [
        Route::new("app")
            .to(&url.as_str())
            .waf(allowed)
            .waf("inspect_responses = true"),
        Route::new("other").to(&url.as_str()),
    ];
    let edge = TestEdge::with(Some(rules), &routes).await;
    every_kind_works(&edge, "app.test").await;
    edge.metric_reaches("palisade_waf_partial_inspections_total{route=\"app\"}", 4.0)
        .await;
    // An attack in the head is an attack.
    let client = connect(&edge, "app.test").await;
    let before = upstream.hits();
    let mut attack = call(
        &client,
        "app.test",
        "unary?q=1'%20UNION%20SELECT%20password%20FROM%20users--",
    )
    .await;
    attack.send.send_data(message("x"), true).ok();
    assert_eq!(within("an answer", attack.answer).await.unwrap().status(), 403);
    // Where it is not allowed, claiming to be gRPC is no way around the inspection of a body.
    let client = connect(&edge, "other.test").await;
    let mut claims = call(&client, "other.test", "unary").await;
    claims
        .send
        .send_data(message("<script>alert(1)</script>"), true)
        .ok();
    assert_eq!(within("an answer", claims.answer).await.unwrap().status(), 403);
    assert_eq!(upstream.hits(), before);
}

#[tokio::test]
async fn a_backend_over_tls_is_spoken_to_in_http2_for_grpc() {
    let ca = TestCa::new();
    let upstream = Upstream::echo_over_tls("app", &ca.issue(&["backend.internal"])).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    let tls = format!("tls = {{ ca = {path:?}, server_name = \"backend.internal\" }}");
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).line(&tls).unguarded()]).await;
    let client = connect(&edge, "app.test").await;
    let mut asked = call(&client, "app.test", "x").await;
    asked.send.send_data(message("x"), true).unwrap();
    let (body, _) = rest(&mut within("an answer", asked.answer).await.unwrap().into_body()).await;
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["version"], "HTTP/2.0");
}
