//! Certificates that clients show, where a host asks for them.

use palisade_tests::harness::{
    Answer, Ask, Connection, Identity, Leaf, Route, TestCa, TestEdge, Tls, Upstream, eventually,
};
use rustls::version::{TLS12, TLS13};

/// An edge with a host that wants certificates of `ca`, a host where one path does, and a host that knows nothing of it.
async fn edge(ca: &TestCa, upstream: &Upstream, lines: &str) -> TestEdge {
    let route = |name: &str| Route::new(name).to(upstream).unguarded();
    let asks = |lines: &str| format!("[routes.client_certificate]\nca = \"clients.pem\"\n{lines}\n");
    TestEdge::builder()
        .file("clients.pem", &ca.pem())
        .file("revoked.pem", &ca.revoke(&[666]))
        .route(&route("private").and(&asks(lines)))
        .route(&route("mixed").and(&asks("mode = \"optional\"")))
        .route(
            &route("admin")
                .hosts(&["mixed.test"])
                .paths("[\"/admin\"]")
                .and(&asks("")),
        )
        .route(&route("open"))
        .start()
        .await
}

fn showing(leaf: &Leaf) -> Tls {
    Tls {
        identity: Identity::of(leaf),
        ..Tls::default()
    }
}

/// Asks `host` over a connection to `name`.
async fn ask_over(edge: &TestEdge, name: &str, tls: &Tls, host: &str, ask: &Ask) -> std::io::Result<Answer> {
    let mut connection = Connection::tls(edge.https(), name, tls).await?;
    connection.send(ask.bytes(host)).await?;
    connection.answer().await
}

#[tokio::test]
async fn only_who_shows_a_certificate_comes_in_and_the_application_is_told_whose() {
    let (ca, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let edge = edge(&ca, &upstream, "").await;
    let anna = ca.issue_client("anna", 7);
    let ask = Ask::get("/in")
        .accept_json()
        .header("X-Forwarded-Client-Cert", "Subject=\"CN=root\"");
    let ask = ask.header("Client-Cert", ":AAAA:");
    let answer = ask_over(&edge, "private.test", &showing(&anna), "private.test", &ask)
        .await
        .unwrap();
    let told = answer.expect(200).echoed("x-forwarded-client-cert");
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("Hash=") && told[0].contains("Subject=\"CN=anna\""),
        "{told:?}"
    );
    assert_eq!(edge.accessed("/in").await["user"], "CN=anna");

    let nobody = ask_over(
        &edge,
        "private.test",
        &Tls::default(),
        "private.test",
        &Ask::get("/none"),
    )
    .await;
    nobody.unwrap().expect(403);
    assert_eq!(edge.accessed("/none").await["refused"], "client_certificate");
    let stranger = TestCa::new().issue_client("anna", 7);
    let answer = ask_over(
        &edge,
        "private.test",
        &showing(&stranger),
        "private.test",
        &Ask::get("/"),
    )
    .await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(upstream.hits(), 1);
}

#[tokio::test]
async fn a_route_that_wants_a_certificate_is_not_reached_over_a_connection_to_another_host() {
    let (ca, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let edge = edge(&ca, &upstream, "").await;
    let anna = showing(&ca.issue_client("anna", 7));
    let nameless = Tls {
        sni: false,
        ..anna.clone()
    };
    for (name, tls) in [
        ("open.test", &anna),
        ("open.test", &Tls::default()),
        ("private.test", &nameless),
    ] {
        let answer = ask_over(&edge, name, tls, "private.test", &Ask::get("/x"))
            .await
            .unwrap();
        answer.expect(421);
    }
    assert_eq!(upstream.hits(), 0);
}

#[tokio::test]
async fn only_hosts_that_want_a_certificate_ask_for_one() {
    let (ca, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let edge = edge(&ca, &upstream, "").await;
    for version in [&TLS12, &TLS13] {
        let tls = Tls {
            versions: vec![version],
            ..showing(&ca.issue_client("anna", 7))
        };
        for (host, asks) in [
            ("open.test", false),
            ("private.test", true),
            ("PRIVATE.test", true),
            ("mixed.test", true),
        ] {
            ask_over(&edge, host, &tls, host, &Ask::get("/"))
                .await
                .unwrap()
                .expect(200);
            assert_eq!(tls.identity.was_asked(), asks, "{host} {version:?}");
        }
    }
}

#[tokio::test]
async fn one_path_of_a_host_may_want_what_the_others_only_take() {
    let (ca, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let edge = edge(&ca, &upstream, "").await;
    let anna = showing(&ca.issue_client("anna", 7));
    for (path, tls, status, told) in [
        ("/", &Tls::default(), 200, 0),
        ("/", &anna, 200, 1),
        ("/admin", &Tls::default(), 403, 0),
        ("/admin", &anna, 200, 1),
    ] {
        let ask = Ask::get(path).accept_json();
        let answer = ask_over(&edge, "mixed.test", tls, "mixed.test", &ask)
            .await
            .unwrap()
            .expect(status);
        if status == 200 {
            assert_eq!(answer.echoed("x-forwarded-client-cert").len(), told, "{path}");
        }
    }
}

#[tokio::test]
async fn a_list_that_is_over_counts_only_where_the_operator_says_so() {
    let (ca, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let route = |name: &str, lines: &str| {
        let table =
            format!("[routes.client_certificate]\nca = \"clients.pem\"\ncrl = \"revoked.pem\"\n{lines}\n");
        Route::new(name).to(&upstream).unguarded().and(&table)
    };
    let edge = TestEdge::builder()
        .file("clients.pem", &ca.pem())
        .file("revoked.pem", &ca.revoke_until(&[666], 2025))
        .route(&route("strict", ""))
        .route(&route("lax", "crl_expired = \"accept\""))
        .start()
        .await;
    let (anna, evil) = (
        showing(&ca.issue_client("anna", 7)),
        showing(&ca.issue_client("evil", 666)),
    );
    for (host, tls, passes) in [
        ("strict.test", &anna, false),
        ("lax.test", &anna, true),
        ("lax.test", &evil, false),
    ] {
        let answer = ask_over(&edge, host, tls, host, &Ask::get("/")).await;
        assert_eq!(answer.is_ok_and(|answer| answer.status == 200), passes, "{host}");
    }
    // A list in time, and they are let in again.
    edge.files().write("revoked.pem", &ca.revoke(&[666]));
    eventually("the list", || async {
        let answer = ask_over(&edge, "strict.test", &anna, "strict.test", &Ask::get("/")).await;
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_ca_in_between_may_be_revoked_too() {
    let (root, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let (good, bad) = (root.below("good", 1), root.below("bad", 2));
    let lists = [root.revoke(&[2]), good.revoke(&[]), bad.revoke(&[])].concat();
    let route = |name: &str, crl: &str, lines: &str| {
        let table = format!("[routes.client_certificate]\nca = \"root.pem\"\ncrl = {crl:?}\n{lines}\n");
        Route::new(name).to(&upstream).unguarded().and(&table)
    };
    let edge = TestEdge::builder()
        .file("root.pem", &root.pem())
        .file("all.pem", &lists)
        .file(
            "of-the-clients.pem",
            &[good.revoke(&[]), bad.revoke(&[])].concat(),
        )
        .route(&route("chain", "all.pem", ""))
        .route(&route("unknown", "of-the-clients.pem", ""))
        .route(&route("client", "of-the-clients.pem", "crl_depth = \"client\""))
        .start()
        .await;
    let client = |ca: &TestCa| {
        let mut leaf = ca.issue_client("anna", 7);
        leaf.certificate.push_str(&ca.pem());
        showing(&leaf)
    };
    for (host, ca, passes) in [
        ("chain.test", &good, true),
        ("chain.test", &bad, false),
        // Of these CAs themselves nothing is known.
        ("unknown.test", &good, false),
        ("client.test", &good, true),
        ("client.test", &bad, true),
    ] {
        let answer = ask_over(&edge, host, &client(ca), host, &Ask::get("/")).await;
        assert_eq!(answer.is_ok_and(|answer| answer.status == 200), passes, "{host}");
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_none_and_a_new_list_counts_for_open_connections_too() {
    let (ca, upstream) = (TestCa::new(), Upstream::echo("app").await);
    let lines = "crl = \"revoked.pem\"\nheaders = [{ name = \"X-Client\", value = \"subject\" }]";
    let other = "mode = \"optional\"\ncrl = \"revoked.pem\"";
    let route = |name: &str, lines: &str| {
        let table = format!("[routes.client_certificate]\nca = \"clients.pem\"\n{lines}\n");
        Route::new(name).to(&upstream).unguarded().and(&table)
    };
    let edge = TestEdge::builder()
        .file("clients.pem", &ca.pem())
        .file("revoked.pem", &ca.revoke(&[666]))
        .route(&route("private", lines))
        .route(&route("other", other))
        .start()
        .await;
    let (anna, evil) = (
        showing(&ca.issue_client("anna", 7)),
        showing(&ca.issue_client("evil", 666)),
    );
    let revoked = ask_over(&edge, "private.test", &evil, "private.test", &Ask::get("/")).await;
    assert!(revoked.is_err(), "{revoked:?}");
    let mut open = Connection::tls(edge.https(), "private.test", &anna)
        .await
        .unwrap();
    let keep = |path: &str| {
        let text = String::from_utf8(Ask::get(path).accept_json().bytes("private.test")).unwrap();
        text.replace("Connection: close\r\n", "")
    };
    open.send(keep("/a")).await.unwrap();
    assert_eq!(
        open.answer().await.unwrap().expect(200).echoed("x-client"),
        ["CN=anna"]
    );
    edge.files().write("revoked.pem", &ca.revoke(&[666, 7]));
    edge.reload().await.unwrap();
    // Its certificate was verified under the list of before.
    open.send(keep("/b")).await.unwrap();
    open.answer().await.unwrap().expect(421);
    eventually("the list", || async {
        let answer = ask_over(&edge, "private.test", &anna, "private.test", &Ask::get("/c")).await;
        answer.is_err().then_some(())
    })
    .await;
}
