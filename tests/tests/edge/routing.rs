//! Which request goes where.

use palisade_tests::harness::{Answer, Ask, Connection, Route, TestEdge, Tls, Upstream, Versions, polite};

/// The name of the upstream that answered.
fn by(answer: Answer) -> String {
    answer.expect(200).json()["upstream"].as_str().unwrap().to_owned()
}

/// Routes by name, each to an echo of the same name.
async fn edge(routes: &[(&str, &[&str], Option<&str>)]) -> (TestEdge, Vec<Upstream>) {
    let mut upstreams = Vec::new();
    // These ask for many hosts over connections to one.
    let mut builder = TestEdge::builder().listen("sni_mismatch = \"allow\"");
    for (name, hosts, paths) in routes {
        let upstream = Upstream::echo(name).await;
        let route = Route::new(name).hosts(hosts).to(&upstream).unguarded();
        builder = builder.route(&paths.iter().fold(route, |route, paths| route.paths(paths)));
        upstreams.push(upstream);
    }
    (builder.start().await, upstreams)
}

#[tokio::test]
async fn port_80_leads_to_https_with_host_path_and_query() {
    let edge = TestEdge::builder()
        .listen("redirect_port = 443")
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    for (host, target, expected) in [
        ("app.test", "/", "https://app.test/"),
        (
            "app.test",
            "/a/b%20c?x=1&y=%2F#",
            "https://app.test/a/b%20c?x=1&y=%2F",
        ),
        ("app.test:8080", "/?q", "https://app.test/?q"),
        ("unknown.test", "/x", "https://unknown.test/x"),
        ("APP.test", "/x", "https://app.test/x"),
    ] {
        let mut connection = Connection::plain(edge.http()).await.unwrap();
        connection
            .send(Ask::get(target.trim_end_matches('#')).bytes(host))
            .await
            .unwrap();
        let answer = connection.answer().await.unwrap().expect(301);
        assert_eq!(answer.header("location"), Some(expected), "{host} {target}");
    }
}

#[tokio::test]
async fn port_80_names_the_port_of_https_where_it_is_another() {
    let edge = TestEdge::builder()
        .listen("redirect_port = 8443")
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    let mut connection = Connection::plain(edge.http()).await.unwrap();
    connection
        .send(Ask::form("/login?next=1", "a=b").bytes("app.test:8080"))
        .await
        .unwrap();
    let answer = connection.answer().await.unwrap().expect(301);
    assert_eq!(
        answer.header("location"),
        Some("https://app.test:8443/login?next=1")
    );
}

#[tokio::test]
async fn port_80_cannot_be_used_to_plant_a_header_or_another_site() {
    let edge = TestEdge::builder()
        .listen("redirect_port = 443")
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    for (host, target) in [
        ("app.test", "//evil.example/x"),
        ("app.test", "/%0d%0aSet-Cookie:%20a=b"),
        ("evil.example/@app.test", "/"),
        ("app.test@evil.example", "/"),
        ("app.test\\evil.example", "/"),
    ] {
        let mut connection = Connection::plain(edge.http()).await.unwrap();
        connection.send(Ask::get(target).bytes(host)).await.unwrap();
        // Closing without a word is a refusal too.
        let Ok(answer) = connection.answer().await else {
            continue;
        };
        assert!(answer.header("set-cookie").is_none());
        match answer.status {
            400 => {}
            301 => {
                let location = answer.header("location").unwrap();
                assert!(
                    location.starts_with("https://app.test/"),
                    "{host} {target}: {location}"
                );
            }
            status => panic!("{host} {target}: {status}"),
        }
    }
}

#[tokio::test]
async fn an_unknown_host_is_404_and_reaches_nobody() {
    let (edge, upstreams) = edge(&[("app", &["app.test"], None)]).await;
    for host in [
        "other.test",
        "app.test.evil.example",
        "xapp.test",
        "test",
        "a.app.test",
        "127.0.0.1",
    ] {
        edge.ask("app.test", &Ask::get("/").header("Host", host))
            .await
            .expect(404);
    }
    edge.ask_h2("nobody.test", &Ask::get("/")).await.expect(404);
    assert_eq!(upstreams[0].hits(), 0);
}

#[tokio::test]
async fn the_host_is_compared_as_names_are() {
    let (edge, _upstreams) = edge(&[("app", &["app.test", "xn--bcher-kva.test"], None)]).await;
    for host in [
        "app.test",
        "APP.Test",
        "app.test:443",
        "app.test.",
        "App.test.:8443",
        "xn--bcher-kva.test",
    ] {
        let answer = edge.ask("app.test", &Ask::get("/").header("Host", host)).await;
        assert_eq!(by(answer), "app", "{host}");
    }
}

#[tokio::test]
async fn a_url_as_target_is_served_like_its_path() {
    let (edge, upstreams) = edge(&[("app", &["app.test"], None)]).await;
    let ask = Ask::get("https://app.test/a?b=c");
    assert_eq!(by(edge.ask("app.test", &ask).await), "app");
    assert_eq!(upstreams[0].hits(), 1);
    for target in ["ftp://app.test/", "https://other.test/", "app.test/"] {
        edge.ask("app.test", &Ask::get(target)).await.expect(400);
    }
    assert_eq!(upstreams[0].hits(), 1);
}

#[tokio::test]
async fn a_request_line_that_servers_read_differently_reaches_nobody() {
    let (edge, upstreams) = edge(&[("app", &["app.test"], None)]).await;
    for (line, status) in [
        ("GET /a#b HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("GET / HTTP/4.0", 505),
        ("GET / HTTP/1.2", 400),
        ("GET / HTTP/0.8", 400),
        ("CONNECT app.test HTTP/1.1", 400),
        ("CONNECT app.test:443 HTTP/1.1", 405),
    ] {
        let mut connection = edge.connect("app.test").await.unwrap();
        let request = format!("{line}\r\nHost: app.test\r\n\r\n");
        connection.send(request).await.unwrap();
        let answer = connection.answer().await;
        assert_eq!(answer.map(|answer| answer.status).ok(), Some(status), "{line}");
    }
    // HTTP/0.9: its client would take the head of an answer for the page.
    let mut connection = edge.connect("app.test").await.unwrap();
    connection.send("GET /\r\n\r\n").await.unwrap();
    assert_eq!(connection.rest().await, b"");
    assert_eq!(upstreams[0].hits(), 0);
}

#[tokio::test]
async fn what_belongs_escaped_is_escaped_on_every_request_of_a_connection() {
    let (edge, upstreams) = edge(&[("app", &["app.test"], None)]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    for body in ["<\"#", "x y"] {
        let length = body.len();
        let head =
            format!("POST /a?b=<\"c\"> HTTP/1.1\r\nHost: app.test\r\nContent-Length: {length}\r\n\r\n");
        connection.send(format!("{head}{body}")).await.unwrap();
        let seen = connection.answer().await.unwrap().expect(200).json();
        assert!(seen.to_string().contains("%3C%22c%22%3E"), "{seen}");
    }
    assert_eq!(upstreams[0].hits(), 2);
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let (edge, upstreams) = edge(&[("app", &["app.test"], None)]).await;
    let mut connection = edge.connect("app.test").await.unwrap();
    connection
        .send("GET / HTTP/1.1\r\nAccept: */*\r\n\r\n")
        .await
        .unwrap();
    let status = connection.answer().await.unwrap().status;
    assert_eq!(status, 400);
    assert_eq!(upstreams[0].hits(), 0);
}

#[tokio::test]
async fn an_exact_host_goes_before_a_wildcard_and_the_longest_wildcard_before_others() {
    let (edge, _upstreams) = edge(&[
        ("any", &["*.test"], None),
        ("any-of-shop", &["*.shop.test"], None),
        ("shop", &["shop.test"], None),
        ("one-of-shop", &["one.shop.test"], None),
    ])
    .await;
    for (host, expected) in [
        ("shop.test", "shop"),
        ("one.shop.test", "one-of-shop"),
        ("two.shop.test", "any-of-shop"),
        ("deep.two.shop.test", "any-of-shop"),
        ("deep.one.shop.test", "any-of-shop"),
        ("blog.test", "any"),
        ("deep.blog.test", "any"),
    ] {
        assert_eq!(
            by(edge.ask("x.test", &Ask::get("/").header("Host", host)).await),
            expected,
            "{host}"
        );
    }
    // A wildcard does not cover the name itself.
    edge.ask("x.test", &Ask::get("/").header("Host", "test"))
        .await
        .expect(404);
}

#[tokio::test]
async fn an_exact_path_goes_before_a_prefix_and_the_longest_prefix_before_others() {
    let hosts: &[&str] = &["app.test"];
    let (edge, _upstreams) = edge(&[
        ("root", hosts, None),
        ("api", hosts, Some(r#"["/api"]"#)),
        ("api-v2", hosts, Some(r#"["/api/v2/"]"#)),
        (
            "health",
            hosts,
            Some(r#"[{ exact = "/api/health" }, { exact = "/ping" }]"#),
        ),
    ])
    .await;
    for (target, expected) in [
        ("/", "root"),
        ("/api", "api"),
        ("/api/", "api"),
        ("/api?x=/ping", "api"),
        ("/api/items", "api"),
        ("/apiary", "root"),
        ("/api.json", "root"),
        ("/API/items", "root"),
        ("/api/v2", "api-v2"),
        ("/api/v2/items", "api-v2"),
        ("/api/v20", "api"),
        ("/api/health", "health"),
        ("/api/health?deep=1", "health"),
        ("/api/health/", "api"),
        ("/ping", "health"),
        ("/ping/pong", "root"),
    ] {
        assert_eq!(
            by(edge.ask("app.test", &Ask::get(target)).await),
            expected,
            "{target}"
        );
        assert_eq!(
            by(edge.ask_h2("app.test", &Ask::get(target)).await),
            expected,
            "{target} over h2"
        );
    }
}

#[tokio::test]
async fn a_host_without_a_route_for_the_path_is_404() {
    let (edge, upstreams) = edge(&[
        ("api", &["app.test"], Some(r#"["/api"]"#)),
        ("any", &["*.test"], None),
    ])
    .await;
    // The exact host decides; the wildcard does not catch what it leaves over.
    edge.ask("app.test", &Ask::get("/else")).await.expect(404);
    assert_eq!(upstreams[0].hits() + upstreams[1].hits(), 0);
}

#[tokio::test]
async fn a_disguised_path_takes_the_route_of_what_it_means() {
    let hosts: &[&str] = &["app.test"];
    let (edge, _upstreams) = edge(&[("public", hosts, None), ("admin", hosts, Some(r#"["/admin"]"#))]).await;
    for target in [
        "/admin",
        "/%61dmin/users",
        "/public/../admin",
        "/public/%2e%2e/admin",
        "//admin/x",
        "/./admin",
    ] {
        assert_eq!(
            by(edge.ask("app.test", &Ask::get(target)).await),
            "admin",
            "{target}"
        );
    }
    for target in ["/admin/../public", "/x%2fadmin", "/public?/admin"] {
        assert_eq!(
            by(edge.ask("app.test", &Ask::get(target)).await),
            "public",
            "{target}"
        );
    }
}

#[tokio::test]
async fn the_upstream_gets_the_target_as_the_client_wrote_it() {
    let (edge, _upstreams) = edge(&[("app", &["app.test"], None)]).await;
    for target in [
        "/a%20b/c%2Fd?x=%C3%A9&y=a+b&&z",
        "/a;v=1/b,c/@me?:=/",
        "/x?",
        "/~user/?q=%7E%25//..",
    ] {
        let answer = edge.ask("app.test", &Ask::get(target)).await.expect(200);
        assert_eq!(answer.json()["uri"], target);
    }
}

#[tokio::test]
async fn the_upstream_gets_a_path_in_its_one_form() {
    let (edge, upstreams) = edge(&[("app", &["app.test"], None)]).await;
    for (target, seen) in [
        ("/a//b?c=//", "/a/b?c=//"),
        ("/a/./b/../c", "/a/c"),
        ("/a/%2e%2e/%7Euser", "/~user"),
        ("/a%2fb", "/a%2Fb"),
        ("/../../etc/passwd", "/etc/passwd"),
        ("https://app.test/a/..//b?c", "/b?c"),
    ] {
        let answer = edge.ask("app.test", &Ask::get(target)).await.expect(200);
        assert_eq!(answer.json()["uri"], seen, "{target}");
    }
    let hits = upstreams[0].hits();
    edge.ask("app.test", &Ask::get("/a%00b")).await.expect(400);
    assert_eq!(upstreams[0].hits(), hits);
}

#[tokio::test]
async fn escaped_slashes_by_policy() {
    for (policy, status, seen) in [
        ("keep", 200, "/a%2Fb"),
        ("decode", 200, "/a/b"),
        ("reject", 400, ""),
    ] {
        let upstream = Upstream::echo("app").await;
        let edge = TestEdge::builder()
            .listen(&format!("escaped_slashes = \"{policy}\""))
            .route(&Route::new("app").to(&upstream).unguarded())
            .start()
            .await;
        let answer = edge.ask("app.test", &Ask::get("/a%2fb")).await.expect(status);
        if status == 200 {
            assert_eq!(answer.json()["uri"], seen);
        }
        assert_eq!(upstream.hits(), usize::from(status == 200));
    }
}

#[tokio::test]
async fn a_connection_serves_the_hosts_of_its_certificate_and_no_others() {
    let (one, other) = (Upstream::echo("one").await, Upstream::echo("other").await);
    let edge = TestEdge::builder()
        .certificate("elsewhere", &["app.elsewhere"])
        .route(&Route::new("one").hosts(&["one.test"]).to(&one).unguarded())
        .route(&Route::new("two").hosts(&["two.test"]).to(&one).unguarded())
        .and(
            &Route::new("other")
                .hosts(&["app.elsewhere"])
                .to(&other)
                .unguarded()
                .toml(),
        )
        .start()
        .await;
    for (sni, host, status) in [
        ("one.test", "one.test", 200),
        ("one.test", "ONE.test.:443", 200),
        ("one.test", "two.test", 200),
        ("one.test", "app.elsewhere", 421),
        ("one.test", "nobody.elsewhere", 421),
    ] {
        let mut connection = edge.connect(sni).await.unwrap();
        connection.send(Ask::get("/").bytes(host)).await.unwrap();
        connection.answer().await.unwrap().expect(status);
    }
    // A client without SNI asked for nothing that could differ.
    let nameless = Tls {
        sni: false,
        ..Tls::default()
    };
    let mut connection = Connection::tls(edge.https(), "one.test", &nameless)
        .await
        .unwrap();
    connection
        .send(Ask::get("/").bytes("app.elsewhere"))
        .await
        .unwrap();
    connection.answer().await.unwrap().expect(200);
    assert_eq!((one.hits(), other.hits()), (3, 1));
}

#[tokio::test]
async fn names_with_underscores_go_no_further_by_default() {
    let (edge, _upstreams) = edge(&[("app", &["app.test"], None)]).await;
    let ask = Ask::get("/")
        .header("X_Forwarded_For", "6.6.6.6")
        .header("X_Other", "1");
    let answer = edge.ask("app.test", &ask).await.expect(200);
    assert!(answer.echoed("x_other").is_empty());
    let strict = TestEdge::builder()
        .listen("underscores = \"reject\"")
        .route(&Route::new("app").unguarded())
        .start()
        .await;
    strict.ask("app.test", &ask).await.expect(400);
    strict.ask_h2("app.test", &ask).await.expect(400);
}

#[tokio::test]
async fn method_headers_and_body_arrive_and_status_headers_and_body_return() {
    let (edge, _upstreams) = edge(&[("app", &["app.test"], None)]).await;
    for versions in [Versions::Http1, Versions::Http2] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let ask = Ask::new(method, "/thing?a=b")
                .header("X-Custom", "one")
                .also("X-Custom", "two")
                .body("the body");
            let request = polite::request(&edge.client_of(versions), "app.test", &ask);
            let answer = polite::send(request).await.expect(200);
            assert_eq!(answer.echoed("x-custom"), ["one", "two"]);
            let json = answer.json();
            assert_eq!(json["method"], method);
            assert_eq!(json["body"], "the body");
            assert_eq!(json["uri"], "/thing?a=b");
            assert_eq!(answer.header("content-type"), Some("application/json"));
        }
    }
}
