//! slowhttptest: clients that hold connections as long as they can, while an ordinary one goes on.

use std::time::{Duration, Instant};

use palisade_tests::harness::{Versions, polite};

use crate::ground::Ground;
use crate::program::run;

/// Deadlines that nobody has to wait long for; more connections of one address than a home has.
const LISTEN: &str = "request_head_timeout = \"4s\"\nrequest_body_timeout = \"4s\"\nrequest_body_grace = \"4s\"\n\
    response_write_timeout = \"4s\"\nkeepalive_timeout = \"4s\"\nmax_connections_per_client = 5000";

const MODES: [(&str, &[&str]); 4] = [
    ("slow heads", &["-H", "-i", "2", "-x", "24"]),
    ("slow bodies", &["-B", "-i", "2", "-s", "8192", "-x", "10"]),
    (
        "slow readers",
        &["-X", "-w", "512", "-y", "1024", "-n", "2", "-z", "32"],
    ),
    ("ranges", &["-R", "-a", "10", "-b", "3000"]),
];

/// Of each kind; so many count as having come (the first are gone before the last are there), and so few as all gone.
const SLOW: &str = "1000";
const THERE: usize = 100;
const GONE: usize = 20;

/// Of an ordinary request among them, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn check() -> String {
    let ground = Ground::with(LISTEN).await;
    let url = ground.url("/off/big");
    let effort = ["-c", SLOW, "-r", "250", "-l", "90", "-p", "5", "-u", &url];
    let mut seen = Vec::new();
    for (name, mode) in MODES {
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
            "{name} gone after {lasted} s (an ordinary request took at most {slowest} ms)"
        ));
    }
    format!("{SLOW} each: {}", seen.join(", "))
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
