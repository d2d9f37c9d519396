//! Connections to backends that are kept: how many, for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade_tests::harness::{Route, TestEdge, Versions, eventually, polite, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::{JoinHandle, JoinSet};

/// A backend that answers once so many requests are there, each on a connection of its own, and knows how many
/// connections it has.
async fn backend(together: usize) -> (String, Arc<AtomicUsize>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (open, all) = (Arc::<AtomicUsize>::default(), Arc::new(Barrier::new(together)));
    let counted = Arc::clone(&open);
    let serve = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let (open, all) = (Arc::clone(&counted), Arc::clone(&all));
            connections.spawn(async move {
                open.fetch_add(1, Ordering::SeqCst);
                let mut head = Vec::new();
                while stream.read_buf(&mut head).await.is_ok_and(|count| count > 0) {
                    if head.ends_with(b"\r\n\r\n") {
                        all.wait().await;
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                        stream.write_all(answer).await.ok();
                        head.clear();
                    }
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (url, open, serve)
}

async fn all_at_once(edge: &TestEdge, versions: Versions, count: usize) {
    let client = edge.client_of(versions);
    let asked: Vec<_> = (0..count)
        .map(|_| tokio::spawn(polite::send(client.get("https://app.test/"))))
        .collect();
    for request in asked {
        within("an answer", request).await.unwrap().expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_connections_are_kept_than_may_be() {
    let (url, open, serve) = backend(8).await;
    let route = Route::new("app")
        .to(&url.as_str())
        .unguarded()
        .and("[upstream]\nidle_connections = 2");
    let edge = TestEdge::with(None, &[route]).await;
    all_at_once(&edge, Versions::Both, 8).await;
    eventually("all but two connections to be closed", || async {
        (open.load(Ordering::SeqCst) <= 2).then_some(())
    })
    .await;
    serve.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_keep_no_more_together_however_many_they_are() {
    for kept in [1, 3, 6] {
        let (url, open, serve) = backend(8).await;
        let route = Route::new("app").to(&url.as_str()).unguarded();
        let edge = TestEdge::builder()
            .server("grace = \"10s\"\nworkers = 4")
            .route(&route.and(&format!("[upstream]\nidle_connections = {kept}")))
            .start()
            .await;
        // Each on a connection of its own, and so on any worker.
        all_at_once(&edge, Versions::Http1, 8).await;
        eventually(&format!("all but {kept} connections to be closed"), || async {
            (open.load(Ordering::SeqCst) <= kept).then_some(())
        })
        .await;
        serve.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_nobody_needs_is_closed_in_time() {
    let (url, open, serve) = backend(3).await;
    let route = Route::new("app")
        .to(&url.as_str())
        .line("keepalive_timeout = \"300ms\"")
        .unguarded();
    let edge = TestEdge::with(None, &[route]).await;
    all_at_once(&edge, Versions::Both, 3).await;
    eventually("all connections to be closed", || async {
        (open.load(Ordering::SeqCst) == 0).then_some(())
    })
    .await;
    serve.abort();
}
