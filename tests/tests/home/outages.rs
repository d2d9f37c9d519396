//! Whatever CA and API do, requests are answered, and `palisade status` tells.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions, Fault, FaultKind};
use palisade_tests::harness::upstream::{SilentPort, answering};
use palisade_tests::harness::{
    EdgeBuilder, EdgeFiles, EdgeProcess, Route, TestCa, TestEdge, Upstream, Versions, eventually, polite,
};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::desk::{palisade, reachable, token_is_nowhere};
use crate::house::ZONE;
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
        (FaultKind::Status(429), "limit of calls is reached"),
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
    load.end().await;
    assert_eq!(fake.contents(ZONE, "app.example.com", "A"), ["203.0.113.7"]);
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
        .expect(1, &["certificates: TROUBLE (1 rounds", "dns: ok"]);
    palisade(&files, "certs").await.expect(1, &["FAILED   1 times"]);
    palisade(&files, "doctor")
        .await
        .expect(1, &["FAIL  CA: ", "is no ACME directory"]);
    load.end().await;
}

/// A page that tells what it is told to tell; nothing at all while that is nothing.
async fn page(tells: Arc<Mutex<Option<(u16, String)>>>) -> Upstream {
    Upstream::serve(move |request, journal| {
        let told = tells.lock().unwrap().clone();
        async move {
            match told {
                Some((status, body)) => answering(status, "text/plain", body)(request, journal).await,
                None => std::future::pending().await,
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn ddns_a_page_that_is_down_slow_or_wrong_is_told_and_changes_nothing() {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    let well = |address: &str| Some((200, format!("h=127.0.0.1\nip={address}\nwarp=off\n")));
    let tells = Arc::new(Mutex::new(well("8.8.8.8")));
    let page = page(Arc::clone(&tells)).await;
    let files = home(&fake, None, "1s").write();
    let ask = format!(
        "ipv4 = [\"https\"]\ntimeout = \"1s\"\ntrace = [\"{}/cdn-cgi/trace\"]\n",
        page.url()
    );
    files.edit("ipv4 = [\"203.0.113.7\"]\n", &ask);
    let edge = EdgeProcess::start(&files);
    let load = Load::on(&edge, &files).await;
    let published = || fake.contents(ZONE, "app.example.com", "A");
    eventually("the record", async || (published() == ["8.8.8.8"]).then_some(())).await;
    let trouble = |status: &Value| status["services"]["ddns"]["trouble"].clone();
    for (wrong, says) in [
        (None, "no method answered"),
        (Some((500, String::new())), "no method answered"),
        (
            Some((200, "<h1>Please log in</h1>".to_owned())),
            "no method answered",
        ),
        (Some((200, "x".repeat(1 << 20))), "no method answered"),
        (
            well("10.0.0.1"),
            "no method told an address that could be published",
        ),
        (well("nonsense"), "no method answered"),
    ] {
        tells.lock().unwrap().clone_from(&wrong);
        let status = told(&files, "status --json", |status| trouble(status).is_string()).await;
        let why = trouble(&status);
        assert!(why.as_str().unwrap().contains(says), "{wrong:?}: {why}");
        assert!(why.as_str().unwrap().contains("keep 8.8.8.8"), "{wrong:?}: {why}");
        assert_eq!(published(), ["8.8.8.8"], "{wrong:?}");
        *tells.lock().unwrap() = well("8.8.8.8");
        told(&files, "status --json", |status| trouble(status).is_null()).await;
    }
    // And a change of the address is written at once.
    *tells.lock().unwrap() = well("9.9.9.9");
    eventually("the new address", async || {
        (published() == ["9.9.9.9"]).then_some(())
    })
    .await;
    load.end().await;
}
