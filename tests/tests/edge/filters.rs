//! What routes do to requests and answers besides passing them on. Where it can make a difference, over h1 and h2.

use palisade_tests::harness::upstream::full;
use palisade_tests::harness::{Answer, Ask, Route, TestEdge, Upstream, Versions, crs_rules, polite};

pub(crate) const BOTH: [Versions; 2] = [Versions::Http1, Versions::Http2];

pub(crate) async fn send(edge: &TestEdge, versions: Versions, host: &str, ask: &Ask) -> Answer {
    polite::send(polite::request(&edge.client_of(versions), host, ask)).await
}

fn port(edge: &TestEdge) -> u16 {
    edge.https().port()
}

#[tokio::test]
async fn a_route_sends_its_clients_elsewhere() {
    let builder = TestEdge::builder()
        .route_toml(
            "www.test",
            "www",
            r#"redirect = { scheme = "https", host = "main.test", status = 301 }"#,
        )
        .route_toml(
            "port.test",
            "port",
            r#"redirect = { scheme = "http", port = 8080, status = 307 }"#,
        )
        .route_toml(
            "docs.test",
            "docs",
            "paths = [\"/docs\"]\nredirect = { host = \"new.test\", port = 443, prefix = \"/\" }",
        )
        .route_toml(
            "one.test",
            "one",
            r#"redirect = { path = "/moved", status = 308, scheme = "https" }"#,
        )
        .route_toml(
            "re.test",
            "re",
            r#"redirect = { regex = "^/blog/([0-9]+)", with = "/posts/$1", scheme = "https", status = 303 }"#,
        );
    let edge = builder.start().await;
    for (host, target, status, location) in [
        ("www.test", "/a%20b/?x=1&y", 301, "https://main.test/a%20b/?x=1&y"),
        ("port.test", "/", 307, "http://port.test:8080/"),
        ("docs.test", "/docs/a/b?c", 302, "https://new.test/a/b?c"),
        ("docs.test", "/docs", 302, "https://new.test/"),
        ("one.test", "/x/y?z", 308, "https://one.test/moved?z"),
        ("re.test", "/blog/12/x", 303, "https://re.test/posts/12/x"),
    ] {
        for method in ["GET", "HEAD", "POST"] {
            for versions in BOTH {
                let ask = Ask::new(method, target);
                let ask = if method == "POST" { ask.body("a body") } else { ask };
                let answer = send(&edge, versions, host, &ask).await.expect(status);
                assert_eq!(answer.header("location"), Some(location), "{method} {target}");
                assert!(answer.body.is_empty());
            }
        }
    }
    edge.ask("docs.test", &Ask::get("/other")).await.expect(404);
}

#[tokio::test]
async fn without_a_scheme_the_port_is_the_one_that_was_asked_for() {
    let edge = TestEdge::builder()
        .route_toml("old.test", "old", r#"redirect = { host = "new.test" }"#)
        .start()
        .await;
    let host = format!("old.test:{}", port(&edge));
    let answer = edge
        .ask("old.test", &Ask::get("/x").header("Host", &host))
        .await
        .expect(302);
    let expected = format!("https://new.test:{}/x", port(&edge));
    assert_eq!(answer.header("location"), Some(expected.as_str()));
}

#[tokio::test]
async fn backends_see_the_path_that_the_route_makes() {
    let upstream = Upstream::echo("app").await;
    let route = |name: &str, lines: &str| Route::new(name).to(&upstream).line(lines).unguarded();
    let edge = TestEdge::builder()
        .route(&route(
            "strip",
            "paths = [\"/wiki\", \"/\"]\nrewrite = { prefix = \"\" }",
        ))
        .route(&route(
            "swap",
            "paths = [\"/v1\"]\nrewrite = { prefix = \"/api/one\" }",
        ))
        .route(&route(
            "full",
            "rewrite = { path = \"/closed.html\" }\nhost = \"intern.test:81\"",
        ))
        .route(&route(
            "regex",
            "rewrite = { regex = \"^/u/([a-z]+)\", with = \"/users/$1\" }",
        ))
        .start()
        .await;
    for (host, target, uri, prefix) in [
        ("strip", "/wiki/a%20b?c=%2F", "/a%20b?c=%2F", Some("/wiki")),
        ("strip", "/wiki", "/", Some("/wiki")),
        ("strip", "/x/../wiki//a", "/a", Some("/wiki")),
        ("strip", "/wikis", "/wikis", None),
        ("swap", "/v1/x/", "/api/one/x/", None),
        ("swap", "/v1", "/api/one", None),
        ("full", "/any?thing=1", "/closed.html?thing=1", None),
        ("regex", "/u/joe/x?y", "/users/joe/x?y", None),
        ("regex", "/other", "/other", None),
    ] {
        for versions in BOTH {
            let ask = Ask::get(target).header("X-Forwarded-Prefix", "/evil");
            let answer = send(&edge, versions, &format!("{host}.test"), &ask)
                .await
                .expect(200);
            assert_eq!(answer.json()["uri"], uri, "{host} {target}");
            assert_eq!(
                answer.echoed("x-forwarded-prefix"),
                Vec::from_iter(prefix),
                "{host} {target}"
            );
        }
    }
    assert_eq!(
        edge.get("https://full.test/").await.echoed("host"),
        ["intern.test:81"]
    );
    // The log has what was asked for.
    assert_eq!(edge.accessed("/u/joe/x").await["status"], 200);
}

#[tokio::test]
async fn the_waf_judges_what_was_asked_for() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .line("rewrite = { path = \"/harmless\" }");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    edge.ask("app.test", &Ask::get("/.git/config")).await.expect(403);
    edge.ask("app.test", &Ask::get("/a?id=1'%20or%20'1'='1'--"))
        .await
        .expect(403);
    assert_eq!(upstream.hits(), 0);
    let answer = edge.ask("app.test", &Ask::get("/a")).await.expect(200);
    assert_eq!(answer.json()["uri"], "/harmless");
}

#[tokio::test]
async fn headers_are_set_added_and_removed_both_ways() {
    let upstream = Upstream::serve(|request, journal| async move {
        let (parts, _) = request.into_parts();
        journal.request(&parts);
        let status: u16 = parts.uri.path()[1..].parse().unwrap();
        hyper::Response::builder()
            .status(status)
            .header("server", "leaky/1.0")
            .header("x-set", "theirs")
            .header("x-add", "theirs")
            .body(full(if matches!(status, 204 | 304) { "" } else { "text" }))
            .unwrap()
    })
    .await;
    let tables = r#"
[routes.request_headers]
set = { "X-Client" = "${client_ip}", "X-Set" = "edge" }
add = { "X-Add" = "${route} for ${host}" }
remove = ["X-Gone", "Accept-Language"]
[routes.response_headers]
set = { "X-Set" = "edge", "X-Id" = "${request_id}" }
add = { "X-Add" = "edge" }
remove = ["Server"]
"#;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded().and(tables)]).await;
    for versions in BOTH {
        for (method, status) in [
            ("GET", 200),
            ("HEAD", 200),
            ("GET", 204),
            ("GET", 304),
            ("GET", 500),
        ] {
            let ask = Ask::new(method, format!("/{status}"))
                .header("X-Set", "client")
                .also("X-Set", "client again")
                .header("X-Add", "client")
                .header("X-Client", "6.6.6.6")
                .header("X-Gone", "client");
            let answer = send(&edge, versions, "app.test", &ask).await.expect(status);
            let values = |name: &str| -> Vec<&str> {
                let found = answer.headers.iter().filter(|(known, _)| known == name);
                found.map(|(_, value)| value.as_str()).collect()
            };
            assert_eq!(values("x-set"), ["edge"]);
            assert_eq!(values("x-add"), ["theirs", "edge"]);
            assert_eq!(values("server"), Vec::<&str>::new());
            let seen = upstream.journal().find(&ask.probe).unwrap();
            assert_eq!(seen.header("x-set"), ["edge"]);
            assert_eq!(seen.header("x-add"), ["client", "app for app.test"]);
            assert_eq!(seen.header("x-client"), ["127.0.0.1"]);
            assert_eq!(seen.header("x-gone"), Vec::<&str>::new());
            assert_eq!(seen.header("accept-language"), Vec::<&str>::new());
            assert_eq!(values("x-id"), seen.header("x-request-id"));
        }
    }
}

#[tokio::test]
async fn interim_answers_pass_the_filters() {
    let bytes = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n\
                 HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n";
    let upstream = Upstream::broken(format!("{bytes}{}", "a".repeat(2000))).await;
    let filters = "compression = true\nresponse_headers = { set = { \"X-Set\" = \"edge\" } }";
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).line(filters).unguarded()]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    let ask = Ask::get("/").header("Accept-Encoding", "gzip");
    connection.send(ask.bytes("app.test")).await.unwrap();
    let interim = connection.head().await.unwrap();
    assert_eq!(
        (interim.status, interim.header("link")),
        (103, Some("</a.css>; rel=preload"))
    );
    assert_eq!(
        (interim.header("x-set"), interim.header("content-encoding")),
        (None, None)
    );
    let answer = connection.answer().await.unwrap().expect(200);
    assert_eq!(
        (answer.header("x-set"), answer.header("content-encoding")),
        (Some("edge"), Some("gzip"))
    );
}

#[tokio::test]
async fn an_early_answer_to_a_long_upload_passes_the_filters() {
    let upstream = Upstream::broken(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly",
    )
    .await;
    let filters = "request_timeout = \"30s\"\ncompression = { min_size = \"1B\" }\n\
                   response_headers = { set = { \"X-Set\" = \"edge\" } }";
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).line(filters).unguarded()]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    let head =
        "POST / HTTP/1.1\r\nHost: app.test\r\nAccept-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n";
    connection.send(head).await.unwrap();
    let answer = connection.answer().await.unwrap().expect(403);
    assert_eq!(
        (answer.header("x-set"), answer.header("content-encoding")),
        (Some("edge"), Some("gzip"))
    );
}
