//! Answers under inspection: what must not get out does not, everything else is left alone.

use palisade_tests::harness::upstream::{answering, full};
use palisade_tests::harness::{
    Ask, Route, SQL_ERROR_PAGE, TestEdge, Upstream, Versions, crs_rules, polite, world,
};

fn inspected(name: &str) -> Route {
    Route::new(name).waf("inspect_responses = true")
}

#[tokio::test]
async fn a_page_with_a_database_error_is_kept_back() {
    let Some(world) = world() else { return };
    let ask = Ask::get("/item?id=7").accept_json();
    for answer in [
        world.edge.ask("leak.test", &ask).await,
        world.edge.ask_h2("leak.test", &ask).await,
    ] {
        let answer = answer.expect(403);
        assert!(!answer.text().contains("MySQL"), "{}", answer.text());
        let id = answer.incident();
        let record = world
            .edge
            .audit_log()
            .line("the incident", |line| line["id"] == id.as_str())
            .await;
        let rules = crate::waf_blocks::rules_of(&record);
        assert!(rules.iter().any(|rule| rule / 1000 == 951), "{record}");
    }
    // It did reach the application: the question was harmless.
    assert!(world.leak.saw(&ask.probe));
}

#[tokio::test]
async fn answers_are_not_inspected_where_the_operator_says_so() {
    let Some(rules) = crs_rules() else { return };
    let leak = Upstream::serve(answering(200, "text/html", SQL_ERROR_PAGE)).await;
    let edge = TestEdge::with(
        Some(rules),
        &[Route::new("app").to(&leak).waf("inspect_responses = false")],
    )
    .await;
    let answer = edge.get("https://app.test/").await.expect(200);
    assert_eq!(answer.text(), SQL_ERROR_PAGE);
    // Requests still are.
    edge.ask("app.test", &Ask::get("/?id=1'%20or%20'1'='1'--"))
        .await
        .expect(403);
}

#[tokio::test]
async fn only_listed_types_are_inspected() {
    let Some(rules) = crs_rules() else { return };
    let binary = Upstream::serve(answering(200, "application/octet-stream", SQL_ERROR_PAGE)).await;
    let styled = Upstream::serve(answering(200, "text/html; charset=utf-8", SQL_ERROR_PAGE)).await;
    let calendar = Upstream::serve(answering(200, "text/calendar", SQL_ERROR_PAGE)).await;
    let listed = |name: &str| inspected(name).waf("response_mime_types = [\"text/calendar\"]");
    let routes = [
        inspected("binary").to(&binary),
        inspected("styled").to(&styled),
        listed("page").to(&styled),
        listed("calendar").to(&calendar),
    ];
    let edge = TestEdge::with(Some(rules), &routes).await;
    for (host, status) in [("binary", 200), ("styled", 403), ("page", 200), ("calendar", 403)] {
        let answer = edge.get(&format!("https://{host}.test/")).await.expect(status);
        assert_eq!(answer.text() == SQL_ERROR_PAGE, status == 200, "{host}");
    }
}

#[tokio::test]
async fn a_long_page_arrives_whole_past_the_limit() {
    let Some(rules) = crs_rules() else { return };
    let page = format!("<html>{}</html>", "<p>nothing special</p>".repeat(40_000));
    let upstream = Upstream::serve(answering(200, "text/html", page.clone())).await;
    let edge = TestEdge::with(
        Some(rules),
        &[Route::new("app")
            .to(&upstream)
            .waf("response_body_limit = \"32KiB\"")],
    )
    .await;
    for versions in [Versions::Http1, Versions::Http2] {
        let answer = polite::send(edge.client_of(versions).get("https://app.test/"))
            .await
            .expect(200);
        assert_eq!(answer.body.len(), page.len());
        assert_eq!(answer.text(), page);
    }
}

#[tokio::test]
async fn an_inspected_page_arrives_as_it_was() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::serve(|request, journal| async move {
        let (parts, _) = request.into_parts();
        journal.request(&parts);
        let status: u16 = parts.uri.path()[1..].parse().unwrap();
        let body = if matches!(status, 204 | 304) {
            ""
        } else {
            "<html>grüße</html>"
        };
        hyper::Response::builder()
            .status(status)
            .header("content-type", "text/html; charset=utf-8")
            .header("set-cookie", "a=1; Secure")
            .header("set-cookie", "b=2; Secure")
            .header("location", "https://app.test/next")
            .body(full(body))
            .unwrap()
    })
    .await;
    let edge = TestEdge::with(Some(rules), &[inspected("app").to(&upstream)]).await;
    let client = edge.client_of(Versions::Http1);
    for status in [200, 201, 204, 301, 304, 404, 200] {
        let url = format!("https://app.test/{status}");
        let answer = polite::send(client.get(&url)).await.expect(status);
        let cookies: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .collect();
        assert_eq!(cookies.len(), 2);
        assert_eq!(answer.header("location"), Some("https://app.test/next"));
        assert_eq!(answer.text().contains("grüße"), !matches!(status, 204 | 304));
        let head = polite::send(client.head(&url)).await.expect(status);
        assert!(head.body.is_empty());
    }
}

#[tokio::test]
async fn a_page_in_pieces_is_inspected_as_one() {
    let Some(rules) = crs_rules() else { return };
    let (upstream, events) = Upstream::events().await;
    let edge = TestEdge::with(Some(rules), &[inspected("app").to(&upstream)]).await;
    let (first, second) = SQL_ERROR_PAGE.split_at(60);
    events.send_bytes(first);
    events.send_bytes(second);
    drop(events);
    let ask = Ask::get("/").header("X-Answer-Type", "text/html").accept_json();
    let answer = edge.ask("app.test", &ask).await.expect(403);
    assert!(!answer.text().contains("Oops"));
}

#[tokio::test]
async fn nobody_asks_the_application_for_a_coded_page_that_cannot_be_read() {
    let Some(world) = world() else { return };
    let answer = world
        .edge
        .ask(
            "inspected.test",
            &Ask::get("/").header("Accept-Encoding", "br, gzip"),
        )
        .await
        .expect(200);
    assert_eq!(answer.echoed("accept-encoding"), Vec::<String>::new());
    let answer = world
        .edge
        .ask("app.test", &Ask::get("/").header("Accept-Encoding", "br, gzip"))
        .await
        .expect(200);
    assert_eq!(answer.echoed("accept-encoding"), ["br, gzip"]);
}
