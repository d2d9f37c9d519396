//! Big transfers pass in constant memory.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use palisade_tests::harness::upstream::full;
use palisade_tests::harness::{EdgeProcess, Route, TestEdge, Upstream, Versions, polite, within};

const CHUNK: usize = 64 * 1024;
/// Each way, with each version.
const BYTES: usize = 128 << 20;
/// What buffers, pools and the allocator may take.
const GROWTH_KIB: u64 = 48 * 1024;

async fn upstream() -> Upstream {
    Upstream::serve(|request, journal| async move {
        let (parts, mut body) = request.into_parts();
        journal.request(&parts);
        if parts.method == "GET" {
            let chunks = stream::iter(0..BYTES / CHUNK);
            let frames = chunks.map(|_| Ok(Frame::data(Bytes::from(vec![7; CHUNK]))));
            return Response::new(StreamBody::new(frames).boxed_unsync());
        }
        let mut count = 0;
        while let Some(Ok(frame)) = body.frame().await {
            count += frame.data_ref().map_or(0, Bytes::len);
        }
        Response::new(full(count.to_string()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn big_transfers_pass_in_constant_memory() {
    let upstream = upstream().await;
    let h2c = format!("h2c://{}", upstream.address());
    let routes = [
        Route::new("one").to(&upstream).unguarded(),
        Route::new("two").to(&h2c.as_str()).unguarded(),
    ];
    let builder = routes
        .iter()
        .fold(TestEdge::builder(), |builder, route| builder.route(route));
    let files = builder.write();
    let process = EdgeProcess::start(&files);
    let address = process.https().await;
    // HTTP/1.1 at both ends, and HTTP/2.
    let ways = [("one", Versions::Http1), ("two", Versions::Http2)];
    let clients = ways.map(|(host, versions)| (host, polite::client(&files.ca, address, versions)));
    for (host, client) in &clients {
        let url = format!("https://{host}.test/");
        polite::send(client.post(url).body("warm")).await.expect(200);
    }
    let before = process.resident();
    for (host, client) in &clients {
        let url = format!("https://{host}.test/");
        let mut answer = within("a head", client.get(&url).send()).await.unwrap();
        let mut count = 0;
        while let Some(chunk) = within("a chunk", answer.chunk()).await.unwrap() {
            count += chunk.len();
        }
        assert_eq!(count, BYTES);
        let chunk = |_| Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![7; CHUNK])));
        let body = StreamBody::new(stream::iter(0..BYTES / CHUNK).map(chunk));
        let upload = client.post(&url).body(reqwest::Body::wrap(body));
        assert_eq!(polite::send(upload).await.expect(200).text(), BYTES.to_string());
        let growth = process.resident().saturating_sub(before);
        assert!(growth < GROWTH_KIB, "{host}: {growth} KiB more than before");
    }
}
