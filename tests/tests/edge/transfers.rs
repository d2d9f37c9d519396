//! Big transfers pass in constant memory: both ways, HTTP/1.1 and HTTP/2, with the WAF and without.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use palisade_tests::harness::upstream::full;
use palisade_tests::harness::{EdgeProcess, Route, TestEdge, Upstream, Versions, crs_rules, polite, within};

const CHUNK: usize = 64 * 1024;
/// Each way, each time.
const BYTES: usize = 128 << 20;
/// What buffers, pools and the allocator may take.
const GROWTH_KIB: u64 = 48 * 1024;

async fn upstream() -> Upstream {
    Upstream::serve(|request, journal| async move {
        let (parts, mut body) = request.into_parts();
        journal.request(&parts);
        if parts.method == "GET" {
            let chunks = stream::iter(0..BYTES / CHUNK);
            let frames = chunks.map(|_| Ok(Frame::data(Bytes::from(vec![b'a'; CHUNK]))));
            let answer = Response::builder().header("content-type", "text/html");
            return answer.body(StreamBody::new(frames).boxed_unsync()).unwrap();
        }
        let mut count = 0;
        while let Some(Ok(frame)) = body.frame().await {
            count += frame.data_ref().map_or(0, Bytes::len);
        }
        Response::new(full(count.to_string()))
    })
    .await
}

async fn download(client: &reqwest::Client, url: &str) -> usize {
    let mut answer = within("a head", client.get(url).send()).await.unwrap();
    let mut count = 0;
    while let Some(chunk) = within("a chunk", answer.chunk()).await.unwrap() {
        count += chunk.len();
    }
    count
}

async fn upload(client: &reqwest::Client, url: &str) -> String {
    let chunk = |_| Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![b'a'; CHUNK])));
    let body = StreamBody::new(stream::iter(0..BYTES / CHUNK).map(chunk));
    let upload = client
        .post(url)
        .header("content-type", "application/octet-stream")
        .body(reqwest::Body::wrap(body));
    let sent = within("an answer", upload.send()).await.unwrap();
    assert_eq!(sent.status(), 200, "{url}");
    within("its body", sent.text()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn big_transfers_pass_in_constant_memory() {
    let upstream = upstream().await;
    let h2c = format!("h2c://{}", upstream.address());
    let mut routes = vec![
        Route::new("one").to(&upstream).unguarded(),
        Route::new("two").to(&h2c.as_str()).unguarded(),
    ];
    // HTTP/1.1 at both ends, and HTTP/2.
    let mut ways = vec![("one", Versions::Http1), ("two", Versions::Http2)];
    let rules = crs_rules();
    if rules.is_some() {
        // The beginning of both bodies is inspected: past that they stream.
        let guarded = |route: Route| {
            route
                .waf("request_body_limit_action = \"inspect-partial\"")
                .waf("request_body_limit = \"1MiB\"")
                .waf("inspect_responses = true")
                .waf("allowed_content_types = [\"application/octet-stream\"]")
        };
        routes.push(guarded(Route::new("guarded-one").to(&upstream)));
        routes.push(guarded(Route::new("guarded-two").to(&h2c.as_str())));
        ways.push(("guarded-one", Versions::Http1));
        ways.push(("guarded-two", Versions::Http2));
    }
    let builder = routes
        .iter()
        .fold(TestEdge::builder(), |builder, route| builder.route(route));
    let files = match rules {
        Some(rules) => builder.rules(rules).write(),
        None => builder.write(),
    };
    let process = EdgeProcess::start(&files);
    let address = process.https().await;
    let clients: Vec<_> = ways
        .into_iter()
        .map(|(host, versions)| (host, polite::client(&files.ca, address, versions)))
        .collect();
    for (host, client) in &clients {
        let warm = client
            .post(format!("https://{host}.test/"))
            .header("content-type", "application/octet-stream")
            .body("warm");
        polite::send(warm).await.expect(200);
    }
    let before = process.resident();
    for (host, client) in &clients {
        let url = format!("https://{host}.test/");
        assert_eq!(download(client, &url).await, BYTES, "{host}");
        assert_eq!(upload(client, &url).await, BYTES.to_string(), "{host}");
        let growth = process.resident().saturating_sub(before);
        assert!(growth < GROWTH_KIB, "{host}: {growth} KiB more than before");
    }
}
