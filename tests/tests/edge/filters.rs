//! What routes do to requests and answers besides passing them on. Where it can make a difference, over h1 and h2.

use http::StatusCode;
use palisade_tests::harness::upstream::{answering, full};
use palisade_tests::harness::{Answer, Ask, Route, TestEdge, Upstream, Versions, crs_rules, polite, within};

const BOTH: [Versions; 2] = [Versions::Http1, Versions::Http2];

async fn send(edge: &TestEdge, versions: Versions, host: &str, ask: &Ask) -> Answer {
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

fn preflight(target: &str, origin: &str, method: &str) -> Ask {
    Ask::new("OPTIONS", target)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", "x-token")
}

#[tokio::test]
async fn preflights_are_answered_by_the_edge() {
    let upstream = Upstream::echo("app").await;
    let cors = r#"
[routes.cors]
allow_origins = ["https://app.test", "https://*.apps.test"]
allow_credentials = true
allow_methods = ["GET", "PUT"]
allow_headers = ["X-Token"]
expose_headers = ["X-Total"]
max_age = "1h"
"#;
    let api = Route::new("api").hosts(&["api.test"]).to(&upstream).unguarded();
    let edge = TestEdge::builder()
        .route(&api.clone().line("methods = [\"PUT\", \"GET\"]").and(cors))
        .route(&Route::new("rest").hosts(&["api.test"]).to(&upstream).unguarded())
        .start()
        .await;
    for versions in BOTH {
        for (origin, allowed) in [
            ("https://app.test", true),
            ("https://x.apps.test", true),
            ("https://evil.test", false),
            ("null", false),
        ] {
            let before = upstream.hits();
            let answer = send(&edge, versions, "api.test", &preflight("/x", origin, "PUT"))
                .await
                .expect(204);
            let allow = answer.header("access-control-allow-origin");
            assert_eq!(allow, allowed.then_some(origin));
            assert_eq!(
                answer.header("access-control-allow-methods"),
                allowed.then_some("GET, PUT")
            );
            assert_eq!(
                answer.header("access-control-allow-headers"),
                allowed.then_some("x-token")
            );
            assert_eq!(answer.header("access-control-max-age"), allowed.then_some("3600"));
            assert!(answer.header("vary").unwrap().contains("Origin"));
            assert_eq!(upstream.hits(), before);
            let ask = Ask::get("/x").header("Origin", origin);
            let answer = send(&edge, versions, "api.test", &ask).await.expect(200);
            assert_eq!(
                answer.header("access-control-allow-origin"),
                allowed.then_some(origin)
            );
            assert_eq!(
                answer.header("access-control-allow-credentials"),
                allowed.then_some("true")
            );
            assert_eq!(
                answer.header("access-control-expose-headers"),
                allowed.then_some("x-total")
            );
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
        // Another route answers for DELETE; an OPTIONS that asks for no leave is a request like others.
        let ask = preflight("/x", "https://app.test", "DELETE");
        let answer = send(&edge, versions, "api.test", &ask).await.expect(200);
        assert_eq!(answer.json()["method"], "OPTIONS");
    }
}

#[tokio::test]
async fn a_preflight_finds_the_route_of_a_header_that_it_can_only_announce() {
    let upstream = Upstream::echo("app").await;
    let cors =
        "[routes.cors]\nallow_origins = [\"https://app.test\"]\nallow_headers = [\"X-Token\", \"X-Version\"]";
    let of = |name: &str| Route::new(name).hosts(&["api.test"]).to(&upstream).unguarded();
    let edge = TestEdge::builder()
        .route(
            &of("token")
                .line("headers = [{ name = \"x-token\", regex = \"^t-\" }]")
                .and(&format!("{cors}\nmax_age = \"1m\"")),
        )
        .route(
            &of("version")
                .line("headers = [{ name = \"x-version\", value = \"2\" }]\nmethods = [\"PUT\"]")
                .and(&format!("{cors}\nmax_age = \"2m\"")),
        )
        .route(&of("rest"))
        .start()
        .await;
    for versions in BOTH {
        for (method, announced, age) in [
            ("GET", "x-token", Some("60")),
            ("GET", "content-type,x-token", Some("60")),
            ("PUT", "x-version", Some("120")),
            // A method goes before a header, as for the request itself.
            ("PUT", "x-token, X-Version", Some("120")),
            ("GET", "x-version", None),
            ("GET", "x-other", None),
            ("GET", "x-token2", None),
        ] {
            let ask = preflight("/x", "https://app.test", method)
                .header("Access-Control-Request-Headers", announced);
            let answer = send(&edge, versions, "api.test", &ask).await;
            assert_eq!(
                answer.header("access-control-max-age"),
                age,
                "{method} {announced}"
            );
            assert_eq!(answer.status, if age.is_some() { 204 } else { 200 });
        }
        // What is announced is believed of preflights alone.
        let ask = Ask::get("/x").header("Access-Control-Request-Headers", "x-token");
        let answer = send(
            &edge,
            versions,
            "api.test",
            &ask.header("Origin", "https://app.test"),
        )
        .await;
        assert_eq!(answer.expect(200).header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn what_a_backend_says_of_cors_is_replaced_and_refusals_can_be_read() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::serve(|request, journal| async move {
        journal.request(&request.into_parts().0);
        hyper::Response::builder()
            .header("access-control-allow-origin", "*")
            .header("access-control-allow-credentials", "true")
            .body(full("{}"))
            .unwrap()
    })
    .await;
    let cors = "[routes.cors]\nallow_origins = [\"https://app.test\"]";
    let edge = TestEdge::with(Some(rules), &[Route::new("api").to(&upstream).and(cors)]).await;
    let ask = |target: &str, origin: &str| Ask::get(target).header("Origin", origin);
    let answer = edge
        .ask("api.test", &ask("/", "https://evil.test"))
        .await
        .expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let answer = edge
        .ask("api.test", &ask("/?id=1'%20or%20'1'='1'--", "https://app.test"))
        .await
        .expect(403);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.test")
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let upstream = Upstream::echo("app").await;
    let mut edges = vec![(
        "off",
        TestEdge::with(
            None,
            &[Route::new("app")
                .to(&upstream)
                .line("max_request_body = \"64KiB\"")
                .unguarded()],
        )
        .await,
    )];
    if let Some(rules) = crs_rules() {
        let route = Route::new("app")
            .to(&upstream)
            .line("max_request_body = \"64KiB\"");
        edges.push(("on", TestEdge::with(Some(rules), &[route]).await));
    }
    for (waf, edge) in &edges {
        for versions in BOTH {
            let declared = Ask::post("/", "text/xml", vec![b'a'; 65 * 1024]).accept_json();
            let answer = send(edge, versions, "app.test", &declared).await.expect(413);
            assert_eq!(answer.json()["status"], 413, "WAF {waf}");
            assert!(!upstream.saw(&declared.probe));
            let fits = Ask::form("/", vec![b'a'; 64 * 1024]);
            send(edge, versions, "app.test", &fits).await.expect(200);
        }
        // Without a length it shows only on the way.
        let pieces = format!("ffff\r\n{}\r\n", "a".repeat(0xffff)).repeat(2);
        let chunked = Ask::form("/", "")
            .unmeasured(format!("{pieces}0\r\n\r\n"))
            .header("Transfer-Encoding", "chunked");
        edge.ask("app.test", &chunked).await.expect(413);
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_or_cut_off() {
    let (stream, events) = Upstream::events().await;
    let page = Upstream::serve(answering(200, "text/html", "a".repeat(2000))).await;
    let limit = "max_response_body = \"1KiB\"";
    let edge = TestEdge::builder()
        .route(&Route::new("page").to(&page).line(limit).unguarded())
        .route(&Route::new("stream").to(&stream).line(limit).unguarded())
        .start()
        .await;
    for versions in BOTH {
        send(&edge, versions, "page.test", &Ask::get("/"))
            .await
            .expect(502);
        let head = send(&edge, versions, "page.test", &Ask::new("HEAD", "/"))
            .await
            .expect(200);
        assert_eq!(head.header("content-length"), Some("2000"));
    }
    events.send_bytes(vec![1; 1000]);
    let request = edge.client_of(Versions::Http1).get("https://stream.test/");
    let mut response = within("the head", request.send()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let first = within("the first bytes", response.chunk())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.len(), 1000);
    events.send_bytes(vec![1; 1000]);
    let cut = within("the end", async {
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    })
    .await;
    assert!(cut, "a cut answer looks whole");
}

#[tokio::test]
async fn a_request_has_its_time() {
    let (held, _gate) = Upstream::held().await;
    let (stream, events) = Upstream::events().await;
    let quick = "request_timeout = \"300ms\"";
    let edge = TestEdge::builder()
        .route(&Route::new("held").to(&held).line(quick).unguarded())
        .route(
            &Route::new("stream")
                .to(&stream)
                .line("request_timeout = \"2s\"")
                .unguarded(),
        )
        .route(
            &Route::new("socket")
                .to(&Upstream::websocket().await)
                .line(quick)
                .unguarded(),
        )
        .start()
        .await;
    for versions in BOTH {
        for ask in [Ask::get("/"), Ask::form("/", "a=b")] {
            let answer = send(&edge, versions, "held.test", &ask.accept_json())
                .await
                .expect(504);
            assert_eq!(answer.json()["status"], 504);
        }
    }
    // An answer that has begun is broken off.
    events.send("one");
    let request = edge.client_of(Versions::Http2).get("https://stream.test/");
    let mut response = within("the head", request.send()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let ended = within("the end", async {
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                other => return other.is_err(),
            }
        }
    })
    .await;
    assert!(ended, "a broken answer looks whole");
}

#[tokio::test]
async fn a_websocket_outlives_the_time_of_a_request() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let upstream = Upstream::websocket().await;
    let filters = r#"request_timeout = "300ms"
compression = true
max_response_body = "1B"
rewrite = { path = "/socket" }
request_headers = { set = { "X-Set" = "edge" } }
response_headers = { set = { "X-Set" = "edge" } }
mirror = { backend = "http://127.0.0.1:9" }"#;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).line(filters).unguarded()]).await;
    let mut socket = edge.websocket("app.test", "/any").await.unwrap();
    for text in ["at once", "later"] {
        socket.send(Message::text(text)).await.unwrap();
        let back = within("an echo", socket.next()).await.unwrap().unwrap();
        assert_eq!(back, Message::text(text));
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    }
    let seen = &upstream.journal().requests()[0];
    assert_eq!(
        (seen.uri.as_str(), seen.header("x-set")),
        ("/socket", vec!["edge"])
    );
}

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
        let skipped = edge
            .metric("palisade_mirrored_requests_total{route=\"app\",result=\"skipped\"}")
            .await;
        assert_eq!(skipped, 2.0);
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
    assert_eq!(edge.metric(&series("skipped")).await, 3.0);
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
async fn the_edges_own_answers_have_the_form_that_the_client_asks_for() {
    let dead = palisade_tests::harness::upstream::DeadPort::new();
    let edge = TestEdge::builder()
        .file(
            "pages/404.html",
            "<h1>Nobody lives here</h1> ${status} ${request_id} ${theirs}",
        )
        .route(&Route::new("app").to(&dead).unguarded())
        .and("[errors]\npages = { 404 = \"pages/404.html\" }")
        .start()
        .await;
    for versions in BOTH {
        for (accept, content_type, begin) in [
            ("text/html", "text/html; charset=utf-8", "<!doctype html>"),
            ("application/json", "application/json", "{\"status\":503,"),
            (
                "text/plain, text/html;q=0.5",
                "text/plain; charset=utf-8",
                "503: The application is not available\n",
            ),
            ("*/*", "application/json", "{"),
        ] {
            for method in ["GET", "HEAD"] {
                let ask = Ask::new(method, "/").header("Accept", accept);
                let answer = send(&edge, versions, "app.test", &ask).await.expect(503);
                assert_eq!(answer.header("content-type"), Some(content_type));
                assert!(
                    method == "HEAD" || answer.text().starts_with(begin),
                    "{}",
                    answer.text()
                );
                assert_eq!(answer.body.is_empty(), method == "HEAD");
            }
        }
        let answer = send(&edge, versions, "nobody.test", &Ask::get("/"))
            .await
            .expect(404);
        let text = answer.text();
        assert!(text.starts_with("<h1>Nobody lives here</h1> 404 "), "{text}");
        assert!(text.ends_with(" ${theirs}"), "{text}");
        let json = send(&edge, versions, "nobody.test", &Ask::get("/").accept_json()).await;
        assert_eq!(json.json()["status"], 404);
    }
    // The page is watched like the rest of the configuration, and a failure names the request that the log has.
    let answer = edge
        .ask("app.test", &Ask::get("/failing").accept_json())
        .await
        .expect(503);
    assert_eq!(
        edge.accessed("/failing").await["request_id"],
        answer.json()["request_id"]
    );
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
