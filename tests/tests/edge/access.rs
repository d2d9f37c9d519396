//! Who may use a route and how often, and what its answers tell browsers.

use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, eventually};

#[tokio::test]
async fn whoever_asks_too_often_waits_and_is_told_how_long() {
    let upstream = Upstream::echo("app").await;
    let limit = "[[routes.rate_limits]]\nrequests = 2\nper = \"1h\"";
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded().and(limit)]).await;
    let ask = || Ask::get("/slow").accept_json();
    let first = edge.ask("app.test", &ask()).await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"default\";q=2;w=3600"));
    assert!(
        first
            .header("ratelimit")
            .unwrap()
            .starts_with("\"default\";r=1;t="),
        "{:?}",
        first.headers
    );
    edge.ask_h2("app.test", &ask()).await.expect(200);
    let refused = edge.ask("app.test", &ask()).await.expect(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1700..=1800).contains(&wait), "{wait}");
    assert!(
        refused
            .header("ratelimit")
            .unwrap()
            .starts_with("\"default\";r=0;t=")
    );
    edge.ask_h2("app.test", &ask()).await.expect(429);
    assert_eq!(upstream.hits(), 2);

    let line = edge
        .access_log()
        .line("a refusal", |line| line["status"] == 429)
        .await;
    assert_eq!(line["refused"], "rate_limit");
    eventually("the metric", || async {
        let series = "palisade_access_refusals_total{route=\"app\",reason=\"rate_limit\"}";
        (edge.metric(series).await == 2.0).then_some(())
    })
    .await;
    // A reload gives nobody back what is used up.
    edge.files().edit("grace = \"10s\"", "grace = \"11s\"");
    edge.reload().await.unwrap();
    edge.ask("app.test", &ask()).await.expect(429);
}

#[tokio::test]
async fn a_limit_for_logins_is_not_got_around_by_spelling_and_leaves_the_rest_alone() {
    let limit =
        "[[routes.rate_limits]]\nrequests = 1\nper = \"1h\"\npaths = [\"/login\"]\nmethods = [\"POST\"]";
    let edge = TestEdge::with(None, &[Route::new("app").unguarded().and(limit)]).await;
    edge.ask("app.test", &Ask::form("/login", "a=b"))
        .await
        .expect(200);
    for path in ["/login", "/%6Cogin", "//login", "/x/../login"] {
        let answer = edge.ask("app.test", &Ask::form(path, "a=b")).await;
        assert_ne!(answer.status, 200, "{path}");
    }
    edge.ask("app.test", &Ask::get("/login")).await.expect(200);
    edge.ask("app.test", &Ask::form("/other", "a=b"))
        .await
        .expect(200);
}

#[tokio::test]
async fn only_allowed_addresses_come_in_and_a_list_is_taken_over_when_it_changes() {
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .unguarded()
        .and("[routes.access]\nallow_files = [\"friends.txt\"]\ndeny = [\"203.0.113.0/24\"]");
    let edge = TestEdge::builder()
        .file("friends.txt", "# nobody yet\n192.0.2.0/24\n")
        .route(&route)
        .start()
        .await;
    let refused = edge
        .ask("app.test", &Ask::get("/a").accept_json())
        .await
        .expect(403);
    // It says no more than any other refusal.
    assert_eq!(
        refused.text(),
        "{\"status\":403,\"error\":\"This request was blocked\"}\n"
    );
    assert_eq!(edge.accessed("/a").await["refused"], "address");
    assert_eq!(upstream.hits(), 0);
    edge.files().write("friends.txt", "192.0.2.0/24\n127.0.0.1 me\n");
    eventually("the list", || async {
        let answer = edge.ask("app.test", &Ask::get("/b")).await;
        (answer.status == 200).then_some(())
    })
    .await;
    // A list that is none changes nothing and is told with its line.
    edge.files().write("friends.txt", "127.0.0.1\n<html>\n");
    let error = edge.reload().await.unwrap_err();
    assert!(error.contains("friends.txt:2:1"), "{error}");
    edge.ask("app.test", &Ask::get("/c")).await.expect(200);
}

#[tokio::test]
async fn answers_carry_the_security_headers_of_their_route() {
    let upstream = Upstream::echo("app").await;
    let plain = Route::new("plain").to(&upstream).unguarded();
    let own = Route::new("own")
        .to(&upstream)
        .unguarded()
        .and("[routes.security_headers]\nframes = \"nobody\"\n[routes.access]\ndeny = [\"127.0.0.1\"]");
    let edge = TestEdge::builder()
        .route(&plain)
        .route(&own)
        .and("[security_headers]\npreset = \"recommended\"")
        .start()
        .await;
    for (host, status, frames) in [("plain.test", 200, "SAMEORIGIN"), ("own.test", 403, "DENY")] {
        let answer = edge.ask(host, &Ask::get("/")).await.expect(status);
        assert_eq!(
            answer.header("strict-transport-security"),
            Some("max-age=31536000"),
            "{host}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{host}");
        assert_eq!(answer.header("x-frame-options"), Some(frames), "{host}");
    }
}
