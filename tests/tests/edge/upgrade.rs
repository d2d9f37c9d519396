//! One process follows another on the same sockets.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{SinkExt, StreamExt};
use palisade_tests::harness::{
    Answer, Ask, Connection, EdgeFiles, EdgeProcess, Route, TestEdge, Tls, Upstream, Versions, eventually,
    polite, within,
};

fn files(upstream: &Upstream) -> EdgeFiles {
    TestEdge::builder()
        .server("grace = \"20s\"\ndrain_delay = \"1s\"\nworkers = 2")
        .route(&Route::new("app").to(upstream).unguarded())
        .write()
}

async fn get(address: SocketAddr, path: &str) -> std::io::Result<Answer> {
    let mut connection = Connection::tls(address, "app.test", &Tls::default()).await?;
    connection.send(Ask::get(path).bytes("app.test")).await?;
    connection.answer().await
}

/// Until `process` has said this.
async fn says(process: &EdgeProcess, what: &str) {
    eventually(&format!("the process to say {what:?}"), || async {
        process.output().contains(what).then_some(())
    })
    .await;
}

#[tokio::test]
async fn three_upgrades_under_load_lose_no_request() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for versions in [Versions::Http1, Versions::Http2] {
        let (client, done) = (polite::client(&files.ca, address, versions), Arc::clone(&done));
        clients.push(tokio::spawn(async move {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = polite::try_send(client.post("https://app.test/").body("a body")).await;
                let answer = answer.unwrap_or_else(|error| panic!("lost: {}", polite::chain(&error)));
                assert_eq!(answer.status, 200, "{}", answer.text());
                answered += 1;
            }
            answered
        }));
    }
    // New connections, one after the other: none is refused.
    for _ in 0..4 {
        let refused = Arc::clone(&done);
        clients.push(tokio::spawn(async move {
            let mut answered = 0;
            while !refused.load(Ordering::Relaxed) {
                let answer = get(address, "/new")
                    .await
                    .unwrap_or_else(|error| panic!("refused: {error}"));
                assert_eq!(answer.status, 200);
                answered += 1;
            }
            answered
        }));
    }
    // Each with another number of workers: they share the sockets, whatever there are.
    for (before, workers) in [(2, 5), (5, 1), (1, 3)] {
        files.edit(&format!("workers = {before}"), &format!("workers = {workers}"));
        let mut successor = EdgeProcess::upgrade(&files);
        says(&successor, "serving").await;
        assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
        std::mem::swap(&mut process, &mut successor);
    }
    done.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(within("a client", client).await.unwrap() > 0);
    }
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

#[tokio::test]
async fn what_is_in_flight_ends_with_the_process_that_began_it() {
    let (upstream, gate) = Upstream::held().await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    let in_flight = tokio::spawn(async move { get(address, "/work").await });
    upstream.journal().await_hits(1).await;
    let successor = EdgeProcess::upgrade(&files);
    says(&successor, "serving").await;
    says(&process, "this edge drains").await;
    gate.open();
    let answer = within("the answer in flight", in_flight).await.unwrap().unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
    assert_eq!(get(address, "/next").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_websocket_goes_on_within_the_grace() {
    let upstream = Upstream::websocket().await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    let mut socket = palisade_tests::harness::websocket(address, "app.test", "/socket")
        .await
        .unwrap();
    socket.send("before".into()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().to_string(), "before");
    let successor = EdgeProcess::upgrade(&files);
    says(&successor, "serving").await;
    says(&process, "this edge drains").await;
    socket.send("after".into()).await.unwrap();
    let echoed = within("the echo", socket.next()).await.unwrap().unwrap();
    assert_eq!(echoed.to_string(), "after");
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    drop(socket);
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
}

#[tokio::test]
async fn sigusr2_starts_the_successor_itself() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    process.signal("USR2");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
    assert_eq!(get(address, "/").await.unwrap().status, 200);
    let output = process.output();
    let line = output
        .lines()
        .find(|line| line.contains("a successor starts"))
        .unwrap();
    let pid = line.split("\"pid\":").nth(1).unwrap();
    let pid: String = pid.chars().take_while(char::is_ascii_digit).collect();
    palisade_tests::harness::signal(pid.parse().unwrap(), "TERM");
    eventually("the successor to end", || async {
        get(address, "/").await.is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_successor_that_fails_leaves_all_as_it_was() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    let process = EdgeProcess::start(&files);
    let address = process.https().await;
    files.edit("grace", "graec");
    let mut failed = EdgeProcess::upgrade(&files);
    assert_eq!(failed.ended().await.code(), Some(1));
    assert!(
        failed.output().contains("did you mean `grace`"),
        "{}",
        failed.output()
    );
    assert_eq!(get(address, "/").await.unwrap().status, 200);
    // One that has the sockets already, and is killed before it serves.
    files.edit("graec", "grace");
    for _ in 0..3 {
        let killed = EdgeProcess::upgrade(&files);
        says(&process, "a successor takes the sockets").await;
        drop(killed);
        assert_eq!(get(address, "/").await.unwrap().status, 200);
    }
    assert!(!process.output().contains("this edge drains") || get(address, "/").await.is_ok());
}

#[tokio::test]
async fn a_changed_address_takes_effect_without_a_pause() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    files.edit(
        "https = [\"127.0.0.1:0\"]",
        "https = [\"127.0.0.1:0\", \"127.0.0.2:0\"]",
    );
    let successor = EdgeProcess::upgrade(&files);
    says(&successor, "serving").await;
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
    assert_eq!(
        successor.https().await,
        address,
        "the first one is the same socket"
    );
    assert!(
        successor.output().contains("127.0.0.2:"),
        "{}",
        successor.output()
    );
}

#[tokio::test]
async fn the_upgrade_socket_is_for_its_user_alone_and_goes_with_the_edge() {
    let upstream = Upstream::echo("app").await;
    let files = files(&upstream);
    let mut process = EdgeProcess::start(&files);
    process.https().await;
    let path = files.folder().join("data/upgrade.sock");
    let mode = std::fs::symlink_metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
    assert!(!path.exists());
    let mut lonely = EdgeProcess::upgrade(&files);
    assert_eq!(lonely.ended().await.code(), Some(1));
    assert!(
        lonely.output().contains("Start without --upgrade"),
        "{}",
        lonely.output()
    );
}

#[tokio::test]
async fn bans_and_their_end_are_handed_over() {
    let upstream = Upstream::echo("app").await;
    let files = TestEdge::builder()
        .server("grace = \"20s\"\ndrain_delay = \"1s\"\nworkers = 2")
        .listen("trusted_proxies = [\"127.0.0.1/32\"]")
        .route(&Route::new("app").to(&upstream).unguarded())
        .and("[bans]\nenabled = true\nnever = []\nincidents = 1\ncount = [\"malformed\"]")
        .write();
    let mut process = EdgeProcess::start(&files);
    let address = process.https().await;
    let status = async |client: &str, target: &str| {
        let mut connection = Connection::tls(address, "app.test", &Tls::default())
            .await
            .unwrap();
        let ask = Ask::get(target).header("X-Forwarded-For", client);
        connection.send(ask.bytes("app.test")).await.unwrap();
        connection.answer().await.unwrap().status
    };
    assert_eq!(status("192.0.2.1", "/%00").await, 400);
    assert_eq!(status("192.0.2.1", "/").await, 403);
    // The first is kept, and the successor reads it; the others come while it starts.
    let kept = files.folder().join("data/bans.json");
    eventually("the file", || async { kept.exists().then_some(()) }).await;
    let successor = EdgeProcess::upgrade(&files);
    let mut banned = Vec::new();
    let drains = || process.output().contains("this edge drains");
    while !drains() {
        let client = format!("192.0.2.{}", 10 + banned.len() % 200);
        let _ = status(&client, "/%00").await;
        // What drains may still ban has no heir.
        if !drains() {
            banned.push(client);
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.output());
    says(&successor, "serving").await;
    assert_eq!(status("192.0.2.1", "/").await, 403);
    for client in &banned {
        assert_eq!(status(client, "/").await, 403, "{client} of {}", banned.len());
    }
}
