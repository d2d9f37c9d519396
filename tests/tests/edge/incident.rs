//! From a refusal to an exclusion, as an operator goes the way.

use palisade_tests::harness::{Ask, EdgeFiles, Route, TestEdge, Upstream, crs_rules, run_binary, said};

/// `palisade incident ID`.
async fn explained(files: &EdgeFiles, id: &str) -> String {
    let config = files.config();
    let output = run_binary(&["incident", id, "--config", config.to_str().unwrap()]).await;
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The exclusion that the explanation shows: what is to be pasted.
fn exclusion_in(explanation: &str) -> String {
    let toml = |line: &&str| line.starts_with('#') || line.starts_with("[[") || line.contains(" = ");
    let lines = explanation
        .lines()
        .skip_while(|line| !line.starts_with("[[routes.waf.exclusions]]"));
    let lines: Vec<&str> = lines.filter(|line| line.is_empty() || toml(line)).collect();
    let text = lines.join("\n");
    assert!(
        text.starts_with("[[routes.waf.exclusions]]"),
        "no exclusion in\n{explanation}"
    );
    text
}

async fn edge() -> Option<(TestEdge, Upstream)> {
    let rules = crs_rules()?;
    let upstream = Upstream::echo("app").await;
    Some((
        TestEdge::with(Some(rules), &[Route::new("app").to(&upstream)]).await,
        upstream,
    ))
}

/// Blocked, explained, excluded: then `ask` passes and each of `others` is still stopped.
async fn way(ask: Ask, words: &[&str], others: Vec<(&str, Ask)>) {
    let Some((edge, upstream)) = edge().await else {
        return;
    };
    let id = edge
        .ask("app.test", &ask.clone().accept_json())
        .await
        .expect(403)
        .incident();
    edge.audit_log()
        .line("the incident", |line| line["id"] == id.as_str())
        .await;
    let explanation = explained(edge.files(), &id).await;
    for word in words.iter().chain(&[id.as_str(), "127.0.0.1", "app.test"]) {
        assert!(explanation.contains(word), "{word} is not in\n{explanation}");
    }

    let pasted = std::fs::read_to_string(edge.files().config()).unwrap() + "\n" + &exclusion_in(&explanation);
    edge.files().write("palisade.toml", &pasted);
    edge.reload()
        .await
        .unwrap_or_else(|error| panic!("{error}\n{explanation}"));
    let answer = edge.ask("app.test", &ask).await;
    assert_eq!(answer.status, 200, "with\n{explanation}");
    let hits = upstream.hits();
    for (what, other) in others {
        assert_eq!(
            edge.ask("app.test", &other).await.status,
            403,
            "{what} with\n{explanation}"
        );
    }
    assert_eq!(upstream.hits(), hits);
}

#[tokio::test]
async fn a_comment_that_looks_like_sql() {
    let text = "The+trade+union+votes+on+Friday%3B+drop+by+the+office.";
    way(
        Ask::form("/comments", format!("post=17&text={text}")),
        &["942350", "POST", "/comments", "ARGS:text", "drop by"],
        vec![
            (
                "the same in another field",
                Ask::form("/comments", format!("post={text}")),
            ),
            (
                "the same on another page",
                Ask::form("/comments/edit", format!("text={text}")),
            ),
            (
                "real SQL in the field",
                Ask::form("/comments", "text=1'+union+select+login,password+from+users--+"),
            ),
            (
                "a script in the field",
                Ask::form("/comments", "text=<script>alert(1)</script>"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_query_language_in_json() {
    let query =
        "query Items($first: Int!) { items(first: $first) { edges { node { id author { name } } } } }";
    let body = serde_json::json!({"query": query, "variables": {"first": 20}});
    let script = serde_json::json!({"query": "<script>alert(1)</script>", "variables": {"first": 20}});
    let elsewhere = serde_json::json!({"query": "{ me { id } }", "variables": {"first": query}});
    way(
        Ask::json("/graphql", body.to_string()),
        &["942290", "/graphql", "query"],
        vec![
            ("a script in the query", Ask::json("/graphql", script.to_string())),
            (
                "a query in a variable",
                Ask::json("/graphql", elsewhere.to_string()),
            ),
            (
                "SQL in the path's query",
                Ask::get("/graphql?id=1'%20or%20'1'='1'--"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_method_of_webdav() {
    way(
        Ask::new("PROPFIND", "/dav/jane/").header("Depth", "1"),
        &["911100", "PROPFIND", "/dav/jane/"],
        vec![
            ("another method", Ask::new("MKCOL", "/dav/jane/")),
            ("elsewhere", Ask::new("PROPFIND", "/other/").header("Depth", "1")),
            (
                "an attack by the method",
                Ask::new("PROPFIND", "/dav/jane/?id=1'%20or%20'1'='1'--").header("Depth", "1"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_cookie_that_looks_like_a_command() {
    let cookie = "theme=dark; filter=$(cat /etc/passwd); lang=en";
    way(
        Ask::get("/board").header("Cookie", cookie),
        &["REQUEST_COOKIES", "filter", "/board"],
        vec![
            (
                "the same in another cookie",
                Ask::get("/board").header("Cookie", "lang=$(cat /etc/passwd)"),
            ),
            (
                "the same in an argument",
                Ask::get("/board?filter=$(cat%20/etc/passwd)"),
            ),
            (
                "SQL in the cookie",
                Ask::get("/board").header("Cookie", "filter=1' union select password from users-- "),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_path_that_looks_like_a_secret() {
    way(
        Ask::get("/palisade/edge.git/info/refs?service=git-upload-pack"),
        &["930130", "/palisade/edge.git/info/refs"],
        vec![
            ("real secrets", Ask::get("/.git/config")),
            ("another repository", Ask::get("/palisade/other.git/info/refs")),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_header_of_an_application() {
    way(
        Ask::get("/app").header("X-Query", "${jndi:dns://items}"),
        &["X-Query", "/app", "944150"],
        vec![
            (
                "the same in another header",
                Ask::get("/app").header("Referer", "${jndi:dns://items}"),
            ),
            ("the same in an argument", Ask::get("/app?q=${jndi:dns://items}")),
            (
                "another attack in the header",
                Ask::get("/app").header("X-Query", "() { :; }; /bin/sleep 9"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn several_findings_in_several_places() {
    way(
        Ask::form(
            "/editor",
            "html=<script>render()</script>&query=select+name+from+items+where+1=1+or+'a'='a'",
        ),
        &["ARGS:html", "ARGS:query", "  941", "  942"],
        vec![
            (
                "one in the place of the other",
                Ask::form("/editor", "html=1'+or+'a'='a'+union+select+1--+&query=x"),
            ),
            (
                "a third place",
                Ask::form("/editor", "html=x&query=y&title=<script>render()</script>"),
            ),
            ("a command", Ask::form("/editor", "html=x&query=;cat+/etc/passwd")),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_name_of_a_file_that_is_uploaded() {
    let file = |name: &str| {
        Ask::multipart(
            "/upload",
            &[(
                &format!("name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/plain"),
                "hello",
            )],
        )
    };
    way(
        file("index.php"),
        &["933110", "/upload"],
        vec![
            ("a name that climbs", file("../../../../etc/cron.d/x")),
            ("elsewhere", {
                Ask::multipart("/other", &[("name=\"file\"; filename=\"index.php\"", "hello")])
            }),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_page_that_the_application_may_show() {
    let Some(rules) = crs_rules() else { return };
    let page = palisade_tests::harness::SQL_ERROR_PAGE;
    let upstream = Upstream::serve(palisade_tests::harness::upstream::answering(
        200,
        "text/html",
        page,
    ))
    .await;
    let edge = TestEdge::with(
        Some(rules),
        &[Route::new("app").to(&upstream).waf("inspect_responses = true")],
    )
    .await;
    let ask = Ask::get("/manual/sql-errors");
    let id = edge
        .ask("app.test", &ask.clone().accept_json())
        .await
        .expect(403)
        .incident();
    edge.audit_log()
        .line("the incident", |line| line["id"] == id.as_str())
        .await;
    let explanation = explained(edge.files(), &id).await;
    assert!(
        explanation.contains("answer") && explanation.contains("  951"),
        "{explanation}"
    );
    let pasted = std::fs::read_to_string(edge.files().config()).unwrap() + "\n" + &exclusion_in(&explanation);
    edge.files().write("palisade.toml", &pasted);
    edge.reload()
        .await
        .unwrap_or_else(|error| panic!("{error}\n{explanation}"));
    let answer = edge.ask("app.test", &ask).await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, page),
        "with\n{explanation}"
    );
    edge.ask("app.test", &Ask::get("/elsewhere")).await.expect(403);
}

#[tokio::test]
async fn what_is_only_watched_is_explained_as_well() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(
        Some(rules),
        &[Route::new("app").to(&upstream).waf("mode = \"detection-only\"")],
    )
    .await;
    edge.ask(
        "app.test",
        &Ask::form("/comments", "text=The+union+votes%3B+drop+by+the+office."),
    )
    .await
    .expect(200);
    let line = edge.accessed("/comments").await;
    let id = line["incident"].as_str().unwrap();
    edge.audit_log()
        .line("the incident", |line| line["id"] == id)
        .await;
    let explanation = explained(edge.files(), id).await;
    assert!(
        explanation.contains("942350") && explanation.contains("detection-only"),
        "{explanation}"
    );
    exclusion_in(&explanation);
}

#[tokio::test]
async fn a_malformed_body_is_explained_and_nothing_is_to_be_excluded() {
    let Some((edge, _upstream)) = edge().await else {
        return;
    };
    let answer = edge
        .ask("app.test", &Ask::json("/api", r#"{"a": [1, 2"#).accept_json())
        .await;
    assert!(matches!(answer.status, 400 | 403), "{}", answer.status);
    let id = answer.incident();
    edge.audit_log()
        .line("the incident", |line| line["id"] == id.as_str())
        .await;
    let explanation = explained(edge.files(), &id).await;
    assert!(
        explanation.contains("/api") && explanation.to_lowercase().contains("json"),
        "{explanation}"
    );
}

#[tokio::test]
async fn an_incident_that_nobody_knows_is_an_error() {
    let Some((edge, _upstream)) = edge().await else {
        return;
    };
    edge.ask("app.test", &Ask::get("/?id=1'%20or%20'1'='1'--"))
        .await
        .expect(403);
    let config = edge.files().config();
    let config = config.to_str().unwrap();
    for id in ["00112233445566778899aabb", "nonsense"] {
        let output = run_binary(&["incident", id, "--config", config]).await;
        assert!(!output.status.success());
        assert!(said(&output).contains(id), "{}", said(&output));
    }
}
