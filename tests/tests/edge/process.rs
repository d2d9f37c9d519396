//! The binary: signals, exit codes, what it prints.

use std::net::SocketAddr;

use palisade_tests::harness::{
    Ask, Connection, EdgeFiles, EdgeProcess, Route, TestEdge, Tls, Upstream, crs_rules, eventually,
    run_binary, said, within,
};

async fn get(address: SocketAddr, path: &str) -> u16 {
    let mut connection = Connection::tls(address, "app.test", &Tls::default())
        .await
        .unwrap();
    connection.send(Ask::get(path).bytes("app.test")).await.unwrap();
    connection.answer().await.unwrap().status
}

fn files(upstream: &Upstream) -> EdgeFiles {
    TestEdge::builder()
        .route(&Route::new("app").to(upstream).unguarded())
        .write()
}

#[tokio::test]
async fn sigterm_ends_it_with_0_after_what_is_in_flight() {
    let (upstream, gate) = Upstream::held().await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    let in_flight = tokio::spawn(async move { get(address, "/work").await });
    upstream.journal().await_hits(1).await;
    process.signal("TERM");
    eventually("new connections to be refused", || async {
        Connection::plain(address).await.is_err().then_some(())
    })
    .await;
    gate.open();
    assert_eq!(within("the answer in flight", in_flight).await.unwrap(), 200);
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

#[tokio::test]
async fn sighup_reloads_and_says_how_it_went() {
    let (one, two) = (Upstream::echo("one").await, Upstream::echo("two").await);
    let files = files(&one);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    assert_eq!(get(address, "/").await, 200);

    files.edit(&one.url(), &two.url());
    process.signal("HUP");
    eventually("the new backend", || async {
        get(address, "/").await;
        (two.hits() > 0).then_some(())
    })
    .await;

    files.edit("[server]", "[sevrer]");
    process.signal("HUP");
    eventually("the complaint", || async {
        process.output().contains("did you mean").then_some(())
    })
    .await;
    assert_eq!(get(address, "/").await, 200);
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

#[tokio::test]
async fn sigint_ends_it_too() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    process.https().await;
    process.signal("INT");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

#[tokio::test]
async fn a_mistake_ends_it_with_1_and_its_place() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    files.edit("grace", "graec");
    let mut process = EdgeProcess::start(&files);
    assert_eq!(process.ended().await.code(), Some(1));
    let output = process.output();
    assert!(
        output.contains("palisade.toml:") && output.contains("did you mean `grace`"),
        "{output}"
    );
}

#[tokio::test]
async fn without_rules_it_ends_with_1_and_the_command_to_run() {
    let files = TestEdge::builder().route(&Route::new("app")).write();
    let mut process = EdgeProcess::start(&files);
    assert_eq!(process.ended().await.code(), Some(1));
    assert!(
        process.output().contains("palisade rules install"),
        "{}",
        process.output()
    );
}

#[tokio::test]
async fn it_stops_attacks_as_the_library_does() {
    let Some(rules) = crs_rules() else { return };
    let upstream = Upstream::echo("app").await;
    let files = TestEdge::builder()
        .rules(rules)
        .route(&Route::new("app").to(&upstream))
        .write();
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    assert_eq!(get(address, "/?q=hello").await, 200);
    assert_eq!(get(address, "/?q=1'%20or%20'1'='1'--").await, 403);
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

#[tokio::test]
async fn it_asks_after_its_own_health() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    // A port of its own for the probe to find.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    files.edit(
        "admin = \"127.0.0.1:0\"",
        &format!("admin = \"127.0.0.1:{port}\""),
    );
    let config = files.config();
    let health = ["health", "--config", config.to_str().unwrap()];
    assert!(!run_binary(&health).await.status.success());
    let process = EdgeProcess::start(&files);
    process.https().await;
    let output = run_binary(&health).await;
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test]
async fn it_helps_who_asks() {
    let output = run_binary(&["--help"]).await;
    assert!(output.status.success());
    for command in ["run", "check", "incident", "rules"] {
        assert!(said(&output).contains(command), "{}", said(&output));
    }
    let output = run_binary(&["--version"]).await;
    assert!(
        output.status.success() && said(&output).contains("palisade"),
        "{}",
        said(&output)
    );
    assert!(!run_binary(&["rnu"]).await.status.success());
}

#[tokio::test]
async fn sighup_opens_logs_anew_after_a_rotation() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    get(address, "/before").await;
    let log = files.access_log();
    log.line("the first request", |line| line["path"] == "/before")
        .await;
    std::fs::rename(log.path(), log.path().with_extension("log.1")).unwrap();
    process.signal("HUP");
    eventually("a new file", || async { log.path().exists().then_some(()) }).await;
    get(address, "/after").await;
    log.line("the next request", |line| line["path"] == "/after")
        .await;
    assert!(!log.text().contains("/before"));
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

#[tokio::test]
async fn the_quick_start_does_what_it_says() {
    let Some(rules) = crs_rules() else { return };
    let files = TestEdge::builder().without_certificates().write();
    let toml =
        std::fs::read_to_string(palisade_tests::harness::workspace().join("config/quickstart.toml")).unwrap();
    let data = files.folder().join("data");
    let toml = toml
        .replace("127.0.0.1:8443", "127.0.0.1:0")
        .replace("127.0.0.1:8080", "127.0.0.1:0")
        .replace("127.0.0.1:9180", "127.0.0.1:0")
        .replace("\"../data\"", &format!("{data:?}"))
        .replace("[waf]\n", &format!("[waf]\nrules = {rules:?}\n"));
    files.write("palisade.toml", &toml);
    let edge = TestEdge::restart(files).await;
    let echo = edge
        .ask("app.localhost", &Ask::get("/hello?name=world"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&echo["method"], &echo["uri"]),
        (&"GET".into(), &"/hello?name=world".into())
    );
    edge.ask("app.localhost", &Ask::get("/?id=1'%20OR%20'1'='1"))
        .await
        .expect(403);
    let mut plain = Connection::plain(edge.http()).await.unwrap();
    plain
        .send(Ask::get("/hello?name=world").bytes("app.localhost"))
        .await
        .unwrap();
    let location = plain
        .answer()
        .await
        .unwrap()
        .expect(301)
        .header("location")
        .unwrap()
        .to_owned();
    assert_eq!(
        location,
        format!("https://app.localhost:{}/hello?name=world", edge.https().port())
    );
    edge.admin_get("/readyz").await.expect(200);
}

#[tokio::test]
async fn the_configurations_that_come_with_it_are_right() {
    for file in ["palisade.toml", "quickstart.toml"] {
        let path = palisade_tests::harness::workspace().join("config").join(file);
        let output = run_binary(&["check", path.to_str().unwrap()]).await;
        assert!(output.status.success(), "{}", said(&output));
    }
}

#[tokio::test]
async fn a_shell_s_limit_of_open_files_is_raised_and_one_that_stays_too_low_is_said() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    for (limits, expected, told) in [
        ("ulimit -Sn 64; ulimit -Hn 12000", 12_000, false),
        ("ulimit -n 512", 512, true),
    ] {
        let process = EdgeProcess::start_after(limits, &files);
        process.https().await;
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max open files"))
            .unwrap();
        let soft: u64 = line.split_whitespace().nth(3).unwrap().parse().unwrap();
        assert_eq!(soft, expected);
        let says = process
            .output()
            .contains("more connections than files may be open");
        assert_eq!(says, told, "{}", process.output());
    }
}
