//! Who may use a route and how often, and what its answers tell browsers.

use std::sync::Arc;

use palisade::access::{AccessError, Countries};
use palisade::config::Country;
use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, country_database, eventually};

#[tokio::test]
async fn whoever_asks_too_often_waits_and_is_told_how_long() {
    let upstream = Upstream::echo("app").await;
    let limit = "[[routes.rate_limits]]\nrequests = 2\nper = \"1h\"";
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded().and(limit)]).await;
    let ask = || Ask::get("/slow").accept_json();
    let first = edge.ask("app.test", &ask()).await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"default\";q=2;w=3600"));
    assert!(
        first
            .header("ratelimit")
            .unwrap()
            .starts_with("\"default\";r=1;t="),
        "{:?}",
        first.headers
    );
    edge.ask_h2("app.test", &ask()).await.expect(200);
    let refused = edge.ask("app.test", &ask()).await.expect(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1700..=1800).contains(&wait), "{wait}");
    assert!(
        refused
            .header("ratelimit")
            .unwrap()
            .starts_with("\"default\";r=0;t=")
    );
    edge.ask_h2("app.test", &ask()).await.expect(429);
    assert_eq!(upstream.hits(), 2);

    let line = edge
        .access_log()
        .line("a refusal", |line| line["status"] == 429)
        .await;
    assert_eq!(line["refused"], "rate_limit");
    eventually("the metric", || async {
        let series = "palisade_access_refusals_total{route=\"app\",reason=\"rate_limit\"}";
        (edge.metric(series).await == 2.0).then_some(())
    })
    .await;
    // A reload gives nobody back what is used up.
    edge.files().edit("grace = \"10s\"", "grace = \"11s\"");
    edge.reload().await.unwrap();
    edge.ask("app.test", &ask()).await.expect(429);
}

#[tokio::test]
async fn a_limit_for_logins_is_not_got_around_by_spelling_and_leaves_the_rest_alone() {
    let limit =
        "[[routes.rate_limits]]\nrequests = 1\nper = \"1h\"\npaths = [\"/login\"]\nmethods = [\"POST\"]";
    let edge = TestEdge::with(None, &[Route::new("app").unguarded().and(limit)]).await;
    edge.ask("app.test", &Ask::form("/login", "a=b"))
        .await
        .expect(200);
    for path in ["/login", "/%6Cogin", "//login", "/x/../login"] {
        let answer = edge.ask("app.test", &Ask::form(path, "a=b")).await;
        assert_ne!(answer.status, 200, "{path}");
    }
    edge.ask("app.test", &Ask::get("/login")).await.expect(200);
    edge.ask("app.test", &Ask::form("/other", "a=b"))
        .await
        .expect(200);
}

#[tokio::test]
async fn limits_and_lists_go_by_the_client_that_a_trusted_proxy_names() {
    let policies =
        "[routes.access]\ndeny = [\"203.0.113.0/24\"]\n[[routes.rate_limits]]\nrequests = 1\nper = \"1h\"";
    let edge = TestEdge::builder()
        .listen("trusted_proxies = [\"127.0.0.1\"]")
        .route(&Route::new("app").unguarded().and(policies))
        .start()
        .await;
    for (client, status) in [
        ("198.51.100.1", 200),
        ("198.51.100.1", 429),
        ("198.51.100.2", 200),
        ("203.0.113.9", 403),
        // What stands before the proxy's own word anybody can write.
        ("192.0.2.1, 198.51.100.2", 429),
    ] {
        let ask = Ask::get("/").header("X-Forwarded-For", client);
        edge.ask("app.test", &ask).await.expect(status);
    }
}

#[tokio::test]
async fn only_allowed_addresses_come_in_and_a_list_is_taken_over_when_it_changes() {
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app")
        .to(&upstream)
        .unguarded()
        .and("[routes.access]\nallow_files = [\"friends.txt\"]\ndeny = [\"203.0.113.0/24\"]");
    let edge = TestEdge::builder()
        .file("friends.txt", "# nobody yet\n192.0.2.0/24\n")
        .route(&route)
        .start()
        .await;
    let refused = edge
        .ask("app.test", &Ask::get("/a").accept_json())
        .await
        .expect(403);
    // It says no more than any other refusal.
    assert_eq!(
        refused.text(),
        "{\"status\":403,\"error\":\"This request was blocked\"}\n"
    );
    assert_eq!(edge.accessed("/a").await["refused"], "address");
    assert_eq!(upstream.hits(), 0);
    edge.files().write("friends.txt", "192.0.2.0/24\n127.0.0.1 me\n");
    eventually("the list", || async {
        let answer = edge.ask("app.test", &Ask::get("/b")).await;
        (answer.status == 200).then_some(())
    })
    .await;
    // A list that is none changes nothing and is told with its line.
    edge.files().write("friends.txt", "127.0.0.1\n<html>\n");
    let error = edge.reload().await.unwrap_err();
    assert!(error.contains("friends.txt:2:1"), "{error}");
    edge.ask("app.test", &Ask::get("/c")).await.expect(200);
}

#[tokio::test]
async fn a_country_is_let_in_or_kept_out_and_a_new_database_is_taken_over() {
    let upstream = Upstream::echo("app").await;
    let route = |name: &str, lines: &str| {
        let table = format!("[routes.access]\n{lines}");
        Route::new(name).to(&upstream).unguarded().and(&table)
    };
    let builder = TestEdge::builder()
        .route(&route("only", "allow_countries = [\"DE\"]"))
        .route(&route("without", "deny_countries = [\"DE\"]"))
        .route(&route(
            "home",
            "allow_countries = [\"FR\"]\nallow = [\"127.0.0.1\"]",
        ))
        .and("[access]\ncountry_database = \"countries.mmdb\"");
    let files = builder.write();
    let first = country_database(&[("127.0.0.0/8", "DE")]);
    std::fs::write(files.folder().join("countries.mmdb"), first).unwrap();
    let edge = TestEdge::restart(files).await;
    for (host, status) in [("only.test", 200), ("without.test", 403), ("home.test", 200)] {
        edge.ask(host, &Ask::get("/")).await.expect(status);
    }
    let line = edge
        .access_log()
        .line("the refusal", |line| line["status"] == 403)
        .await;
    assert_eq!(line["refused"], "country");
    let beside = edge.files().folder().join("countries.new");
    std::fs::write(
        &beside,
        country_database(&[("127.0.0.0/8", "AT"), ("192.0.2.0/24", "DE")]),
    )
    .unwrap();
    std::fs::rename(beside, edge.files().folder().join("countries.mmdb")).unwrap();
    eventually("the database", || async {
        let answer = edge.ask("only.test", &Ask::get("/")).await;
        (answer.status == 403).then_some(())
    })
    .await;
    edge.ask("without.test", &Ask::get("/")).await.expect(200);
}

#[test]
fn a_country_is_found_by_network_and_an_unknown_address_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countries.mmdb");
    let networks = [
        ("203.0.113.0/24", "DE"),
        ("198.51.100.128/25", "FR"),
        ("2001:db8::/32", "AT"),
    ];
    std::fs::write(&path, country_database(&networks)).unwrap();
    let countries = Countries::read(&path, None).unwrap();
    for (address, expected) in [
        ("203.0.113.7", Some(b"DE")),
        ("::ffff:203.0.113.7", Some(b"DE")),
        ("198.51.100.200", Some(b"FR")),
        ("198.51.100.1", None),
        ("2001:db8::1", Some(b"AT")),
        ("192.168.1.1", None),
        ("::1", None),
    ] {
        let found = countries.of(address.parse().unwrap());
        assert_eq!(found, expected.map(|code| Country(*code)), "{address}");
    }
    let again = Countries::read(&path, Some(&countries)).unwrap();
    assert!(
        Arc::ptr_eq(&again, &countries),
        "an unchanged file is not read again"
    );
    std::fs::write(&path, country_database(&[("203.0.113.0/24", "FR")])).unwrap();
    let changed = Countries::read(&path, Some(&countries)).unwrap();
    assert_eq!(changed.of("203.0.113.7".parse().unwrap()), Some(Country(*b"FR")));
}

#[test]
fn what_is_no_database_is_refused_and_a_broken_one_knows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countries.mmdb");
    assert!(matches!(
        Countries::read(&path, None),
        Err(AccessError::Countries { .. })
    ));
    std::fs::write(&path, "not a database").unwrap();
    assert!(matches!(
        Countries::read(&path, None),
        Err(AccessError::Countries { .. })
    ));
    std::fs::write(&path, country_database(&[("203.0.113.0/24", "")])).unwrap();
    assert!(matches!(
        Countries::read(&path, None),
        Err(AccessError::NoCountries { .. })
    ));
    let whole = country_database(&[("203.0.113.0/24", "DE")]);
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0xff;
        std::fs::write(&path, broken).unwrap();
        if let Ok(countries) = Countries::read(&path, None) {
            let _ = countries.of("203.0.113.7".parse().unwrap());
        }
    }
}

#[tokio::test]
async fn answers_carry_the_security_headers_of_their_route() {
    let upstream = Upstream::echo("app").await;
    let plain = Route::new("plain").to(&upstream).unguarded();
    let own = Route::new("own")
        .to(&upstream)
        .unguarded()
        .and("[routes.security_headers]\nframes = \"nobody\"\n[routes.access]\ndeny = [\"127.0.0.1\"]");
    let edge = TestEdge::builder()
        .route(&plain)
        .route(&own)
        .and("[security_headers]\npreset = \"recommended\"")
        .start()
        .await;
    for (host, status, frames) in [("plain.test", 200, "SAMEORIGIN"), ("own.test", 403, "DENY")] {
        let answer = edge.ask(host, &Ask::get("/")).await.expect(status);
        assert_eq!(
            answer.header("strict-transport-security"),
            Some("max-age=31536000"),
            "{host}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{host}");
        assert_eq!(answer.header("x-frame-options"), Some(frames), "{host}");
    }
}

#[tokio::test]
async fn preflights_count_and_come_from_somewhere_but_need_no_password() {
    let upstream = Upstream::echo("app").await;
    let cors = "[routes.cors]\nallow_origins = [\"https://page.test\"]\nallow_methods = [\"PUT\"]\n";
    let limit = "[[routes.rate_limits]]\nrequests = 2\nper = \"1h\"";
    let nobody = "[routes.access]\ndeny = [\"127.0.0.0/8\"]\n";
    let routes = [
        Route::new("app").to(&upstream).unguarded().and(cors).and(limit),
        Route::new("shut").to(&upstream).unguarded().and(cors).and(nobody),
    ];
    let edge = TestEdge::with(None, &routes).await;
    let preflight = || {
        Ask::new("OPTIONS", "/")
            .header("Origin", "https://page.test")
            .header("Access-Control-Request-Method", "PUT")
    };
    edge.ask("app.test", &preflight()).await.expect(204);
    edge.ask("app.test", &preflight()).await.expect(204);
    edge.ask("app.test", &preflight()).await.expect(429);
    edge.ask("shut.test", &preflight()).await.expect(403);
    assert_eq!(upstream.hits(), 0);
}
