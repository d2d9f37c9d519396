//! What an operator sees: the access log, the metrics, the admin listener.

use std::collections::BTreeSet;

use palisade_tests::harness::{
    Ask, Route, TestEdge, Upstream, Versions, crs_rules, polite, workspace, world,
};

#[tokio::test]
async fn the_access_log_has_a_line_of_json_for_every_request() {
    let Some(world) = world() else { return };
    let ask = Ask::form("/logged/here?secret=s3cr3t", "user=jane&note=hello");
    let answer = world.edge.ask("app.test", &ask).await.expect(200);
    let line = world.edge.accessed("/logged/here").await;
    for (key, value) in [
        ("client", "127.0.0.1"),
        ("protocol", "h1"),
        ("method", "POST"),
        ("host", "app.test"),
        ("route", "app"),
        ("waf", "passed"),
    ] {
        assert!(line[key].as_str().unwrap().starts_with(value), "{key}: {line}");
    }
    assert_eq!(line["upstream"], world.echo.address().to_string());
    assert_eq!(line["status"], 200);
    assert_eq!(line["score"], 0);
    assert_eq!(line["bytes_received"], ask.body.as_ref().unwrap().len());
    assert_eq!(line["bytes_sent"], answer.body.len());
    assert!(line["tls"].as_str().unwrap().contains("1.3"), "{line}");
    assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
    for duration in ["duration_ms", "waf_ms", "upstream_ms"] {
        assert!(line[duration].as_f64().unwrap() >= 0.0, "{duration}: {line}");
    }
    assert_eq!(line["request_id"], answer.echoed("x-request-id")[0]);
    assert!(line["incident"].is_null(), "{line}");
    assert!(!line.to_string().contains("s3cr3t"), "{line}");
}

#[tokio::test]
async fn the_access_log_tells_refusals_apart() {
    let Some(world) = world() else { return };
    let blocked = world
        .edge
        .ask(
            "app.test",
            &Ask::get("/refused?id=1'%20or%20'1'='1'--").accept_json(),
        )
        .await;
    let line = world.edge.accessed("/refused").await;
    assert_eq!(
        (&line["status"], &line["waf"]),
        (&403.into(), &"blocked".into()),
        "{line}"
    );
    assert_eq!(line["incident"], blocked.incident());
    assert!(
        line["score"].as_u64().unwrap() >= 5 && line["upstream"].is_null(),
        "{line}"
    );

    world
        .edge
        .ask(
            "app.test",
            &Ask::get("/nobody-home").header("Host", "nobody.test"),
        )
        .await
        .expect(404);
    let line = world.edge.accessed("/nobody-home").await;
    assert_eq!(
        (&line["status"], &line["host"]),
        (&404.into(), &"nobody.test".into()),
        "{line}"
    );
    assert!(line["route"].is_null(), "{line}");

    world
        .edge
        .ask_h2("app.test", &Ask::get("/over-h2"))
        .await
        .expect(200);
    assert_eq!(world.edge.accessed("/over-h2").await["protocol"], "h2");
}

#[tokio::test]
async fn nobody_can_write_lines_into_the_log() {
    let Some(world) = world() else { return };
    let ask = Ask::get("/x%0a%7b%22forged%22:true%7d").header("User-Agent", "a\"b\\c");
    world.edge.ask("app.test", &ask).await;
    world.edge.ask("app.test", &Ask::get("/after-the-forgery")).await;
    world.edge.accessed("/after-the-forgery").await;
    assert!(
        world
            .edge
            .access_log()
            .lines()
            .iter()
            .all(|line| line["forged"].is_null() && line["time"].is_string())
    );
}

#[tokio::test]
async fn a_failure_of_the_backend_is_in_the_log() {
    let upstream = Upstream::broken("nonsense\r\n\r\n").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    edge.get("https://app.test/broken").await.expect(502);
    let line = edge.accessed("/broken").await;
    assert_eq!(line["status"], 502);
    assert!(!line["error"].as_str().unwrap().is_empty(), "{line}");
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let Some(rules) = crs_rules() else { return };
    let (upstream, watched) = (Upstream::echo("app").await, Upstream::echo("watched").await);
    let watch = Route::new("watched")
        .to(&watched)
        .waf("mode = \"detection-only\"");
    let edge = TestEdge::with(Some(rules), &[Route::new("app").to(&upstream), watch]).await;
    let client = edge.client_of(Versions::Http1);
    for _ in 0..3 {
        polite::send(polite::request(&client, "app.test", &Ask::get("/")))
            .await
            .expect(200);
    }
    let attack = Ask::get("/?id=1%27%20or%20%271%27=%271%27--");
    polite::send(polite::request(&client, "app.test", &attack))
        .await
        .expect(403);
    polite::send(polite::request(&client, "watched.test", &attack))
        .await
        .expect(200);
    polite::send(polite::request(&client, "nobody.test", &Ask::get("/")))
        .await
        .expect(404);
    edge.access_log()
        .line("the last", |line| line["status"] == 404)
        .await;
    for (series, value) in [
        ("palisade_requests_total{route=\"app\",code=\"200\"}", 3.0),
        ("palisade_requests_total{route=\"app\",code=\"403\"}", 1.0),
        ("palisade_requests_total{route=\"watched\",code=\"200\"}", 1.0),
        ("palisade_requests_total{route=\"\",code=\"404\"}", 1.0),
        (
            "palisade_waf_verdicts_total{route=\"app\",outcome=\"passed\"}",
            3.0,
        ),
        (
            "palisade_waf_verdicts_total{route=\"app\",outcome=\"blocked\"}",
            1.0,
        ),
        (
            "palisade_waf_verdicts_total{route=\"watched\",outcome=\"detected\"}",
            1.0,
        ),
        ("palisade_request_duration_seconds_count{route=\"app\"}", 4.0),
        ("palisade_inspection_body_bytes", 0.0),
    ] {
        edge.metric_is(series, value).await;
    }
    edge.metric_reaches("palisade_connections_accepted_total", 3.0)
        .await;
}

#[tokio::test]
async fn every_metric_is_documented() {
    let Some(world) = world() else { return };
    world.edge.ask("app.test", &Ask::get("/")).await.expect(200);
    let text = world.edge.admin_get("/metrics").await.expect(200).text();
    let documented = std::fs::read_to_string(workspace().join("docs/metrics.md")).unwrap();
    let help = text.lines().filter_map(|line| line.strip_prefix("# HELP "));
    let families: BTreeSet<&str> = help.filter_map(|line| line.split(' ').next()).collect();
    assert!(families.len() > 5, "{text}");
    for family in &families {
        assert!(documented.contains(family), "{family} is not in docs/metrics.md");
    }
}

#[tokio::test]
async fn health_and_metrics_are_on_the_admin_listener_only() {
    let Some(world) = world() else { return };
    world.edge.admin_get("/healthz").await.expect(200);
    world.edge.admin_get("/readyz").await.expect(200);
    let metrics = world.edge.admin_get("/metrics").await.expect(200);
    assert!(metrics.text().contains("palisade_"), "{}", metrics.text());
    world.edge.admin_get("/anything-else").await.expect(404);
    for path in ["/healthz", "/readyz", "/metrics"] {
        // On a public address these are paths of the application.
        let ask = Ask::get(path);
        let answer = world.edge.ask("app.test", &ask).await.expect(200);
        assert_eq!(answer.json()["upstream"], "echo");
        world
            .edge
            .ask("app.test", &Ask::get(path).header("Host", "nobody.test"))
            .await
            .expect(404);
        let mut plain = palisade_tests::harness::Connection::plain(world.edge.http())
            .await
            .unwrap();
        plain.send(Ask::get(path).bytes("app.test")).await.unwrap();
        plain.answer().await.unwrap().expect(301);
    }
}

#[tokio::test]
async fn the_admin_listener_can_be_switched_off() {
    let builder = TestEdge::builder().listen("admin = false");
    let edge = builder.route(&Route::new("app").unguarded()).start().await;
    assert!(edge.addresses().admin.is_none());
    edge.get("https://app.test/").await.expect(200);
}

#[tokio::test]
async fn audit_and_access_log_can_be_switched_off() {
    let Some(rules) = crs_rules() else { return };
    let files = TestEdge::builder().rules(rules).route(&Route::new("app")).write();
    let (access, audit) = (
        format!("{:?}", files.access_log().path()),
        format!("{:?}", files.audit_log().path()),
    );
    files.edit(&access, "\"off\"");
    files.edit(&audit, "\"off\"");
    let edge = TestEdge::restart(files).await;
    edge.ask("app.test", &Ask::get("/?id=1'%20or%20'1'='1'--"))
        .await
        .expect(403);
    let files = edge.stop().await;
    assert!(!files.access_log().path().exists() && !files.audit_log().path().exists());
}
