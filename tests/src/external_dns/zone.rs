//! A zone of the fake, as lines: `A www.ex.com ttl=1 direct 203.0.113.5`.

use serde_json::json;

use crate::cloudflare::{FakeCloudflare, FakeOptions, Record};

/// The zone that everything happens in.
pub(super) const ZONE: &str = "ex.com";

/// A zone with these records and nobody's calls so far.
pub(super) async fn zone(lines: &[String]) -> FakeCloudflare {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    for line in lines {
        seed(&fake, line);
    }
    fake
}

/// Its records, sorted.
pub(super) fn lines(fake: &FakeCloudflare) -> Vec<String> {
    let mut lines: Vec<String> = fake.records(ZONE).iter().map(line).collect();
    lines.sort();
    lines
}

/// Whether anybody wrote: also what changes nothing is a call too many.
pub(super) fn was_written(fake: &FakeCloudflare) -> bool {
    fake.calls().iter().any(|call| call.method != "GET")
}

fn line(record: &Record) -> String {
    let Record {
        kind,
        name,
        ttl,
        content,
        ..
    } = record;
    let way = if record.proxied { "proxied" } else { "direct" };
    format!("{kind} {name} ttl={ttl} {way} {content}")
}

fn seed(fake: &FakeCloudflare, line: &str) {
    let words: Vec<&str> = line.splitn(5, ' ').collect();
    let [kind, name, ttl, way, content] = words[..] else {
        panic!("not a record: {line}");
    };
    let ttl: u32 = ttl.trim_start_matches("ttl=").parse().unwrap();
    let body = json!({
        "type": kind, "name": name, "content": content, "ttl": ttl, "proxied": way == "proxied",
    });
    fake.seed(ZONE, body);
}
