//! Records of routes, from the configuration to the API: `palisade::dns` over `palisade::cloudflare` against a strict
//! fake.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use palisade::config::{self, Config};
use palisade::config_files::DiskFiles;
use palisade::dns::{Addresses, Found, How, Outcome, Records, ZoneOutcome, desired};
use palisade_tests::cloudflare::{FakeCloudflare, FakeOptions, Fault, FaultKind, Quota};
use serde_json::json;
use tempfile::TempDir;

const ZONE: &str = "ex.com";
const HOME: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
const MOVED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 6);
const BATCH: &str = "/dns_records/batch";
const LIST: &str = "/dns_records";

/// An edge's records, its API, and its configuration.
struct Edge {
    fake: FakeCloudflare,
    folder: TempDir,
    records: Records,
}

impl Edge {
    async fn new(options: FakeOptions) -> Self {
        let fake = FakeCloudflare::start(options).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), fake.token()).unwrap();
        Self {
            fake,
            folder,
            records: Records::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A route for each host, and what else the file says.
    fn config(&self, hosts: &[&str], rest: &str) -> Config {
        let route = |host: &&str| {
            let name = host.replace(['.', '*'], "-");
            format!(
                "[[routes]]\nname = \"r{name}\"\nhosts = [\"{host}\"]\nbackends = [\"http://127.0.0.1:1\"]\n"
            )
        };
        let routes: String = hosts.iter().map(route).collect();
        let (token, api) = (self.path("token"), self.fake.base_url());
        let zone = format!("[[zones]]\nname = \"{ZONE}\"\ntoken = {token:?}\napi = \"{api}\"\n");
        let path = self.path("palisade.toml");
        std::fs::write(&path, format!("{routes}{rest}\n{zone}")).unwrap();
        config::load(&path, &DiskFiles).unwrap_or_else(|errors| panic!("{errors}"))
    }

    async fn round_of(&mut self, config: &Config, v4: Found<Ipv4Addr>, how: How) -> ZoneOutcome {
        let found = Addresses { v4, v6: Found::None };
        let desired = desired(&config.routes, &config.zones, &config.dns, &found);
        let outcome: Outcome = self
            .records
            .round(&desired, &config.zones, &config.dns, how)
            .await;
        assert_eq!(&outcome, self.records.last());
        outcome.zones.into_iter().next().unwrap()
    }

    async fn round(&mut self, hosts: &[&str], address: Ipv4Addr) -> ZoneOutcome {
        let config = self.config(hosts, "");
        self.round_of(&config, Found::Known(address), How::default())
            .await
    }

    fn seed(&self, kind: &str, name: &str, content: &str) {
        let body = json!({"type": kind, "name": name, "content": content, "ttl": 1, "proxied": false});
        self.fake.seed(ZONE, body);
    }

    fn contents(&self, name: &str, kind: &str) -> Vec<String> {
        self.fake.contents(ZONE, name, kind)
    }

    /// The next round has nothing to do and asks for no more than the list.
    async fn assert_settled(&mut self, hosts: &[&str], address: Ipv4Addr) {
        self.fake.forget_calls();
        let outcome = self.round(hosts, address).await;
        assert!(outcome.plan.contains("nothing to do"), "{}", outcome.plan);
        assert_eq!(outcome.stopped, None);
        assert!(
            self.fake.calls().iter().all(|call| call.method == "GET"),
            "{:?}",
            self.fake.calls()
        );
    }
}

fn mark(owner: &str, resource: &str) -> String {
    format!("\"heritage=external-dns,external-dns/owner={owner},external-dns/resource={resource}\"")
}

#[tokio::test]
async fn dns_records_come_follow_the_address_and_go_again() {
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    edge.fake.seed(ZONE, json!({"type": "CAA", "name": ZONE, "ttl": 1, "data": {"flags": 0, "tag": "issue", "value": "ca.test"}}));
    edge.seed("A", "hand.ex.com", "198.51.100.1");
    edge.seed("TXT", ZONE, "\"v=spf1 -all\"");
    let foreign = edge.fake.records(ZONE);

    let hosts = ["www.ex.com", "*.apps.ex.com", "hand.ex.com", "elsewhere.org"];
    let outcome = edge.round(&hosts, HOME).await;
    assert_eq!((outcome.done, outcome.creates), (4, 4), "{outcome:?}");
    assert_eq!(edge.contents("www.ex.com", "A"), ["203.0.113.5"]);
    assert_eq!(
        edge.contents("a-www.ex.com", "TXT"),
        [mark("default", "palisade/rwww-ex-com")]
    );
    assert_eq!(edge.contents("*.apps.ex.com", "A"), ["203.0.113.5"]);
    assert_eq!(
        outcome.notes,
        ["A hand.ex.com is there and not ours: left as it is"]
    );
    edge.assert_settled(&hosts, HOME).await;
    assert_eq!(
        edge.fake.calls().len(),
        1,
        "the zone is known: a list, and no more"
    );

    let outcome = edge.round(&hosts, MOVED).await;
    assert_eq!((outcome.updates, outcome.done), (2, 2));
    assert_eq!(edge.contents("www.ex.com", "A"), ["203.0.113.6"]);

    let config = edge.config(&["www.ex.com"], "");
    let outcome = edge.round_of(&config, Found::Unknown, How::default()).await;
    assert_eq!(
        (outcome.updates, outcome.done),
        (0, 2),
        "only the other host goes: {}",
        outcome.plan
    );

    let all = How {
        allow_deletes: true,
        ..How::default()
    };
    let none = edge.config(&["elsewhere.org"], "");
    let refused = edge.round_of(&none, Found::Known(HOME), How::default()).await;
    assert!(refused.refused.unwrap().contains("- A www.ex.com -> 203.0.113.6"));
    assert_eq!(refused.done, 0);
    let dry = How { dry_run: true, ..all };
    let dry = edge.round_of(&none, Found::Known(HOME), dry).await;
    assert_eq!((dry.deletes, dry.done), (2, 0));
    let outcome = edge.round_of(&none, Found::Known(HOME), all).await;
    assert_eq!((outcome.deletes, outcome.done), (2, 2));
    assert_eq!(edge.fake.records(ZONE), foreign, "nothing else was touched");
}

#[tokio::test]
async fn dns_external_dns_records_are_taken_over_as_they_are() {
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    edge.seed("A", "www.ex.com", "203.0.113.5");
    edge.seed("TXT", "a-www.ex.com", &mark("default", "httproute/apps/www"));
    edge.seed("A", "old.ex.com", "203.0.113.5");
    edge.seed("TXT", "old.ex.com", &mark("default", "ingress/apps/old"));
    edge.seed("A", "other.ex.com", "203.0.113.5");
    edge.seed("TXT", "a-other.ex.com", &mark("somebody", "httproute/apps/other"));
    let hosts = ["www.ex.com", "old.ex.com", "other.ex.com"];
    let outcome = edge.round(&hosts, HOME).await;
    assert_eq!(
        (outcome.creates, outcome.updates, outcome.deletes),
        (1, 0, 0),
        "{}",
        outcome.plan
    );
    assert_eq!(edge.contents("a-old.ex.com", "TXT").len(), 1);
    assert_eq!(
        outcome.notes,
        ["A other.ex.com belongs to `somebody`: left as it is"]
    );
    edge.round(&hosts, MOVED).await;
    assert_eq!(edge.contents("www.ex.com", "A"), ["203.0.113.6"]);
    assert_eq!(edge.contents("other.ex.com", "A"), ["203.0.113.5"]);
}

#[tokio::test]
async fn dns_from_addresses_to_a_name_and_back() {
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    edge.round(&["www.ex.com"], HOME).await;
    let to_name = edge.config(&["www.ex.com"], "[dns]\ntargets = [\"edge.example.net\"]");
    let outcome = edge.round_of(&to_name, Found::Known(HOME), How::default()).await;
    assert_eq!(
        (outcome.done, outcome.stopped, outcome.refused),
        (4, None, None),
        "{}",
        outcome.plan
    );
    assert_eq!(edge.contents("www.ex.com", "CNAME"), ["edge.example.net"]);
    assert_eq!(edge.fake.records(ZONE).len(), 2);
    edge.round(&["www.ex.com"], HOME).await;
    assert_eq!(edge.contents("www.ex.com", "A"), ["203.0.113.5"]);
    assert_eq!(edge.fake.records(ZONE).len(), 2);
}

#[tokio::test]
async fn dns_one_refused_record_holds_up_no_other() {
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    let private = "[routes.dns]\ntargets = [\"10.0.0.1\"]\nproxied = true";
    let config = edge.config(&["a.ex.com", "b.ex.com", "c.ex.com"], private);
    let outcome = edge.round_of(&config, Found::Known(HOME), How::default()).await;
    assert_eq!(outcome.done, 4, "{outcome:?}");
    assert_eq!(edge.fake.count("POST", BATCH), 4, "one for all, then one by one");
    let [failure] = outcome.failures.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(failure.what, "A c.ex.com");
    assert!(
        failure.advice.as_ref().unwrap().contains("private address"),
        "{failure:?}"
    );
    assert!(
        edge.contents("a-c.ex.com", "TXT").is_empty(),
        "no mark without its record"
    );
    assert!(!edge.records.last().is_ok());
}

#[tokio::test]
async fn dns_somebody_is_faster_and_keeps_what_he_made() {
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    let hosts = ["a.ex.com", "b.ex.com"];
    // Between the list and the batch somebody makes a record of that name.
    let slow = FaultKind::Slow(Duration::from_millis(300));
    edge.fake.fault(Fault::new(slow).on("POST", BATCH));
    let config = edge.config(&hosts, "");
    let fake = &edge.fake;
    let found = Addresses {
        v4: Found::Known(HOME),
        v6: Found::None,
    };
    let desired = desired(&config.routes, &config.zones, &config.dns, &found);
    let round = edge
        .records
        .round(&desired, &config.zones, &config.dns, How::default());
    let body =
        json!({"type": "CNAME", "name": "a.ex.com", "content": "mine.test", "ttl": 1, "proxied": false});
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        fake.seed(ZONE, body)
    };
    let (outcome, _) = tokio::join!(round, meanwhile);
    assert_eq!(outcome.zones[0].done, 2, "{outcome:?}");
    assert_eq!(outcome.zones[0].failures[0].what, "A a.ex.com");
    assert!(outcome.zones[0].failures[0].advice.is_some(), "{outcome:?}");
    assert_eq!(edge.contents("a.ex.com", "CNAME"), ["mine.test"]);
    let outcome = edge.round(&hosts, HOME).await;
    assert_eq!(
        outcome.notes,
        ["no A a.ex.com: there is a record CNAME that is not ours"]
    );
}

#[tokio::test]
async fn dns_the_limit_of_calls_is_waited_for() {
    let quota = Quota {
        requests: 2,
        window: Duration::from_secs(2),
    };
    let mut edge = Edge::new(FakeOptions {
        quota,
        ..FakeOptions::zones(&[ZONE])
    })
    .await;
    let outcome = edge.round(&["www.ex.com"], HOME).await;
    // The zone and the list were the last two: the batch is not even sent.
    assert_eq!((outcome.done, edge.fake.calls().len()), (0, 2), "{outcome:?}");
    let wait = outcome.wait.unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    edge.round(&["www.ex.com"], HOME).await;
    assert_eq!(edge.fake.calls().len(), 2);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(edge.round(&["www.ex.com"], HOME).await.done, 2);
    assert!(
        edge.fake.calls().iter().all(|call| call.status != 429),
        "nobody was blocked"
    );

    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    edge.fake
        .fault(Fault::new(FaultKind::Status(429)).on("POST", BATCH));
    let outcome = edge.round(&["www.ex.com"], HOME).await;
    assert_eq!((outcome.done, outcome.wait), (0, Some(1)), "{outcome:?}");
    assert_eq!(edge.fake.count("POST", BATCH), 1, "no replay");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(edge.round(&["www.ex.com"], HOME).await.done, 2);
}

#[tokio::test]
async fn dns_answers_that_make_no_sense_change_nothing_and_are_told() {
    let hosts = ["www.ex.com", "shop.ex.com"];
    let faults = [
        FaultKind::Status(500),
        FaultKind::Status(403),
        FaultKind::ResetBefore,
        FaultKind::Garbage,
        FaultKind::Truncated,
        FaultKind::Oversize(33 << 20),
    ];
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    edge.round(&hosts, HOME).await;
    let before = edge.fake.records(ZONE);
    for fault in faults {
        // More often than anybody tries by himself.
        edge.fake
            .fault(Fault::new(fault.clone()).on("GET", LIST).times(5));
        let outcome = edge.round(&["elsewhere.org"], MOVED).await;
        assert!(
            outcome.stopped.is_some() && outcome.plan.is_empty(),
            "{fault:?}: {outcome:?}"
        );
        assert_eq!(edge.fake.records(ZONE), before, "{fault:?}");
        edge.fake.clear_faults();
    }
    edge.assert_settled(&hosts, HOME).await;
}

#[tokio::test]
async fn dns_a_lost_answer_is_no_lost_record() {
    let hosts = ["www.ex.com", "shop.ex.com"];
    let faults = [
        FaultKind::ResetAfter,
        FaultKind::Garbage,
        FaultKind::Truncated,
        FaultKind::Oversize(33 << 20),
        FaultKind::ResetBefore,
        FaultKind::Status(502),
    ];
    for fault in faults {
        let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
        edge.fake.fault(Fault::new(fault.clone()).on("POST", BATCH));
        let outcome = edge.round(&hosts, HOME).await;
        assert!(
            outcome.stopped.is_some() && outcome.failures.is_empty(),
            "{fault:?}: {outcome:?}"
        );
        edge.round(&hosts, HOME).await;
        assert_eq!(edge.fake.records(ZONE).len(), 4, "{fault:?}: each once");
        edge.assert_settled(&hosts, HOME).await;
    }
}

#[tokio::test]
async fn dns_a_round_that_is_dropped_is_made_good_by_the_next() {
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    edge.fake
        .fault(Fault::new(FaultKind::Slow(Duration::from_millis(500))).on("POST", BATCH));
    let dropped = tokio::time::timeout(Duration::from_millis(250), edge.round(&["www.ex.com"], HOME)).await;
    assert!(dropped.is_err());
    tokio::time::sleep(Duration::from_millis(500)).await;
    edge.round(&["www.ex.com"], HOME).await;
    assert_eq!(edge.fake.records(ZONE).len(), 2);
    edge.assert_settled(&["www.ex.com"], HOME).await;
}

#[tokio::test]
async fn dns_a_bad_token_is_told_and_a_new_one_is_read() {
    let mut edge = Edge::new(FakeOptions::zones(&[ZONE])).await;
    edge.fake.revoke_token(edge.fake.token());
    let outcome = edge.round(&["www.ex.com"], HOME).await;
    let told = outcome.stopped.unwrap();
    assert!(
        told.advice.as_ref().unwrap().contains("Zone / DNS / Edit"),
        "{told:?}"
    );
    assert!(!format!("{told:?}").contains(edge.fake.token()));

    let new = "another-token_0123456789abcdefghijklmnop";
    edge.fake
        .add_token(new, &[ZONE], palisade_tests::cloudflare::Access::Edit);
    std::fs::write(edge.path("token"), new).unwrap();
    assert_eq!(edge.round(&["www.ex.com"], HOME).await.done, 2);

    edge.fake
        .add_token(new, &[], palisade_tests::cloudflare::Access::Edit);
    let outcome = Edge {
        records: Records::new(),
        ..edge
    }
    .round(&["www.ex.com"], HOME)
    .await;
    assert!(outcome.stopped.unwrap().error.contains("no zone ex.com"));
}

#[tokio::test]
async fn dns_a_full_zone_takes_what_fits_and_says_so() {
    let mut edge = Edge::new(FakeOptions {
        record_quota: 7,
        ..FakeOptions::zones(&[ZONE])
    })
    .await;
    let hosts = ["a.ex.com", "b.ex.com", "c.ex.com", "d.ex.com", "e.ex.com"];
    let outcome = edge.round(&hosts, HOME).await;
    assert_eq!(outcome.done, 6, "{outcome:?}");
    assert!(
        outcome
            .stopped
            .unwrap()
            .advice
            .unwrap()
            .contains("as many records as its plan allows")
    );
    assert_eq!(edge.fake.records(ZONE).len(), 6);
    assert_eq!(
        edge.fake.count("POST", BATCH),
        5,
        "the first is refused, the fourth of its parts ends it"
    );
}

#[tokio::test]
async fn dns_a_thousand_routes_take_few_calls() {
    let mut edge = Edge::new(FakeOptions {
        record_quota: 3500,
        ..FakeOptions::zones(&[ZONE])
    })
    .await;
    let names: Vec<String> = (0..1000).map(|nth| format!("h{nth:04}.ex.com")).collect();
    let hosts: Vec<&str> = names.iter().map(String::as_str).collect();
    let outcome = edge.round(&hosts, HOME).await;
    assert_eq!((outcome.done, outcome.stopped), (2000, None));
    assert_eq!(
        (edge.fake.count("POST", BATCH), edge.fake.calls().len()),
        (10, 12)
    );
    edge.assert_settled(&hosts, HOME).await;
    assert_eq!(edge.fake.calls().len(), 2, "two pages");

    edge.fake.forget_calls();
    let outcome = edge.round(&hosts, MOVED).await;
    assert_eq!((outcome.done, outcome.updates), (1000, 1000));
    assert_eq!(edge.fake.count("POST", BATCH), 5);
}
