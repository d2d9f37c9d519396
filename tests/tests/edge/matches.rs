//! Routes that are told apart by more than host and path.

use palisade_tests::harness::{Answer, Ask, Route, TestEdge, Upstream};

fn by(answer: Answer) -> String {
    answer.expect(200).json()["upstream"].as_str().unwrap().to_owned()
}

/// Routes of `app.test`: a name, and the lines that tell it apart.
async fn edge(routes: &[(&str, &str)]) -> (TestEdge, Vec<Upstream>) {
    let mut upstreams = Vec::new();
    let mut builder = TestEdge::builder();
    for (name, lines) in routes {
        let upstream = Upstream::echo(name).await;
        let route = Route::new(name).hosts(&["app.test"]).to(&upstream).unguarded();
        builder = builder.route(&route.line(lines));
        upstreams.push(upstream);
    }
    (builder.start().await, upstreams)
}

#[tokio::test]
async fn method_headers_and_query_choose_among_routes_of_one_path() {
    let (edge, _upstreams) = edge(&[
        ("stable", ""),
        ("canary", r#"headers = [{ name = "X-Canary", value = "always" }]"#),
        (
            "weekday",
            r#"headers = [{ name = "cookie", regex = "(^|; )group=b($|;)" }]"#,
        ),
        (
            "both",
            r#"headers = [{ name = "x-canary", value = "always" }, { name = "x-debug" }]"#,
        ),
        (
            "preview",
            r#"query = [{ name = "preview", value = "yes please" }]"#,
        ),
        ("write", r#"methods = ["POST", "PUT"]"#),
    ])
    .await;
    let get = Ask::get;
    for (ask, expected) in [
        (get("/"), "stable"),
        (get("/").header("X-Canary", "always"), "canary"),
        (get("/").header("x-canary", "Always"), "stable"),
        (
            get("/").header("X-Canary", "always").header("X-Debug", ""),
            "both",
        ),
        (get("/").header("Cookie", "a=1; group=b"), "weekday"),
        (get("/").header("Cookie", "group=bb"), "stable"),
        (get("/?a=b&preview=yes+please"), "preview"),
        (get("/?preview=yes%20please&preview=no"), "preview"),
        (get("/?preview=no&preview=yes+please"), "stable"),
        (get("/?preview=yes+please").header("X-Canary", "always"), "canary"),
        (
            Ask::form("/?preview=yes+please", "a=b").header("X-Canary", "always"),
            "write",
        ),
        (Ask::new("PATCH", "/"), "stable"),
    ] {
        assert_eq!(by(edge.ask("app.test", &ask).await), expected, "{ask:?}");
        assert_eq!(by(edge.ask_h2("app.test", &ask).await), expected, "h2: {ask:?}");
    }
}

#[tokio::test]
async fn crumbs_of_a_cookie_are_one_header() {
    let (edge, _upstreams) = edge(&[
        ("stable", ""),
        (
            "b",
            r#"headers = [{ name = "cookie", regex = "(^|; )group=b($|;)" }]"#,
        ),
    ])
    .await;
    let ask = Ask::get("/").header("Cookie", "a=1").also("Cookie", "group=b");
    assert_eq!(by(edge.ask_h2("app.test", &ask).await), "b");
}

#[tokio::test]
async fn an_expression_stands_between_exact_paths_and_prefixes() {
    let (edge, upstreams) = edge(&[
        ("exact", r#"paths = [{ exact = "/v1/health" }]"#),
        ("versions", r#"paths = [{ regex = "^/v[0-9]+/" }]"#),
        ("prefix", r#"paths = ["/v1"]"#),
        ("images", r#"paths = [{ regex = "\\.(png|svg)$" }]"#),
    ])
    .await;
    for (target, expected) in [
        ("/v1/health", "exact"),
        ("/v1/health/", "versions"),
        ("/v1", "prefix"),
        ("/v22/a", "versions"),
        ("/x/../v22/a", "versions"),
        ("/%7622/a", "versions"),
        ("/a/b.svg?v=1", "images"),
        // The longest expression goes first, as with Envoy Gateway.
        ("/v1/b.svg", "images"),
    ] {
        assert_eq!(
            by(edge.ask("app.test", &Ask::get(target)).await),
            expected,
            "{target}"
        );
    }
    let before: usize = upstreams.iter().map(Upstream::hits).sum();
    edge.ask("app.test", &Ask::get("/other")).await.expect(404);
    // It means another route once it is decoded.
    edge.ask("app.test", &Ask::get("/v22/..%2f..%2fv1"))
        .await
        .expect(400);
    assert_eq!(upstreams.iter().map(Upstream::hits).sum::<usize>(), before);
}

#[tokio::test]
async fn what_no_route_takes_is_404_whatever_the_path() {
    let (edge, upstreams) = edge(&[
        ("read", "methods = [\"GET\"]"),
        ("api", "paths = [\"/api\"]\nmethods = [\"POST\"]"),
    ])
    .await;
    // GET does not stand for HEAD; what the narrower path does not take, the wider one may.
    edge.ask("app.test", &Ask::new("HEAD", "/")).await.expect(404);
    edge.ask("app.test", &Ask::form("/", "a=b")).await.expect(404);
    assert_eq!(by(edge.ask("app.test", &Ask::get("/api")).await), "read");
    assert_eq!(by(edge.ask("app.test", &Ask::form("/api", "a=b")).await), "api");
    assert_eq!(upstreams[0].hits() + upstreams[1].hits(), 2);
}

#[tokio::test]
async fn the_same_conditions_twice_are_refused_with_both_places() {
    let route = |name: &str| {
        Route::new(name)
            .hosts(&["app.test"])
            .line(r#"methods = ["GET"]"#)
            .unguarded()
    };
    let builder = TestEdge::builder().route(&route("a")).route(&route("b"));
    let Err(error) = builder.try_start().await else {
        panic!("it starts");
    };
    assert!(
        error.contains("the method GET (route `a`) already stands at"),
        "{error}"
    );
}
