//! `engine = "coraza"`: what a visitor and an operator notice.

use std::path::PathBuf;

use palisade_tests::harness::upstream::answering;
use palisade_tests::harness::{Ask, Route, SQL_ERROR_PAGE, TestEdge, Upstream, crs_rules, run_binary, said};
use serde_json::Value;

const SQL_INJECTION: &str = "1'%20or%20'1'='1'--";

fn judged(name: &str, upstream: &Upstream) -> Route {
    Route::new(name).to(upstream).waf("engine = \"coraza\"")
}

async fn edge(rules: PathBuf, upstream: &Upstream) -> TestEdge {
    TestEdge::with(Some(rules), &[judged("app", upstream)]).await
}

async fn record(edge: &TestEdge, id: &str) -> Value {
    edge.audit_log()
        .line(&format!("incident {id}"), |line| line["id"] == id)
        .await
}

fn rule(record: &Value, id: u64) -> Value {
    let rules = record["transaction"]["rules"].as_array().unwrap();
    let found = rules.iter().find(|rule| rule["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {record}")).clone()
}

#[tokio::test]
async fn an_attack_is_refused_and_its_record_says_why() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = edge(rules, &upstream).await;
    let attack = Ask::get(format!("/item?password=hunter2&id={SQL_INJECTION}")).accept_json();
    let id = edge.ask("app.test", &attack).await.expect(403).incident();
    assert!(!upstream.saw(&attack.probe));

    let record = record(&edge, &id).await;
    assert_eq!(
        (&record["outcome"], &record["status"]),
        (&"blocked".into(), &403.into())
    );
    assert!(record["score"].as_u64().unwrap() >= 5, "{record}");
    assert_eq!(record["transaction"]["interruption"]["rule_id"], 949_110);
    let found = rule(&record, 942_100);
    assert!(
        found["msg"].as_str().unwrap().contains("SQL Injection"),
        "{found}"
    );
    assert!(found["data"].as_str().unwrap().contains("ARGS:id"), "{found}");
    assert_eq!(found["variables"][0]["key"], "id");
    assert_eq!(found["phase"], 2);
    assert!(found["file"].as_str().unwrap().contains("REQUEST-942"), "{found}");
    assert!(!record.to_string().contains("hunter2"), "{record}");

    let config = edge.files().config();
    let output = run_binary(&["incident", &id, "--config", config.to_str().unwrap()]).await;
    let explained = said(&output);
    for word in ["942100", "ARGS:id", "[[routes.waf.exclusions]]"] {
        assert!(explained.contains(word), "{word} is not in\n{explained}");
    }
}

#[tokio::test]
async fn ordinary_requests_pass() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = edge(rules, &upstream).await;
    let asks = [
        Ask::get("/hello?name=world"),
        Ask::form("/comments", "text=good+morning"),
        Ask::json("/api/items", r#"{"name": "a chair", "count": 2}"#),
        Ask::multipart(
            "/upload",
            &[(
                "name=\"a\"; filename=\"a.txt\"\r\nContent-Type: text/plain",
                "hello",
            )],
        ),
        Ask::get(
            "/gr\u{fc}n?q=caf\u{e9}"
                .to_owned()
                .replace('\u{fc}', "%C3%BC")
                .replace('\u{e9}', "%C3%A9"),
        ),
    ];
    for ask in asks {
        let answer = edge.ask("app.test", &ask).await;
        assert_eq!(answer.status, 200, "{} {}", ask.method, answer.text());
        assert!(upstream.saw(&ask.probe));
        edge.ask_h2("app.test", &ask).await.expect(200);
    }
}

#[tokio::test]
async fn bodies_are_inspected() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = edge(rules, &upstream).await;
    let sql = "1' or '1'='1'--";
    let large = format!("pad={}&id={SQL_INJECTION}", "a".repeat(40_000));
    for ask in [
        Ask::form("/", format!("id={SQL_INJECTION}")),
        Ask::json("/", format!(r#"{{"a": {{"b": "{sql}"}}}}"#)),
        Ask::multipart("/", &[("name=\"id\"", sql)]),
        Ask::form("/", large),
    ] {
        let answer = edge.ask("app.test", &ask).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(!upstream.saw(&ask.probe));
    }
    edge.ask("app.test", &Ask::json("/", "{\"a\": "))
        .await
        .expect(400);
}

#[tokio::test]
async fn a_head_that_is_no_utf8_is_refused_as_it_cannot_be_shown_to_coraza() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let watched = judged("watched", &upstream).waf("mode = \"detection-only\"");
    let edge = TestEdge::with(
        Some(rules),
        &[
            judged("app", &upstream),
            watched,
            Route::new("ours").to(&upstream),
        ],
    )
    .await;
    let ask = Ask::get("/").header("X-Name", b"gr\xfcn").accept_json();
    let id = edge.ask("app.test", &ask).await.expect(400).incident();
    assert!(!upstream.saw(&ask.probe));
    let found = rule(&record(&edge, &id).await, 100_902);
    assert!(found["msg"].as_str().unwrap().contains("UTF-8"), "{found}");
    assert_eq!(found["data"], "in a header");

    // Where nothing is stopped, this is not either, and it is told all the same.
    let answer = edge.ask("watched.test", &ask).await.expect(200);
    assert!(answer.text().contains("watched"), "{}", answer.text());
    let line = edge
        .access_log()
        .line("the access log", |line| line["route"] == "watched")
        .await;
    assert_eq!(line["waf"], "detected", "{line}");
    // Our own engine reads any byte.
    edge.ask("ours.test", &ask).await.expect(200);
}

#[tokio::test]
async fn detection_only_stops_nothing_and_logs_what_it_saw() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = judged("app", &upstream).waf("mode = \"detection-only\"");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    edge.ask("app.test", &Ask::get(format!("/?id={SQL_INJECTION}")))
        .await
        .expect(200);
    let line = edge.accessed("/").await;
    assert_eq!(line["waf"], "detected", "{line}");
    let record = record(&edge, line["incident"].as_str().unwrap()).await;
    assert_eq!(record["transaction"]["detected_interruption"]["rule_id"], 949_110);
}

#[tokio::test]
async fn answers_are_inspected() {
    let Some(rules) = crs_rules() else { return };
    let leak = Upstream::serve(answering(200, "text/html", SQL_ERROR_PAGE)).await;
    let route = judged("app", &leak).waf("inspect_responses = true");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    let answer = edge.ask("app.test", &Ask::get("/item?id=7").accept_json()).await;
    let answer = answer.expect(403);
    assert!(!answer.text().contains("MySQL"), "{}", answer.text());
    let record = record(&edge, &answer.incident()).await;
    let rules = record["transaction"]["rules"].as_array().unwrap();
    let found = |rule: &Value| rule["id"].as_u64().is_some_and(|id| id / 1000 == 951);
    assert!(rules.iter().any(found), "{record}");
}

#[tokio::test]
async fn an_exclusion_counts_for_the_host_it_names() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = judged("app", &upstream)
        .hosts(&["app.test", "other.test"])
        .except("rules = [\"942000-942999\"]\ntargets = [\"ARGS:text\"]\nhosts = [\"app.test\"]\nreason = \"prose about SQL\"");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    let prose = Ask::form("/", "text=The+trade+union+votes+on+Friday%3B+drop+by+the+office.");
    edge.ask("app.test", &prose).await.expect(200);
    edge.ask("other.test", &prose).await.expect(403);
}
