//! Threads that serve, each on its own: how connections spread over them, and what they have together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade_tests::harness::{Ask, Connection, Route, TestEdge, Tls, Upstream, eventually, polite, within};
use tokio::task::JoinSet;

const WORKERS: usize = 4;

/// Leaves the connection open.
const GET: &str = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

async fn edge(workers: usize, listen: &str, route: &Route) -> TestEdge {
    TestEdge::builder()
        .server(&format!("grace = \"10s\"\nworkers = {workers}"))
        .listen(listen)
        .route(route)
        .start()
        .await
}

/// The connections of each worker, once they are so many together.
async fn spread(edge: &TestEdge, connections: usize) -> Vec<usize> {
    eventually(&format!("{connections} connections"), || async {
        let text = edge.admin_get("/metrics").await.expect(200).text();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("palisade_worker_connections{"));
        let counts = lines.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap());
        let counts: Vec<usize> = counts.collect();
        (counts.iter().sum::<usize>() == connections).then_some(counts)
    })
    .await
}

#[tokio::test]
async fn connections_that_come_one_by_one_spread_over_all_workers() {
    let edge = edge(WORKERS, "", &Route::new("app").unguarded()).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(edge.connect("app.test").await.unwrap());
    }
    let counts = spread(&edge, 64).await;
    assert_eq!(counts.len(), WORKERS);
    assert!(counts.iter().all(|count| *count >= 8), "{counts:?}");
    for connection in &mut open {
        connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
        connection.answer().await.unwrap().expect(200);
    }
    drop(open);
    assert_eq!(spread(&edge, 0).await, [0; WORKERS]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_come_at_once_spread_over_all_workers() {
    let edge = edge(WORKERS, "", &Route::new("app").unguarded()).await;
    let address = edge.https();
    let mut opening = JoinSet::new();
    for _ in 0..64 {
        opening.spawn(async move { Connection::tls(address, "app.test", &Tls::default()).await });
    }
    let open: Vec<_> = within("64 connections", opening.join_all()).await;
    assert!(open.iter().all(Result::is_ok));
    let counts = spread(&edge, 64).await;
    assert!(counts.iter().all(|count| *count >= 4), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_workers_together_serve_no_more_connections_than_may_be() {
    const MOST: usize = 5;
    let edge = edge(
        WORKERS,
        &format!("max_connections = {MOST}"),
        &Route::new("app").unguarded(),
    )
    .await;
    let (address, open, most) = (
        edge.https(),
        Arc::<AtomicUsize>::default(),
        Arc::<AtomicUsize>::default(),
    );
    let mut clients = JoinSet::new();
    for _ in 0..40 {
        let (open, most) = (Arc::clone(&open), Arc::clone(&most));
        clients.spawn(async move {
            let mut connection = Connection::tls(address, "app.test", &Tls::default())
                .await
                .unwrap();
            most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            connection.send(GET).await.unwrap();
            connection.answer().await.unwrap().expect(200);
            // Before the edge can know that it is closed.
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
    within("all in their turn", clients.join_all()).await;
    assert!(most.load(Ordering::SeqCst) <= MOST, "{most:?}");
    // Exactly so many stay open, and one more waits.
    let mut held = Vec::new();
    for _ in 0..MOST {
        held.push(edge.connect("app.test").await.unwrap());
    }
    let one_more = tokio::spawn(async move {
        Connection::tls(address, "app.test", &Tls::default())
            .await
            .is_ok()
    });
    assert_eq!(spread(&edge, MOST).await.iter().sum::<usize>(), MOST);
    assert!(!one_more.is_finished());
    held.pop();
    assert!(within("its turn", one_more).await.unwrap());
}

#[tokio::test]
async fn a_reload_reaches_every_worker() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let edge = edge(WORKERS, "", &Route::new("app").to(&one).unguarded()).await;
    let mut open = Vec::new();
    for _ in 0..2 * WORKERS {
        let mut connection = edge.connect("app.test").await.unwrap();
        connection.send(GET).await.unwrap();
        assert_eq!(
            connection.answer().await.unwrap().expect(200).json()["upstream"],
            "one"
        );
        open.push(connection);
    }
    edge.files().edit(&one.url(), &two.url());
    edge.reload().await.unwrap();
    for connection in &mut open {
        connection.send(GET).await.unwrap();
        assert_eq!(
            connection.answer().await.unwrap().expect(200).json()["upstream"],
            "two"
        );
    }
    assert!(spread(&edge, open.len()).await.iter().all(|count| *count > 0));
    polite::send(edge.client().get("https://app.test/"))
        .await
        .expect(200);
}
