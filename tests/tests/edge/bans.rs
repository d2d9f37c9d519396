//! Clients that are kept out after too many incidents.

use palisade_tests::harness::{Ask, Route, TestEdge, Upstream, crs_rules, eventually, run_binary, said};

const ATTACK: &str = "/?id=1%27%20or%20%271%27=%271%27--";

async fn edge(rules: std::path::PathBuf, upstream: &Upstream, lines: &str) -> TestEdge {
    TestEdge::builder()
        .rules(rules)
        .route(&Route::new("app").to(upstream))
        .and(&format!("[bans]\nenabled = true\nincidents = 3\n{lines}"))
        .start()
        .await
}

async fn attack(edge: &TestEdge, times: usize) {
    for _ in 0..times {
        edge.ask("app.test", &Ask::get(ATTACK).accept_json())
            .await
            .expect(403)
            .incident();
    }
}

/// The incident is counted when the request is logged, a moment after its answer.
async fn banned(edge: &TestEdge) {
    eventually("the ban", || async {
        let answer = edge.ask("app.test", &Ask::get("/page").accept_json()).await;
        (answer.status == 403).then_some(())
    })
    .await;
}

#[tokio::test]
async fn three_attacks_ban_a_client_over_restarts_until_it_is_let_in_again() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = edge(rules, &upstream, "never = []").await;
    attack(&edge, 2).await;
    edge.ask("app.test", &Ask::get("/page")).await.expect(200);
    attack(&edge, 1).await;
    banned(&edge).await;
    let line = edge
        .access_log()
        .line("the refusal", |line| line["refused"] == "banned")
        .await;
    assert_eq!(line["route"], serde_json::Value::Null);
    let refused = edge
        .ask("app.test", &Ask::get("/page").accept_json())
        .await
        .expect(403);
    assert_eq!(
        refused.text(),
        "{\"status\":403,\"error\":\"This request was blocked\"}\n"
    );
    edge.metric_is("palisade_bans", 1.0).await;
    edge.metric_is("palisade_bans_imposed_total", 1.0).await;
    let told = edge.admin_get("/bans").await.expect(200).json();
    assert_eq!(told["bans"][0]["client"], "127.0.0.1");
    edge.files().edit("grace = \"10s\"", "grace = \"11s\"");
    edge.reload().await.unwrap();
    edge.ask("app.test", &Ask::get("/page")).await.expect(403);

    let edge = TestEdge::restart(edge.stop().await).await;
    edge.ask("app.test", &Ask::get("/page")).await.expect(403);
    let admin = format!("admin = \"{}\"", edge.admin());
    edge.files().edit("admin = \"127.0.0.1:0\"", &admin);
    let config = edge.files().config();
    let config = config.to_str().unwrap();
    let list = run_binary(&["bans", "list", "--config", config]).await;
    assert!(said(&list).contains("127.0.0.1  since 20"), "{}", said(&list));
    let other = run_binary(&["bans", "lift", "192.0.2.1", "--config", config]).await;
    assert!(
        !other.status.success() && said(&other).contains("not banned"),
        "{}",
        said(&other)
    );
    let lifted = run_binary(&["bans", "lift", "127.0.0.1", "--config", config]).await;
    assert!(lifted.status.success(), "{}", said(&lifted));
    edge.ask("app.test", &Ask::get("/page")).await.expect(200);
}

#[tokio::test]
async fn nobody_is_banned_who_is_never_to_be() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = edge(rules, &upstream, "").await;
    attack(&edge, 5).await;
    eventually("the log", || async {
        let lines = edge.access_log().lines();
        (lines.iter().filter(|line| line["waf"] == "blocked").count() == 5).then_some(())
    })
    .await;
    edge.ask("app.test", &Ask::get("/page")).await.expect(200);
}

#[tokio::test]
async fn a_page_in_somebodys_browser_lifts_no_ban() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let edge = edge(rules, &upstream, "never = []").await;
    attack(&edge, 3).await;
    banned(&edge).await;
    let request = "DELETE /bans/127.0.0.1 HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.test\r\nConnection: close\r\n\r\n";
    let mut connection = palisade_tests::harness::Connection::plain(edge.admin())
        .await
        .unwrap();
    connection.send(request).await.unwrap();
    connection.answer().await.unwrap().expect(403);
    edge.ask("app.test", &Ask::get("/page")).await.expect(403);
}
