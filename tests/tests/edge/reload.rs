//! New configurations under way: swapped whole or not at all, and nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use palisade_tests::harness::{
    Ask, Connection, EdgeFiles, Route, TestEdge, Tls, Upstream, Versions, crs_rules, eventually, polite,
    within,
};

const SUCCESSFUL: &str = "palisade_config_last_reload_successful";
const FAILURES: &str = "palisade_config_reloads_total{result=\"failure\"}";
const SUCCESSES: &str = "palisade_config_reloads_total{result=\"success\"}";

async fn answers(edge: &TestEdge, host: &str) -> (u16, Option<String>) {
    let answer = edge.ask(host, &Ask::get("/").accept_json()).await;
    let upstream = if answer.status == 200 {
        answer.json()["upstream"].as_str().map(str::to_owned)
    } else {
        None
    };
    (answer.status, upstream)
}

/// Until `host` is answered by `upstream`.
async fn answered_by(edge: &TestEdge, host: &str, upstream: Option<&str>) {
    eventually("the new configuration", || async {
        (answers(edge, host).await.1.as_deref() == upstream).then_some(())
    })
    .await;
}

#[tokio::test]
async fn reloads_under_load_lose_no_request() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let edge = TestEdge::with(None, &[Route::new("app").to(&one).unguarded()]).await;
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = Vec::new();
    for versions in [Versions::Http1, Versions::Http2, Versions::Both] {
        let (client, over, answered) = (edge.client_of(versions), over.clone(), answered.clone());
        load.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let ask = polite::request(&client, "app.test", &Ask::form("/", "a=b"));
                polite::send(ask).await.expect(200);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let (address, ended, counted) = (edge.https(), over.clone(), answered.clone());
    load.push(tokio::spawn(async move {
        // A new connection each time: none is refused.
        while !ended.load(Ordering::Relaxed) {
            let mut connection = Connection::tls(address, "app.test", &Tls::default())
                .await
                .unwrap();
            connection.send(Ask::get("/").bytes("app.test")).await.unwrap();
            connection.answer().await.unwrap().expect(200);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    }));
    for round in 0..20 {
        let (from, to) = if round % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        edge.files().edit(&from.url(), &to.url());
        edge.reload().await.unwrap();
        let before = answered.load(Ordering::Relaxed);
        eventually("some load", || async {
            (answered.load(Ordering::Relaxed) > before + 10).then_some(())
        })
        .await;
    }
    over.store(true, Ordering::Relaxed);
    for client in load {
        within("a client", client).await.unwrap();
    }
    assert!(one.hits() > 0 && two.hits() > 0);
    assert_eq!(one.hits() + two.hits(), answered.load(Ordering::Relaxed));
}

#[tokio::test]
async fn reloads_with_the_rules_under_load_lose_no_request_and_let_no_attack_through() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let route = Route::new("app").to(&upstream).waf("inbound_threshold = 5");
    let edge = TestEdge::with(Some(rules), &[route]).await;
    let over = Arc::new(AtomicBool::new(false));
    let (client, ended) = (edge.client(), over.clone());
    let load = tokio::spawn(async move {
        let mut answered = 0;
        while !ended.load(Ordering::Relaxed) {
            let (good, bad) = (
                Ask::get("/page?id=7"),
                Ask::get("/page?id=7%27%20or%20%271%27=%271%27--"),
            );
            polite::send(polite::request(&client, "app.test", &good))
                .await
                .expect(200);
            polite::send(polite::request(&client, "app.test", &bad))
                .await
                .expect(403);
            answered += 1;
        }
        answered
    });
    for round in 0..4 {
        let (from, to) = if round % 2 == 0 {
            ("threshold = 5", "threshold = 4")
        } else {
            ("threshold = 4", "threshold = 5")
        };
        edge.files().edit(from, to);
        edge.reload().await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let answered = within("the load", load).await.unwrap();
    assert_eq!(upstream.hits(), answered);
}

#[tokio::test]
async fn a_request_in_flight_ends_on_the_configuration_it_began_with() {
    let (old, gate) = Upstream::held().await;
    let new = Upstream::echo("new").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&old).unguarded()]).await;
    let client = edge.client();
    let waiting = tokio::spawn(polite::send(client.get("https://app.test/")));
    old.journal().await_hits(1).await;
    edge.files().edit(&old.url(), &new.url());
    edge.reload().await.unwrap();
    assert_eq!(answers(&edge, "app.test").await, (200, Some("new".to_owned())));
    gate.open();
    assert_eq!(
        within("the old answer", waiting)
            .await
            .unwrap()
            .expect(200)
            .text(),
        "held and let go\n"
    );
}

#[tokio::test]
async fn an_open_connection_gets_the_new_configuration_with_its_next_request() {
    let (old, new) = (Upstream::echo("old").await, Upstream::echo("new").await);
    let edge = TestEdge::with(None, &[Route::new("app").to(&old).unguarded()]).await;
    for versions in [Versions::Http1, Versions::Http2] {
        let client = edge.client_of(versions);
        let by = async || {
            polite::send(client.get("https://app.test/"))
                .await
                .expect(200)
                .json()["upstream"]
                .clone()
        };
        assert_eq!(by().await, "old");
        edge.files().edit(&old.url(), &new.url());
        edge.reload().await.unwrap();
        assert_eq!(by().await, "new");
        edge.files().edit(&new.url(), &old.url());
        edge.reload().await.unwrap();
    }
}

#[tokio::test]
async fn a_bad_configuration_is_not_taken_and_is_said() {
    let upstream = Upstream::echo("app").await;
    let edge = TestEdge::with(None, &[Route::new("app").to(&upstream).unguarded()]).await;
    assert_eq!(edge.metric(SUCCESSFUL).await, 1.0);
    let generation = edge.metric("palisade_config_generation").await;

    edge.files().edit("backends", "backend");
    let error = edge.reload().await.unwrap_err();
    assert!(
        error.contains("palisade.toml:") && error.contains("backends"),
        "{error}"
    );
    assert_eq!(edge.metric(SUCCESSFUL).await, 0.0);
    assert!(edge.metric(FAILURES).await >= 1.0);
    assert_eq!(edge.metric("palisade_config_generation").await, generation);
    assert_eq!(answers(&edge, "app.test").await, (200, Some("app".to_owned())));

    edge.files().edit("backend", "backends");
    edge.reload().await.unwrap();
    assert_eq!(edge.metric(SUCCESSFUL).await, 1.0);
    assert!(edge.metric(SUCCESSES).await >= 1.0);
}

#[tokio::test]
async fn a_bad_configuration_on_disk_is_noticed_by_itself() {
    let edge = TestEdge::with(None, &[Route::new("app").unguarded()]).await;
    edge.files().edit("[server]", "[sevrer]");
    eventually("the failure", || async {
        (edge.metric(FAILURES).await >= 1.0).then_some(())
    })
    .await;
    assert_eq!(edge.metric(SUCCESSFUL).await, 0.0);
    assert_eq!(answers(&edge, "app.test").await.0, 200);
}

#[tokio::test]
async fn an_app_file_that_is_edited_added_or_removed_is_noticed() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let builder = TestEdge::builder().include("blog", &Route::new("blog").to(&one).unguarded());
    let edge = builder.route(&Route::new("app").unguarded()).start().await;
    answered_by(&edge, "blog.test", Some("one")).await;

    edge.files().write(
        "conf.d/blog.toml",
        &Route::new("blog").to(&two).unguarded().toml(),
    );
    answered_by(&edge, "blog.test", Some("two")).await;

    edge.files().write(
        "conf.d/shop.toml",
        &Route::new("shop").to(&one).unguarded().toml(),
    );
    answered_by(&edge, "shop.test", Some("one")).await;

    std::fs::remove_file(edge.files().folder().join("conf.d/shop.toml")).unwrap();
    eventually("the route to go", || async {
        (answers(&edge, "shop.test").await.0 == 404).then_some(())
    })
    .await;
    answered_by(&edge, "blog.test", Some("two")).await;
}

#[tokio::test]
async fn an_edit_in_place_is_noticed() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let edge = TestEdge::with(None, &[Route::new("app").to(&one).unguarded()]).await;
    let path = edge.files().config();
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace(&one.url(), &two.url());
    std::fs::write(&path, text).unwrap();
    answered_by(&edge, "app.test", Some("two")).await;
}

#[tokio::test]
async fn a_busy_log_beside_the_configuration_neither_hides_a_change_nor_makes_one() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let edge = TestEdge::with(None, &[Route::new("app").to(&one).unguarded()]).await;
    let generation = edge.metric("palisade_config_generation").await;
    let log = edge.files().folder().join("busy.log");
    std::fs::write(&log, "").unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (over, log) = (over.clone(), log.clone());
        tokio::spawn(async move {
            let mut text = String::new();
            while !over.load(Ordering::Relaxed) {
                text.push_str("a line\n");
                std::fs::write(&log, &text).unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
    };
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(edge.metric("palisade_config_generation").await, generation);
    edge.files().edit(&one.url(), &two.url());
    answered_by(&edge, "app.test", Some("two")).await;
    over.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_change_of_listeners_waits_for_a_restart_and_the_rest_does_not() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let edge = TestEdge::with(None, &[Route::new("app").to(&one).unguarded()]).await;
    edge.files().edit(
        "https = [\"127.0.0.1:0\"]",
        "https = [\"127.0.0.1:0\", \"127.0.0.1:0\"]",
    );
    edge.files().edit(&one.url(), &two.url());
    edge.reload().await.unwrap();
    assert_eq!(edge.addresses().https.len(), 1);
    answered_by(&edge, "app.test", Some("two")).await;
}

/// A folder as the kubelet lays out a ConfigMap: `FILE -> ..data/FILE`, `..data -> ..VERSION`.
fn publish(files: &EdgeFiles, version: &str, toml: &str) {
    let folder = files.folder().join("conf.d");
    std::fs::create_dir_all(folder.join(version)).unwrap();
    std::fs::write(folder.join(version).join("app.toml"), toml).unwrap();
    std::os::unix::fs::symlink(version, folder.join("..data_tmp")).unwrap();
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    if !folder.join("app.toml").exists() {
        std::os::unix::fs::symlink("..data/app.toml", folder.join("app.toml")).unwrap();
    }
}

#[tokio::test]
async fn a_config_map_that_is_swapped_is_noticed() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let files = TestEdge::builder()
        .include("none", &Route::new("none").unguarded())
        .write();
    std::fs::remove_file(files.folder().join("conf.d/none.toml")).unwrap();
    publish(
        &files,
        "..2026_11_23_10_00_00.1",
        &Route::new("app").to(&one).unguarded().toml(),
    );
    let edge = TestEdge::restart(files).await;
    answered_by(&edge, "app.test", Some("one")).await;
    publish(
        edge.files(),
        "..2026_11_23_11_00_00.2",
        &Route::new("app").to(&two).unguarded().toml(),
    );
    answered_by(&edge, "app.test", Some("two")).await;
    publish(
        edge.files(),
        "..2026_11_23_12_00_00.3",
        &Route::new("app").to(&one).unguarded().toml(),
    );
    answered_by(&edge, "app.test", Some("one")).await;
}
