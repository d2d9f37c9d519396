//! The end: SIGTERM's way out.

use std::time::Duration;

use palisade_tests::harness::{
    Ask, Connection, Route, TestEdge, Tls, Upstream, Versions, eventually, polite, within,
};

#[tokio::test]
async fn requests_in_flight_finish_and_new_connections_are_refused() {
    let (upstream, gate) = Upstream::held().await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let https = edge.https();
    let in_flight: Vec<_> = [Versions::Http1, Versions::Http2]
        .into_iter()
        .flat_map(|versions| [versions; 5])
        .map(|versions| {
            tokio::spawn(polite::send(
                edge.client_of(versions).get("https://app.test/work"),
            ))
        })
        .collect();
    upstream.journal().await_hits(10).await;

    let stopping = tokio::spawn(edge.stop());
    eventually("new connections to be refused", || async {
        Connection::tls(https, "app.test", &Tls::default())
            .await
            .is_err()
            .then_some(())
    })
    .await;
    assert!(!stopping.is_finished(), "it waits for what is in flight");
    gate.open();
    for answer in in_flight {
        let answer = within("an answer in flight", answer).await.unwrap().expect(200);
        assert_eq!(answer.text(), "held and let go\n");
    }
    let files = within("the edge to stop", stopping).await.unwrap();
    let lines = files.access_log().lines();
    assert_eq!(
        lines.iter().filter(|line| line["status"] == 200).count(),
        10,
        "all are in the log"
    );
}

#[tokio::test]
async fn a_load_of_requests_loses_none_when_the_edge_stops() {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let mut clients = Vec::new();
    for versions in [Versions::Http1, Versions::Http2, Versions::Http1, Versions::Http2] {
        let client = edge.client_of(versions);
        clients.push(tokio::spawn(async move {
            let mut answered = 0;
            loop {
                match polite::try_send(client.get("https://app.test/")).await {
                    Ok(answer) => {
                        assert_eq!(answer.status, 200, "{}", answer.text());
                        answered += 1;
                    }
                    // Refused to connect: nothing was lost, the next edge would have taken it.
                    Err(error) if error.is_connect() => return answered,
                    Err(error) => panic!("lost after {answered}: {}", polite::chain(&error)),
                }
            }
        }));
    }
    upstream.journal().await_hits(50).await;
    edge.stop().await;
    for client in clients {
        assert!(within("a client", client).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn idle_connections_do_not_hold_the_edge_up() {
    let edge = TestEdge::builder()
        .server("grace = \"1h\"\nworkers = 2")
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    let mut idle = edge.connect("app.test").await.unwrap();
    idle.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
        .await
        .unwrap();
    idle.answer().await.unwrap().expect(200);
    let silent = edge.connect("app.test").await.unwrap();
    let h2 = edge.client_of(Versions::Http2);
    polite::send(h2.get("https://app.test/")).await.expect(200);

    edge.stop().await;
    assert!(idle.rest().await.is_empty());
    drop(silent);
}

#[tokio::test]
async fn grace_has_an_end() {
    let (upstream, _gate) = Upstream::held().await;
    let edge = TestEdge::builder()
        .server("grace = \"1s\"\nworkers = 2")
        .route(&Route::new("app").to(&upstream).unguarded())
        .start()
        .await;
    let client = edge.client();
    let waiting = tokio::spawn(async move { polite::try_send(client.get("https://app.test/")).await });
    upstream.journal().await_hits(1).await;
    // The upstream never answers: only the end of grace lets this return.
    edge.stop().await;
    waiting.abort();
}

#[tokio::test]
async fn what_is_being_read_in_a_drain_may_be_answered_for_a_while() {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    let ask = Ask::form("/", "0123456789");
    connection.send(ask.head("app.test")).await.unwrap();
    connection.send("01234").await.unwrap();
    upstream.journal().await_hits(1).await;
    let stopping = tokio::spawn(edge.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    connection.send("56789").await.unwrap();
    let answer = connection.answer().await.unwrap().expect(200);
    assert_eq!(answer.json()["body"], "0123456789");
    within("the edge to stop", stopping).await.unwrap();
}

#[tokio::test]
async fn whoever_asks_in_a_drain_hears_that_it_is_not_ready() {
    let (upstream, gate) = Upstream::held().await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    edge.admin_get("/readyz").await.expect(200);
    let (admin, client) = (edge.admin(), edge.client());
    let in_flight = tokio::spawn(polite::send(client.get("https://app.test/")));
    upstream.journal().await_hits(1).await;
    let stopping = tokio::spawn(edge.stop());
    eventually("the edge to be unready", || async {
        let mut connection = Connection::plain(admin).await.ok()?;
        connection.send(Ask::get("/readyz").bytes("admin")).await.ok()?;
        (connection.answer().await.ok()?.status == 503).then_some(())
    })
    .await;
    gate.open();
    within("the answer in flight", in_flight)
        .await
        .unwrap()
        .expect(200);
    within("the edge to stop", stopping).await.unwrap();
}
