//! slowhttptest: clients that hold connections as long as they can, while an ordinary one goes on.

use std::time::{Duration, Instant};

use palisade_tests::harness::{Versions, polite};

use crate::ground::Ground;
use crate::program::run;

/// Deadlines that nobody has to wait long for; more connections of one address than a home has.
const LISTEN: &str = "request_head_timeout = \"4s\"\nrequest_body_timeout = \"4s\"\nrequest_body_grace = \"4s\"\n\
    response_write_timeout = \"4s\"\nkeepalive_timeout = \"4s\"\nmax_connections_per_client = 5000";

/// What it is called, how many, and as what. A slow reader costs the edge all that the kernel takes of its answer.
const MODES: [(&str, &str, &[&str]); 4] = [
    ("slow heads", "1000", &["-H", "-i", "2", "-x", "24"]),
    (
        "slow bodies",
        "1000",
        &["-B", "-i", "2", "-s", "8192", "-x", "10"],
    ),
    (
        "slow readers",
        "300",
        &["-X", "-w", "512", "-y", "1024", "-n", "2", "-z", "32"],
    ),
    ("ranges", "1000", &["-R", "-a", "10", "-b", "3000"]),
];

/// So many count as having come (the first are gone before the last are there), and so few as all gone.
const THERE: usize = 100;
const GONE: usize = 20;

/// Of an ordinary request among them, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn check() -> String {
    let ground = Ground::with(LISTEN).await;
    let url = ground.url("/off/big");
    let mut seen = Vec::new();
    for (name, count, mode) in MODES {
        let effort = ["-c", count, "-r", "200", "-l", "90", "-p", "5", "-u", &url];
        let (begin, arguments) = (Instant::now(), [mode, &effort].concat());
        let mut slowest = Duration::ZERO;
        tokio::select! {
            ended = run("slowhttptest", &arguments) => {
                assert!(ended.said.contains("No open connections left"), "{name}: {}", ended.said);
            }
            // It does not notice: what the kernel holds of an answer goes out as slowly as it is read.
            () = gone(&ground) => {}
            never = ordinary(&ground, &mut slowest) => match never {},
        }
        assert!(slowest < PATIENCE, "{name}: an ordinary request took {slowest:?}");
        let (lasted, slowest) = (begin.elapsed().as_secs(), slowest.as_millis());
        seen.push(format!(
            "{count} {name} gone after {lasted} s (an ordinary request took at most {slowest} ms)"
        ));
    }
    seen.join(", ")
}

/// Until the edge has let go of those that it held.
async fn gone(ground: &Ground) {
    for enough in [THERE..usize::MAX, 0..GONE] {
        while !enough.contains(&ground.connections().await) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Ten requests a second, half of them on new connections; the time of the slowest.
async fn ordinary(ground: &Ground, slowest: &mut Duration) -> std::convert::Infallible {
    let reusing = polite::client(&ground.files.ca, ground.https, Versions::Both);
    let fresh = polite::client_without_reuse(&ground.files.ca, ground.https);
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        for client in [&reusing, &fresh] {
            let begin = Instant::now();
            let request = client.get(ground.url("/on/page")).header("accept", "*/*");
            polite::send(request.header("user-agent", "ordinary/1.0"))
                .await
                .expect(200);
            *slowest = begin.elapsed().max(*slowest);
        }
    }
}
