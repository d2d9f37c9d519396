//! Which form of a path the WAF sees under which name, and that none of them is a way around it.

use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, Versions, crs_rules, polite};

/// A route whose one rule refuses what this variable is.
fn route(name: &str, variable: &str, value: &str, upstream: &Upstream) -> (Route, String, String) {
    let file = format!("{name}.conf");
    let rule =
        format!("SecRule {variable} \"@streq {value}\" \"id:9000,phase:1,deny,status:406,t:none,log\"\n");
    let route = Route::new(name)
        .to(upstream)
        .waf(&format!("seclang_after = [{file:?}]"));
    (route, file, rule)
}

#[tokio::test]
async fn each_name_has_the_form_that_seclang_gives_it() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    // What is sent, and what each variable is then.
    let sent = "/a/%2e%2e//%62/./c%2ephp?q=%2e%2e/%252e";
    let forms = [
        ("raw", "REQUEST_URI_RAW", sent),
        ("uri", "REQUEST_URI", sent),
        ("file", "REQUEST_FILENAME", "/b/c.php"),
        ("base", "REQUEST_BASENAME", "c.php"),
        ("query", "QUERY_STRING", "q=%2e%2e/%252e"),
        ("args", "ARGS:q", "../%2e"),
        ("args-raw", "ARGS_GET:q", "../%2e"),
    ];
    let mut builder = TestEdge::builder().rules(rules);
    for (name, variable, value) in forms {
        let (route, file, rule) = route(name, variable, value, &upstream);
        builder = builder.file(&file, &rule).route(&route);
    }
    let edge = builder.start().await;
    for (name, variable, _) in forms {
        let host = format!("{name}.test");
        edge.ask(&host, &Ask::get(sent)).await.expect(406);
        let other = edge.ask(&host, &Ask::get("/b/c.php?q=1")).await.status;
        let same_file = matches!(variable, "REQUEST_FILENAME" | "REQUEST_BASENAME");
        assert_eq!(other, if same_file { 406 } else { 200 }, "{variable}");
    }
    // One request passes each, and the upstream sees the path that REQUEST_FILENAME has.
    assert!(
        upstream
            .journal()
            .requests()
            .iter()
            .all(|seen| seen.uri == "/b/c.php?q=1")
    );
}

#[tokio::test]
async fn an_application_is_asked_for_nothing_that_rules_did_not_see() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let (app, file, rule) = route("app", "REQUEST_FILENAME", "/xmlrpc.php", &upstream);
    let edge = TestEdge::builder()
        .rules(rules)
        .file(&file, &rule)
        .route(&app)
        .start()
        .await;
    let disguises = [
        "/xmlrpc.php",
        "/xmlrpc.php?x=1",
        "//xmlrpc.php",
        "/./xmlrpc.php",
        "/a/../xmlrpc.php",
        "/a/%2e%2e/xmlrpc.php",
        "/a/.%2E/xmlrpc.php",
        "/%78mlrpc%2ephp",
        "/../../xmlrpc.php",
        "https://app.test/a/../xmlrpc.php",
    ];
    for target in disguises {
        let status = edge.ask("app.test", &Ask::get(target)).await.status;
        let seen = upstream.journal().requests();
        let reached = seen
            .iter()
            .any(|seen| seen.uri.trim_end_matches('/') == "/xmlrpc.php");
        assert!(!reached, "{target} reached the application, with {status}");
    }
    // The same over HTTP/2, as a client writes it by hand.
    let client = edge.client_of(Versions::Http2);
    for target in ["/%78mlrpc.php", "//xmlrpc.php"] {
        let answer = polite::send(client.get(format!("https://app.test{target}"))).await;
        answer.expect(406);
    }
    assert_eq!(upstream.hits(), 0, "{:?}", upstream.journal().requests());
}

#[tokio::test]
async fn attacks_that_hide_in_escapes_are_seen() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(Some(rules), &[Route::new("app").to(&upstream)]).await;
    for target in [
        "/%2e%2e/%2e%2e/etc/passwd",
        "/a/..%2f..%2fetc/passwd",
        "/a/%252e%252e%252f%252e%252e%252fetc%252fpasswd",
        "/a/..%5c..%5cwindows%5cwin.ini",
        "/a/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
        "/?f=%252e%252e%252f%252e%252e%252fetc%252fpasswd",
        "/?q=%253Cscript%253Ealert(1)%253C/script%253E",
        "/%3Cscript%3Ealert(1)%3C/script%3E",
        "/?id=1%2527%2520or%25201=1--%2520-",
        "/?id=1%27%20or%20%271%27=%271",
        "/.git/config",
        "/x/../.git/config",
        "/%2egit/config",
        "/x/%2e%2e/%2e%65nv",
    ] {
        let before = upstream.hits();
        edge.ask("app.test", &Ask::get(target)).await.expect(403);
        assert_eq!(upstream.hits(), before, "{target}");
    }
}
