//! `idle`: what the background services cost an edge that has nothing else to do.
//!
//! Two edges of the same build stand beside each other for some minutes, one with a zone to look after (a certificate,
//! 50 hosts, the public address) and one without. The difference of their CPU time and of their memory is the cost;
//! the last line is `idle: ...`, and the exit code is 1 if it is more than it should be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions};
use palisade_tests::harness::upstream::answering;
use palisade_tests::harness::{EdgeBuilder, EdgeProcess, Route, TestEdge, Upstream, eventually};
use palisade_tests::pebble::{Pebble, PebbleOptions};

const USAGE: &str = "usage: idle MINUTES INTERVAL
  MINUTES   how long is measured
  INTERVAL  of dns and ddns, such as 5m (the default of an edge)";

const ZONE: &str = "example.com";
const HOSTS: usize = 50;

/// Start-up, the first order and the first records are not what an idle edge does.
const SETTLE: Duration = Duration::from_secs(30);

/// What the services may cost: a thousandth of a core, and 8 MB.
const MOST_CPU: f64 = 0.001;
const MOST_MEMORY: i64 = 8_000_000;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match arguments.as_slice() {
        [minutes, interval] => minutes.parse::<u64>().ok().zip(Some(interval)),
        _ => None,
    };
    let Some((minutes, interval)) = parsed else {
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::from(2);
    };
    match measure(Duration::from_secs(60 * minutes), interval).await {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Whether the cost is as small as it should be.
async fn measure(span: Duration, interval: &str) -> bool {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    let options = PebbleOptions {
        no_sleep: true,
        ..PebbleOptions::default()
    };
    let pebble = Pebble::start(fake.dns(), options).await;
    let page = "fl=1\nh=127.0.0.1\nip=8.8.8.8\nwarp=off\n";
    let page = Upstream::serve(answering(200, "text/plain", page)).await;
    let with = served(&fake, &pebble, &page.url(), interval).write();
    let without = TestEdge::builder().route(&route()).write();
    let edges = [EdgeProcess::start(&with), EdgeProcess::start(&without)];
    eventually("the records and the certificate", async || {
        let records = fake.records(ZONE).len() >= 2 * HOSTS;
        let certificate = with.folder().join("data/certificates").join(ZONE).join("tls.crt");
        (records && certificate.exists()).then_some(())
    })
    .await;
    tokio::time::sleep(SETTLE).await;
    let calls = fake.calls().len();
    let before = edges.each_ref().map(|edge| cpu(edge.id()));
    tokio::time::sleep(span).await;
    let after = edges.each_ref().map(|edge| cpu(edge.id()));
    let memory = edges.each_ref().map(|edge| memory(edge.id()));
    let spent: Vec<f64> = before
        .iter()
        .zip(after)
        .map(|(before, after)| after - before)
        .collect();
    let cost = (spent[0] - spent[1]) / span.as_secs_f64();
    let more = memory[0] - memory[1];
    let mut out = io::stdout();
    for (what, spent, memory) in [("with", spent[0], memory[0]), ("without", spent[1], memory[1])] {
        let kilobytes = memory / 1000;
        writeln!(
            out,
            "{what:8} services: {spent:.3} s CPU, {kilobytes} kB private memory"
        )
        .unwrap();
    }
    let calls = fake.calls().len() - calls;
    writeln!(
        out,
        "idle: {:.4} % of a core, {} kB, {calls} calls of the API; {} s, every {interval}",
        cost * 100.0,
        more / 1000,
        span.as_secs()
    )
    .unwrap();
    cost < MOST_CPU && more < MOST_MEMORY
}

fn route() -> Route {
    let hosts: Vec<String> = (0..HOSTS).map(|nth| format!("h{nth}.{ZONE}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    Route::new("app").hosts(&hosts).unguarded()
}

fn served(fake: &FakeCloudflare, pebble: &Pebble, page: &str, interval: &str) -> EdgeBuilder {
    let root = fs::read_to_string(pebble.root_pem_path()).unwrap();
    let services = format!(
        "[acme]\ndirectory = {:?}\nroot = \"./ca-root.pem\"\nnameservers = [\"{}\"]\npropagation_timeout = \"20s\"\n\
         [[zones]]\nname = \"{ZONE}\"\napi = {:?}\ntoken = \"./token\"\n\
         [dns]\ninterval = {interval:?}\n\
         [ddns]\nipv4 = [\"https\"]\ntrace = [\"{page}/cdn-cgi/trace\"]\ninterval = {interval:?}\n",
        pebble.directory_url(),
        fake.dns(),
        fake.base_url(),
    );
    let builder = TestEdge::builder().route(&route());
    let builder = builder.file("token", fake.token()).file("ca-root.pem", &root);
    builder.and(&services)
}

/// Seconds of CPU that a process has had (proc(5), `stat`: user and system time, in hundredths).
fn cpu(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// Bytes that no other process shares.
fn memory(process: u32) -> i64 {
    let maps = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let kilobytes = maps.lines().filter(|line| line.starts_with("Private_"));
    let kilobytes = kilobytes.map(|line| line.split_whitespace().nth(1).unwrap().parse::<i64>().unwrap());
    1024 * kilobytes.sum::<i64>()
}
