//! A life without loss: h2load, curl and websocat go on while the edge gets other configurations, certificates and
//! backends, another process, and its end.

use std::time::Duration;

use palisade_tests::harness::{eventually, signal};

use crate::ground::Ground;
use crate::h2load::counts;
use crate::program::{Session, run};

/// Of each kind of change.
const CHANGES: usize = 4;

/// So many bytes a second of an upload in flight, and for so many seconds.
const UPLOAD_RATE: usize = 200 * 1024;
const UPLOAD_SECONDS: usize = 6;

pub(crate) async fn check() -> String {
    let mut ground = Ground::new().await;
    let upload = ground.path("upload");
    std::fs::write(&upload, vec![b'u'; UPLOAD_RATE * UPLOAD_SECONDS]).unwrap();
    let changed = changes(&ground).await;
    let upgraded = upgrade(&mut ground, &upload).await;
    drain(&ground, &upload).await;
    format!(
        "none lost of {changed} requests during {CHANGES} each of SIGHUP, new certificates and new backends, nor of {upgraded} \
         during SIGUSR2; WebSockets and uploads ended well through SIGUSR2 and SIGTERM"
    )
}

/// Under load of both versions; how many requests there were.
async fn changes(ground: &Ground) -> usize {
    let load = |way: &[&str]| {
        let way: Vec<String> = way.iter().map(|word| (*word).to_owned()).collect();
        let url = ground.url("/off/page");
        tokio::spawn(async move {
            let way: Vec<&str> = way.iter().map(String::as_str).collect();
            let arguments = [&["-n", "15000", "-c", "8"], &way[..], &[&url]].concat();
            run("h2load", &arguments).await.content()
        })
    };
    let loads = [load(&["-m", "10"]), load(&["--h1"])];
    let mut serials = vec![serial(ground).await];
    for number in 0..CHANGES {
        let pid = ground.edge.id();
        reloaded(ground, || signal(pid, "HUP")).await;
        reloaded(ground, || {
            let names = ["localhost", "grpc-on.test", "grpc-off.test", "mtls.test"];
            ground
                .files
                .ca
                .issue(&names)
                .write(ground.files.folder(), "wildcard");
        })
        .await;
        serials.push(serial(ground).await);
        let (one, both) = backends(ground);
        let (from, to) = if number % 2 == 0 { (one, both) } else { (both, one) };
        reloaded(ground, || ground.files.edit(&from, &to)).await;
    }
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), CHANGES + 1, "each new certificate is shown");
    assert!(ground.other.hits() > 0, "the new backend is used");
    let mut all = 0;
    for load in loads {
        let told = load.await.unwrap();
        assert_eq!(counts(&told).get("2xx"), Some(&15_000), "{told}");
        all += 15_000;
    }
    all
}

/// The backends of `/off` in the file: the one it has, and with another beside it.
fn backends(ground: &Ground) -> (String, String) {
    let text = std::fs::read_to_string(ground.files.config()).unwrap();
    let route = text.split("name = \"off\"").nth(1).unwrap();
    let line = route.lines().find(|line| line.starts_with("backends")).unwrap();
    let first = line.split('"').nth(1).unwrap();
    let behind = "]\ncompression = true";
    (
        format!("backends = [\"{first}\"{behind}"),
        format!("backends = [\"{first}\", \"{}\"{behind}", ground.other.url()),
    )
}

async fn reloaded(ground: &Ground, change: impl FnOnce()) {
    let count = || ground.edge.output().matches("configuration reloaded").count();
    let before = count();
    change();
    eventually("a reload", || async { (count() > before).then_some(()) }).await;
}

/// Of the certificate that a new connection is shown.
async fn serial(ground: &Ground) -> String {
    let (ca, url) = (ground.ca(), ground.url("/off/page"));
    let told = run(
        "curl",
        &["-sSv", "-o", "/dev/null", "--cacert", &ca, "-w", "%{certs}", &url],
    )
    .await;
    let told = told.content();
    let line = told.lines().find(|line| line.starts_with("Serial Number:"));
    line.unwrap_or_else(|| panic!("no serial number: {told}"))
        .to_owned()
}

/// One process follows the other under load, with a WebSocket and an upload in flight.
async fn upgrade(ground: &mut Ground, upload: &str) -> usize {
    let mut socket = socket(ground).await;
    let uploading = start_upload(ground, upload).await;
    let (h1, h2) = (ground.url("/on/page"), ground.url("/off/page"));
    let agent = ["-H", "user-agent: h2load", "-H", "accept: */*"];
    let load = async |way: [&str; 4]| run("h2load", &[&["-c", "4"], &agent[..], &way].concat()).await;
    let loads = async {
        tokio::join!(
            load(["--h1", "-n", "6000", &h1]),
            load(["-m10", "-n", "1000000", &h2])
        )
    };
    let change = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        ground.edge.signal("USR2");
        eventually("the successor", || async { says(ground, "a successor serves") }).await;
        socket.say("after\n").await;
        socket.hear("after").await;
        assert!(socket.end().await.success);
    };
    let ((first, second), ()) = tokio::join!(loads, change);
    let (first, second) = (first.content(), second.said);
    assert_eq!(counts(&first).get("2xx"), Some(&6000), "{first}");
    // h2load opens no other connection once one is to end (GOAWAY): what it began is what counts.
    let second = counts(&second);
    assert!(
        second["started"] > 0 && second["started"] == second["2xx"],
        "{second:?}"
    );
    assert_eq!(uploading.end().await.content(), uploaded());
    assert_eq!(
        ground.edge.ended().await.code(),
        Some(0),
        "{}",
        ground.edge.output()
    );
    6000 + second["started"]
}

/// SIGTERM to the successor, with a WebSocket and an upload in flight.
async fn drain(ground: &Ground, upload: &str) {
    let mut socket = socket(ground).await;
    let uploading = start_upload(ground, upload).await;
    let output = ground.edge.output();
    let pid = output.split("\"pid\":").nth(1).unwrap();
    let pid: String = pid.chars().take_while(char::is_ascii_digit).collect();
    signal(pid.parse().unwrap(), "TERM");
    let url = ground.url("/off/page");
    eventually("no more new connections", || async {
        let told = run("curl", &["-sS", "--cacert", &ground.ca(), &url]).await;
        (!told.success && told.said.contains("Failed to connect")).then_some(())
    })
    .await;
    socket.say("at the end\n").await;
    socket.hear("at the end").await;
    assert!(socket.end().await.success);
    assert_eq!(uploading.end().await.content(), uploaded());
    eventually("both processes to end", || async {
        (ground.edge.output().matches("\"stopped\"").count() == 2).then_some(())
    })
    .await;
    assert!(
        says(ground, "still in flight after the grace").is_none(),
        "{}",
        ground.edge.output()
    );
}

fn says(ground: &Ground, what: &str) -> Option<()> {
    ground.edge.output().contains(what).then_some(())
}

async fn socket(ground: &Ground) -> Session {
    let url = ground.url("/socket/on").replace("https:", "wss:");
    let mut socket = Session::start("websocat", &["-k", "-t", &url]);
    socket.say("before\n").await;
    socket.hear("before").await;
    socket
}

/// Returns once the upload is under way.
async fn start_upload(ground: &Ground, upload: &str) -> Session {
    let (ca, rate, url) = (ground.ca(), UPLOAD_RATE.to_string(), ground.url("/off/up"));
    let session = Session::start(
        "curl",
        &["-sS", "--cacert", &ca, "--limit-rate", &rate, "-T", upload, &url],
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    session
}

fn uploaded() -> String {
    (UPLOAD_RATE * UPLOAD_SECONDS).to_string()
}
