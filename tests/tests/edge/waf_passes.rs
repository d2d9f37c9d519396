//! Ordinary traffic through the live edge passes, whole; what the CRS mistakes for an attack passes with an exclusion.

use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, Versions, crs_rules, polite, world};

use crate::ordinary::{self, Ordinary};
use crate::{attacks, false_positives};

async fn pass(requests: Vec<Ordinary>) {
    let Some(world) = world() else { return };
    let mut wrong = Vec::new();
    for (name, ask) in requests {
        let answer = world.edge.ask("app.test", &ask).await;
        if answer.status != 200 {
            wrong.push(format!("{name}: {}", answer.status));
            continue;
        }
        let seen = world
            .echo
            .journal()
            .find(&ask.probe)
            .unwrap_or_else(|| panic!("{name} did not arrive"));
        assert_eq!(seen.method, ask.method, "{name}");
        assert_eq!(seen.uri.as_bytes(), ask.target, "{name}");
        if ask.method == "HEAD" {
            continue;
        }
        let body = ask.body.unwrap_or_default();
        assert_eq!(answer.json()["body_bytes"], body.len(), "{name}");
        assert_eq!(
            answer.json()["body"],
            String::from_utf8_lossy(&body).as_ref(),
            "{name}"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn pages_logins_and_searches() {
    pass(ordinary::pages()).await;
}

#[tokio::test]
async fn what_people_write() {
    pass(ordinary::words()).await;
}

#[tokio::test]
async fn apis() {
    pass(ordinary::apis()).await;
}

#[tokio::test]
async fn uploads() {
    pass(ordinary::uploads()).await;
}

#[tokio::test]
async fn sign_in_by_a_third_party() {
    pass(ordinary::oidc()).await;
}

#[tokio::test]
async fn applications_of_a_home_or_an_office() {
    pass(ordinary::applications()).await;
}

#[tokio::test]
async fn cookies_of_common_applications() {
    pass(ordinary::cookies()).await;
}

#[tokio::test]
async fn the_same_over_http_2() {
    let Some(world) = world() else { return };
    let client = world.edge.client_of(Versions::Http2);
    let all = [
        ordinary::words(),
        ordinary::apis(),
        ordinary::uploads(),
        ordinary::applications(),
    ];
    let mut wrong = Vec::new();
    for (name, ask) in all.into_iter().flatten() {
        let answer = polite::send(polite::request(&client, "app.test", &ask)).await;
        if answer.status != 200 {
            wrong.push(format!("{name}: {}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn false_positives_pass_with_their_exclusions_and_attacks_still_do_not() {
    let Some(rules) = crs_rules() else { return };
    let Some(world) = world() else { return };
    let upstream = Upstream::echo("tuned").await;
    let route = Route::new("tuned").to(&upstream);
    let route = false_positives::all()
        .iter()
        .fold(route, |route, (_, lines, _)| route.except(lines));
    let edge = TestEdge::with(Some(rules), &[route]).await;
    let mut wrong = Vec::new();
    for (name, _, ask) in false_positives::all() {
        let plain = world.edge.ask("app.test", &ask).await.status;
        let tuned = edge.ask("tuned.test", &ask).await.status;
        if (plain, tuned) != (403, 200) {
            wrong.push(format!("{name}: {plain} without, {tuned} with the exclusion"));
        }
    }
    let families = [
        attacks::methods(),
        attacks::sql(),
        attacks::scripts(),
        attacks::commands(),
        attacks::local_files(),
        attacks::java(),
    ];
    for (name, ask) in families.into_iter().flatten() {
        let status = edge.ask("tuned.test", &ask).await.status;
        if status != 403 || upstream.saw(&ask.probe) {
            wrong.push(format!("{name}: {status} beside the exclusions"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_asked_again_is_recalled_and_what_is_refused_is_refused_each_time() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(Some(rules), &[Route::new("app").to(&upstream)]).await;
    let poll = Ask::get("/api/events?since=17").accept_json();
    // Two workers, each with a memory of its own.
    for _ in 0..20 {
        edge.ask("app.test", &poll).await.expect(200);
        edge.ask_h2("app.test", &poll).await.expect(200);
    }
    let verdicts = "palisade_waf_verdicts_total{route=\"app\",outcome=\"passed\"}";
    edge.metric_is(verdicts, 40.0).await;
    let recalled = edge.metric("palisade_waf_recalled_total{route=\"app\"}").await;
    assert!((20.0..=36.0).contains(&recalled), "{recalled}");
    let line = edge.accessed("/api/events").await;
    assert_eq!(
        (&line["waf"], &line["score"]),
        (&"passed".into(), &0.into()),
        "{line}"
    );

    let attack = Ask::get("/api/events?since=1'+or+'1'='1").accept_json();
    let mut incidents = std::collections::BTreeSet::new();
    for _ in 0..6 {
        incidents.insert(edge.ask("app.test", &attack).await.expect(403).incident());
    }
    assert_eq!(incidents.len(), 6);
    // The head that was harmless with a body that is not.
    let form = |body: &str| Ask::form("/api/notes", body);
    for _ in 0..4 {
        edge.ask("app.test", &form("note=buy+milk")).await.expect(200);
        edge.ask("app.test", &form("note=1'+or+'1'='1")).await.expect(403);
    }
}

#[tokio::test]
async fn an_exclusion_is_as_narrow_as_it_is_written() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(
        Some(rules),
        &[Route::new("app").hosts(&["app.test", "other.test"]).to(&upstream).except(
            "rules = [\"942000-942999\"]\ntargets = [\"ARGS:query\"]\nhosts = [\"app.test\"]\npath = \"/sql\"\n\
             methods = [\"POST\"]\nreason = \"a console for SQL\"",
        )],
    )
    .await;
    let sql = "1'+union+select+login,password+from+users--+";
    let passes = Ask::form("/sql", format!("query={sql}"));
    edge.ask("app.test", &passes).await.expect(200);
    edge.ask("app.test", &Ask::form("/sql/run", format!("query={sql}")))
        .await
        .expect(200);
    for (what, host, ask) in [
        (
            "another argument",
            "app.test",
            Ask::form("/sql", format!("other={sql}")),
        ),
        (
            "another path",
            "app.test",
            Ask::form("/sqlite", format!("query={sql}")),
        ),
        (
            "another method",
            "app.test",
            Ask::get(format!("/sql?query={sql}")),
        ),
        (
            "another host",
            "other.test",
            Ask::form("/sql", format!("query={sql}")),
        ),
        (
            "a path that only begins alike",
            "app.test",
            Ask::form("/sql/../item", format!("query={sql}")),
        ),
        (
            "a path that only begins alike, escaped",
            "app.test",
            Ask::form("/sql/..%2fitem", format!("query={sql}")),
        ),
        (
            "a path that only begins alike, escaped twice",
            "app.test",
            Ask::form("/sql/%2e%2e/item", format!("query={sql}")),
        ),
        (
            "a path with a parameter",
            "app.test",
            Ask::form("/sql/..;/item", format!("query={sql}")),
        ),
        (
            "another attack",
            "app.test",
            Ask::form("/sql", "query=<script>alert(document.cookie)</script>"),
        ),
        (
            "another attack beside it",
            "app.test",
            Ask::form("/sql", format!("query={sql}&x=../../../etc/passwd")),
        ),
    ] {
        let status = edge.ask(host, &ask).await.status;
        assert!(matches!(status, 400 | 403), "{what}: {status}");
        assert!(!upstream.saw(&ask.probe), "{what}");
    }
    // A tag does the same as ids.
    edge.files()
        .edit("rules = [\"942000-942999\"]", "tags = [\"attack-sqli\"]");
    edge.reload().await.unwrap();
    edge.ask("app.test", &passes).await.expect(200);
    edge.ask("app.test", &Ask::form("/sql", format!("other={sql}")))
        .await
        .expect(403);
}
