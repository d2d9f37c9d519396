//! Whatever CA and API do, requests are answered, and `palisade status` tells.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions, Fault, FaultKind};
use palisade_tests::harness::upstream::SilentPort;
use palisade_tests::harness::{
    EdgeBuilder, EdgeFiles, EdgeProcess, Route, TestCa, TestEdge, Upstream, Versions, eventually, polite,
};
use palisade_tests::pebble::{Instead, Toll, available};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::desk::{palisade, reachable, token_is_nowhere};
use crate::house::{House, ZONE};
use crate::standing::told;

/// More than is ever read of a list.
const TOO_MUCH: usize = 33 << 20;

/// An edge with a certificate from a file, whose services have `ca` and the API of `fake` to work with.
fn home(fake: &FakeCloudflare, ca: Option<&str>, interval: &str) -> EdgeBuilder {
    let certificates = match ca {
        Some(directory) => format!("[acme]\ndirectory = {directory:?}\nroot = \"./ca-root.pem\"\n"),
        None => String::new(),
    };
    let zone = format!(
        "[[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = \"./token\"\n{}",
        fake.base_url(),
        if ca.is_some() { "" } else { "certificates = []\n" }
    );
    let builder = TestEdge::builder()
        .route(&Route::new("app").hosts(&["app.example.com"]).unguarded())
        .file("token", fake.token())
        .and(&certificates)
        .and(&zone)
        .and(&format!(
            "[ddns]\nipv4 = [\"203.0.113.7\"]\ninterval = {interval:?}\n[dns]\ninterval = {interval:?}\n"
        ));
    reachable(builder)
}

/// Requests one after the other until it is stopped.
struct Load {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicUsize>,
    task: JoinHandle<Vec<String>>,
}

impl Load {
    async fn on(edge: &EdgeProcess, files: &EdgeFiles) -> Self {
        let client = polite::client(&files.ca, edge.https().await, Versions::Both);
        let (stop, good) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&good));
        let task = tokio::spawn(async move {
            let mut bad = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                match polite::try_send(client.get("https://app.example.com/")).await {
                    Ok(answer) if answer.status == 200 => drop(counted.fetch_add(1, Ordering::Relaxed)),
                    Ok(answer) => bad.push(format!("{} {}", answer.status, answer.text())),
                    Err(error) => bad.push(error.to_string()),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            bad
        });
        Load { stop, good, task }
    }

    async fn end(self) {
        let before = self.good.load(Ordering::Relaxed);
        eventually("requests to be answered", async || {
            let good = self.good.load(Ordering::Relaxed) >= before + 5;
            (good || self.task.is_finished()).then_some(())
        })
        .await;
        self.stop.store(true, Ordering::Relaxed);
        assert_eq!(self.task.await.unwrap(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_an_api_that_is_busy_or_talks_nonsense_is_told_and_requests_are_answered() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    let files = home(&fake, None, "1s").write();
    let edge = EdgeProcess::start(&files);
    let load = Load::on(&edge, &files).await;
    for (kind, says) in [
        (FaultKind::Garbage, "makes no sense"),
        (FaultKind::Truncated, ""),
        (FaultKind::ResetBefore, "cannot be reached"),
        (FaultKind::Oversize(TOO_MUCH), "is larger than 33554432 bytes"),
        (FaultKind::Status(500), "500"),
        (FaultKind::Status(503), "503"),
        (FaultKind::Status(429), "limit of calls is reached"),
        // It is waited for half a minute.
        (FaultKind::Hang, "did not answer in time"),
    ] {
        let lists = Fault::new(kind.clone()).on("GET", "/dns_records");
        fake.fault(lists.times(100_000));
        let status = told(&files, "status --json", |status| {
            status["services"]["dns"]["trouble"].is_string()
        })
        .await;
        let trouble = status["services"]["dns"]["trouble"].as_str().unwrap();
        assert!(trouble.contains(says), "{kind:?}: {trouble}");
        assert_eq!(status["ready"], true, "{kind:?}");
        palisade(&files, "health").await.expect(0, &[]);
        fake.clear_faults();
        told(&files, "status --json", |status| {
            status["services"]["dns"]["trouble"].is_null()
        })
        .await;
    }
    // Slow is not down: it is waited for.
    assert_eq!(fake.contents(ZONE, "app.example.com", "A"), ["203.0.113.7"]);
    let slow = FaultKind::Slow(Duration::from_secs(2));
    fake.fault(Fault::new(slow).times(100_000));
    files.edit("203.0.113.7", "203.0.113.8");
    eventually("the new address", async || {
        let published = fake.contents(ZONE, "app.example.com", "A");
        (published == ["203.0.113.8"]).then_some(())
    })
    .await;
    load.end().await;
    token_is_nowhere(&files, fake.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_a_ca_and_an_api_that_hang_are_told_and_requests_are_answered() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    fake.fault(Fault::new(FaultKind::Hang).times(100_000));
    let silent = SilentPort::new().await;
    let directory = silent.url().replace("http:", "https:");
    let builder = home(&fake, Some(&format!("{directory}/dir")), "1s");
    let files = builder.file("ca-root.pem", &TestCa::new().pem()).write();
    let edge = EdgeProcess::start(&files);
    let load = Load::on(&edge, &files).await;
    fake.await_count("GET", "/zones", 1).await;
    // Their deadlines are far away; what is under way is told nevertheless.
    palisade(&files, "status").await.expect(
        0,
        &[
            "certificates: its first round has not ended yet",
            "dns: its first round has not ended yet",
        ],
    );
    palisade(&files, "certs")
        .await
        .expect(0, &["example.com, *.example.com: "]);
    palisade(&files, "health").await.expect(0, &[]);
    load.end().await;
    // It ends in spite of them.
    edge.signal("TERM");
    let mut edge = edge;
    assert!(edge.ended().await.success(), "{}", edge.output());
    token_is_nowhere(&files, fake.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_a_ca_that_talks_nonsense_is_told_and_requests_are_answered() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    let ca = TestCa::new();
    // JSON, and no directory.
    let nonsense = Upstream::echo_over_tls("ca", &ca.issue(&["127.0.0.1"])).await;
    let builder = home(&fake, Some(&format!("{}/dir", nonsense.url())), "1s");
    let files = builder.file("ca-root.pem", &ca.pem()).write();
    let edge = EdgeProcess::start(&files);
    let load = Load::on(&edge, &files).await;
    told(&files, "status --json", |status| {
        status["services"]["certificates"]["trouble"].is_string()
    })
    .await;
    palisade(&files, "status")
        .await
        .expect(1, &["certificates: TROUBLE (1 round,", "dns: ok"]);
    palisade(&files, "certs").await.expect(1, &["FAILED   1 time,"]);
    palisade(&files, "doctor")
        .await
        .expect(1, &["FAIL  CA: ", "is no ACME directory"]);
    load.end().await;
}

/// What the CA does to whatever it is asked.
#[derive(Default)]
struct Mood {
    instead: Mutex<Option<Instead>>,
    slow: AtomicBool,
}

#[async_trait]
impl Toll for Mood {
    async fn asked(&self, _: &str) -> Option<Instead> {
        if self.slow.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        *self.instead.lock().unwrap()
    }

    async fn answered(&self, _: &str) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_whatever_a_ca_does_is_told_and_requests_are_answered() {
    if !available() {
        return;
    }
    let mood = Arc::new(Mood::default());
    *mood.instead.lock().unwrap() = Some(Instead::Closed);
    let house = House::behind(Arc::clone(&mood) as Arc<dyn Toll>).await;
    let root = std::fs::read_to_string(house.pebble.root_pem_path()).unwrap();
    let builder = home(&house.fake, Some(&house.directory()), "1s");
    let files = builder.file("ca-root.pem", &root).write();
    let found_at = format!("[acme]\nnameservers = [\"{}\"]\n", house.fake.dns());
    files.edit("[acme]\n", &found_at);
    let edge = EdgeProcess::start(&files);
    let load = Load::on(&edge, &files).await;
    let failure = |certs: &Value| certs["issued"][0]["failure"].clone();
    let mut before = Value::Null;
    for instead in [
        Instead::Closed,
        Instead::Status(429),
        Instead::Status(500),
        Instead::Status(503),
        Instead::Garbage,
        Instead::Truncated,
        Instead::Oversize(TOO_MUCH),
    ] {
        *mood.instead.lock().unwrap() = Some(instead);
        if instead != Instead::Closed {
            palisade(&files, "certs retry")
                .await
                .expect(0, &["tried again now"]);
        }
        let certs = told(&files, "certs --json", |certs| {
            failure(certs).is_object() && failure(certs)["at"] != before
        })
        .await;
        before = failure(&certs)["at"].clone();
        let message = failure(&certs)["message"].clone();
        assert!(message.as_str().unwrap().contains("CA"), "{instead:?}: {message}");
        let advice = failure(&certs)["advice"].clone();
        assert!(advice.is_string(), "{instead:?}: {message} without advice");
        palisade(&files, "certs").await.expect(1, &["FAILED   1 time,"]);
        palisade(&files, "status")
            .await
            .expect(1, &["certificates: TROUBLE (", "dns: ok"]);
        palisade(&files, "health").await.expect(0, &[]);
    }
    // Slow is not down: it is waited for.
    mood.slow.store(true, Ordering::Relaxed);
    mood.instead.lock().unwrap().take();
    palisade(&files, "certs retry")
        .await
        .expect(0, &["tried again now"]);
    told(&files, "certs --json", |certs| {
        certs["issued"][0]["phase"] == "valid"
    })
    .await;
    load.end().await;
    token_is_nowhere(&files, house.fake.token());
}

/// The bytes of a page with this text.
fn page(status: &str, text: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
    .into_bytes()
}

fn well(address: &str) -> Vec<u8> {
    page("200 OK", &format!("h=127.0.0.1\nip={address}\nwarp=off\n"))
}

/// A server that sends what it is told to, and closes; nothing at all while that is nothing.
async fn telling(tells: Arc<Mutex<Option<Vec<u8>>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tell(stream, Arc::clone(&tells)));
        }
    });
    address
}

async fn tell(mut stream: TcpStream, tells: Arc<Mutex<Option<Vec<u8>>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
    let told = tells.lock().unwrap().clone();
    match told {
        Some(bytes) => stream.write_all(&bytes).await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ddns_a_page_that_is_down_slow_or_wrong_is_told_and_changes_nothing() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    let tells = Arc::new(Mutex::new(Some(well("8.8.8.8"))));
    let address = telling(Arc::clone(&tells)).await;
    let files = home(&fake, None, "1s").write();
    let ask = format!("ipv4 = [\"https\"]\ntimeout = \"1s\"\ntrace = [\"http://{address}/cdn-cgi/trace\"]\n");
    files.edit("ipv4 = [\"203.0.113.7\"]\n", &ask);
    let edge = EdgeProcess::start(&files);
    let load = Load::on(&edge, &files).await;
    let published = || fake.contents(ZONE, "app.example.com", "A");
    eventually("the record", async || (published() == ["8.8.8.8"]).then_some(())).await;
    let trouble = |status: &Value| status["services"]["ddns"]["trouble"].clone();
    let none = "no method answered";
    let unfit = "no method told an address that could be published";
    let whole = well("9.9.9.9");
    for (what, wrong, says) in [
        ("silent", None, none),
        ("down", Some(Vec::new()), none),
        ("busy", Some(page("429 Too Many Requests", "")), none),
        ("broken", Some(page("500 Internal Server Error", "")), none),
        ("away", Some(page("503 Service Unavailable", "ip=9.9.9.9")), none),
        ("a portal", Some(page("200 OK", "<h1>Please log in</h1>")), none),
        ("no address", Some(well("nonsense")), none),
        ("cut off", Some(whole[..whole.len() - 12].to_vec()), none),
        ("endless", Some(page("200 OK", &"x".repeat(1 << 20))), none),
        ("no HTTP", Some(vec![0xff; 4096]), none),
        ("private", Some(well("10.0.0.1")), unfit),
    ] {
        *tells.lock().unwrap() = wrong;
        let status = told(&files, "status --json", |status| trouble(status).is_string()).await;
        let why = trouble(&status);
        assert!(why.as_str().unwrap().contains(says), "{what}: {why}");
        assert!(why.as_str().unwrap().contains("keep 8.8.8.8"), "{what}: {why}");
        assert_eq!(published(), ["8.8.8.8"], "{what}");
        *tells.lock().unwrap() = Some(well("8.8.8.8"));
        told(&files, "status --json", |status| trouble(status).is_null()).await;
    }
    // And a change of the address is written at once.
    *tells.lock().unwrap() = Some(well("9.9.9.9"));
    eventually("the new address", async || {
        (published() == ["9.9.9.9"]).then_some(())
    })
    .await;
    load.end().await;
}
