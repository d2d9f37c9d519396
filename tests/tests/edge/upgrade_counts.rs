//! Counters and histograms over upgrades: one edge, as a Prometheus sees it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use palisade_tests::harness::{
    Ask, Connection, EdgeFiles, EdgeProcess, Route, Scraper, TestEdge, Tls, Upstream, Versions, eventually,
    polite, scrape, within,
};

/// An edge's folder, and its admin listener's address.
fn files(upstream: &Upstream) -> (EdgeFiles, SocketAddr) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = free.local_addr().unwrap();
    let files = TestEdge::builder()
        .server("grace = \"20s\"\ndrain_delay = \"1s\"\nworkers = 2")
        .listen(&format!("admin = \"{admin}\""))
        .route(&Route::new("app").to(upstream).unguarded())
        .write();
    (files, admin)
}

async fn says(process: &EdgeProcess, what: &str) {
    eventually(&format!("the process to say {what:?}"), || async {
        process.output().contains(what).then_some(())
    })
    .await;
}

async fn get(address: SocketAddr) -> u16 {
    let mut connection = Connection::tls(address, "app.test", &Tls::default())
        .await
        .unwrap();
    connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
    connection.answer().await.unwrap().status
}

const ANSWERED: &str = "palisade_requests_total{route=\"app\",code=\"200\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_exact_and_never_go_back() {
    let upstream = Upstream::echo("app").await;
    let (files, admin) = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    let scraper = Scraper::start(admin);
    let done = Arc::new(AtomicBool::new(false));
    let clients = [Versions::Http1, Versions::Http2].map(|versions| {
        let (client, done) = (polite::client(&files.ca, address, versions), Arc::clone(&done));
        tokio::spawn(async move {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = polite::try_send(client.get("https://app.test/")).await.unwrap();
                assert_eq!(answer.status, 200);
                answered += 1;
            }
            answered
        })
    });
    for _ in 0..3 {
        let successor = EdgeProcess::upgrade(&files);
        says(&successor, "\"serving\"").await;
        assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
        process = successor;
    }
    done.store(true, Ordering::Relaxed);
    let mut answered = 0.0;
    for client in clients {
        answered += f64::from(within("a client", client).await.unwrap());
    }
    let counted = eventually("the last request to be counted", || async {
        let counted = scrape(admin).await;
        (counted[ANSWERED] >= answered).then_some(counted)
    })
    .await;
    let route = "route=\"app\"";
    for (series, wanted) in [
        (ANSWERED, answered),
        (
            &format!("palisade_request_duration_seconds_count{{{route}}}"),
            answered,
        ),
        (
            &format!("palisade_request_duration_seconds_bucket{{le=\"+Inf\",{route}}}"),
            answered,
        ),
        ("palisade_config_reloads_total{result=\"success\"}", 4.0),
    ] {
        assert_eq!(counted.get(series), Some(&wanted), "{series}");
    }
    assert!(scraper.stop().await > 10);
}

#[tokio::test]
async fn what_is_in_flight_over_two_upgrades_is_counted_by_whoever_serves() {
    let (upstream, gate) = Upstream::held().await;
    let (files, admin) = files(&upstream);
    let mut first = EdgeProcess::start(&files);
    let address = first.https().await;
    let in_flight = tokio::spawn(get(address));
    upstream.journal().await_hits(1).await;
    let mut second = EdgeProcess::upgrade(&files);
    says(&second, "counts go on").await;
    let third = EdgeProcess::upgrade(&files);
    says(&third, "counts go on").await;
    // The one in the middle is gone before the first has anything to tell.
    assert_eq!(second.ended().await.code(), Some(0), "{}", second.output());
    assert_eq!(scrape(admin).await.get(ANSWERED), None);
    gate.open();
    assert_eq!(within("the answer in flight", in_flight).await.unwrap(), 200);
    assert_eq!(first.ended().await.code(), Some(0), "{}", first.output());
    assert_eq!(scrape(admin).await[ANSWERED], 1.0, "{}", first.output());
    assert!(
        first
            .output()
            .contains("what was counted while draining is handed over"),
        "{}",
        first.output()
    );
}

#[tokio::test]
async fn a_process_that_is_killed_while_it_drains_loses_what_it_counted_since() {
    let (upstream, gate) = Upstream::held().await;
    let (files, admin) = files(&upstream);
    let first = EdgeProcess::start(&files);
    let address = first.https().await;
    let before = tokio::spawn(get(address));
    upstream.journal().await_hits(1).await;
    gate.open();
    assert_eq!(before.await.unwrap(), 200);
    eventually("the request to be counted", || async {
        scrape(admin).await.contains_key(ANSWERED).then_some(())
    })
    .await;
    let second = EdgeProcess::upgrade(&files);
    says(&second, "counts go on").await;
    drop(first);
    assert_eq!(scrape(admin).await[ANSWERED], 1.0);
    assert_eq!(get(address).await, 200);
    eventually("the next one", || async {
        (scrape(admin).await[ANSWERED] == 2.0).then_some(())
    })
    .await;
}
