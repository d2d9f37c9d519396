//! Copies of requests for another backend.

use palisade_tests::harness::upstream::answering;
use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, crs_rules, within};

use crate::filters::{BOTH, send};

#[tokio::test]
async fn copies_go_to_the_mirror_and_its_answers_nowhere() {
    let app = Upstream::echo("app").await;
    let mirror = Upstream::serve(answering(500, "text/plain", "never seen")).await;
    let mirrored = format!("mirror = {{ backend = {:?}, max_body = \"1KiB\" }}", mirror.url());
    let route = Route::new("app")
        .to(&app)
        .line(&mirrored)
        .line("rewrite = { prefix = \"/v2\" }")
        .unguarded();
    let mut edges = vec![TestEdge::with(None, &[route]).await];
    if let Some(rules) = crs_rules() {
        let route = Route::new("app")
            .to(&app)
            .line(&mirrored)
            .line("rewrite = { prefix = \"/v2\" }");
        edges.push(TestEdge::with(Some(rules), &[route]).await);
    }
    for edge in &edges {
        for versions in BOTH {
            let (get, post) = (Ask::get("/a?b"), Ask::form("/c", "name=value"));
            for ask in [&get, &post] {
                let before = (mirror.hits(), mirror.journal().body_bytes());
                let answer = send(edge, versions, "app.test", ask).await.expect(200);
                assert_eq!(answer.json()["upstream"], "app");
                mirror.journal().await_hits(before.0 + 1).await;
                let body = ask.body.as_ref().map_or(0, Vec::len) as u64;
                mirror.journal().await_body(before.1 + body).await;
            }
            let (one, other) = (
                mirror.journal().find(&post.probe),
                app.journal().find(&post.probe),
            );
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!((one.method.as_str(), one.uri.as_str()), ("POST", "/v2/c"));
            for name in [
                "host",
                "x-forwarded-for",
                "x-request-id",
                "content-type",
                "content-length",
            ] {
                assert_eq!(one.header(name), other.header(name), "{name}");
            }
            // Too long a body is left out, and counted.
            let long = Ask::form("/long", vec![b'a'; 2000]);
            send(edge, versions, "app.test", &long).await.expect(200);
            assert!(app.saw(&long.probe) && !mirror.saw(&long.probe));
        }
        let skipped = "palisade_mirrored_requests_total{route=\"app\",result=\"skipped\"}";
        edge.metric_is(skipped, 2.0).await;
    }
}

#[tokio::test]
async fn a_mirror_that_does_not_answer_delays_nobody() {
    let app = Upstream::echo("app").await;
    let (held, gate) = Upstream::held().await;
    let line = format!("mirror = {{ backend = {:?}, max_in_flight = 2 }}", held.url());
    let edge = TestEdge::with(None, &[Route::new("app").to(&app).line(&line).unguarded()]).await;
    for count in 1..=5 {
        edge.get("https://app.test/").await.expect(200);
        held.journal().await_hits(count.min(2)).await;
    }
    let series =
        |result: &str| format!("palisade_mirrored_requests_total{{route=\"app\",result=\"{result}\"}}");
    edge.metric_is(&series("skipped"), 3.0).await;
    gate.open();
    within("the copies", async {
        while edge.metric(&series("sent")).await < 2.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(held.hits(), 2);
}

#[tokio::test]
async fn copies_lack_what_the_mirror_is_not_to_have() {
    let (app, mirror) = (Upstream::echo("app").await, Upstream::echo("mirror").await);
    let line = format!(
        "mirror = {{ backend = {:?}, remove = [\"Cookie\", \"Authorization\"] }}",
        mirror.url()
    );
    let edge = TestEdge::with(None, &[Route::new("app").to(&app).line(&line).unguarded()]).await;
    let ask = Ask::get("/")
        .header("Cookie", "session=1")
        .header("Authorization", "Basic YTpi")
        .header("X-Other", "stays");
    edge.ask("app.test", &ask).await.expect(200);
    mirror.journal().await_hits(1).await;
    let (copy, request) = (
        mirror.journal().find(&ask.probe).unwrap(),
        app.journal().find(&ask.probe).unwrap(),
    );
    for name in ["cookie", "authorization"] {
        assert_eq!(request.header(name).len(), 1, "{name}");
        assert_eq!(copy.header(name), Vec::<&str>::new(), "{name}");
    }
    assert_eq!(copy.header("x-other"), ["stays"]);
}
