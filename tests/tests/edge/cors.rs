//! Pages of other sites: who may read answers.

use palisade_tests::harness::upstream::full;
use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, crs_rules};

use crate::filters::{BOTH, send};

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
