//! A slice of the CRS corpus through the real binary, over real TCP; `make crs-live` runs all of it. And the marker by
//! which go-ftw finds its place in the log.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::SocketAddr;

use palisade_tests::corpus::known::KnownFailures;
use palisade_tests::corpus::live::{self, Edge};
use palisade_tests::corpus::{Installation, Selection};
use palisade_tests::harness::{Connection, Tls, binary, crs_rules, eventually};

/// What a slice must have at least to say something: 5,009 stages by 20.
const SLICE: usize = 250;

#[test]
fn every_twentieth_stage_passes_through_the_edge() {
    let Some(rules) = crs_rules() else { return };
    let installation = Installation::find(&rules).unwrap();
    if installation.tests.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "the rule set came without its tests"
        );
        println!("skipped: CRS {} came without its tests", installation.version);
        return;
    }
    let selection = Selection {
        every: 20,
        ..Selection::default()
    };
    let known = KnownFailures::live(&installation.version).unwrap();
    let report = live::run(&installation, &selection, binary()).unwrap();
    println!("{}", report.text(&known));
    let unknown = report.unknown_failures(&known);
    assert!(unknown.is_empty(), "stages fail:\n{}", unknown.join("\n"));
    assert!(
        report.outdated(&known).is_empty(),
        "{:?}",
        report.outdated(&known)
    );
    if installation.version == "4.28.0" {
        assert!(report.outcomes.len() >= SLICE, "{}", report.outcomes.len());
    }
}

/// As go-ftw does it: a marker, the test, another marker; what lies between is the test's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markers_frame_what_a_test_leaves_in_the_log() {
    let Some(rules) = crs_rules() else { return };
    let upstream = live::upstream::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let edge = Edge::start(binary(), &rules, upstream).await.unwrap();
    let attack = "GET /get?id=1'%20OR%20'1'='1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let framed = |name: &str| {
        format!(
            "GET /status/200 HTTP/1.1\r\nHost: localhost\r\nX-CRS-Test: {name}\r\nConnection: close\r\n\r\n"
        )
    };
    for (name, wire) in [
        ("begin-7f3a", framed("begin-7f3a")),
        ("", attack.into()),
        ("end-7f3a", framed("end-7f3a")),
    ] {
        assert_eq!(status(edge.address(), &wire).await, 200);
        eventually("the marker in the log", || async {
            let log = String::from_utf8(edge.log().unwrap()).unwrap();
            log.contains(name).then_some(())
        })
        .await;
    }
    let log = String::from_utf8(edge.stop().await.unwrap()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let at = |name: &str| lines.iter().position(|line| line.contains(name)).unwrap();
    let (begin, end) = (at("begin-7f3a"), at("end-7f3a"));
    let between = &lines[begin + 1..end];
    assert!(
        between.iter().any(|line| line.contains("[id \"942100\"]")),
        "{log}"
    );
    // A marker's own request leaves its one line.
    assert_eq!((begin, end), (0, lines.len() - 1), "{log}");
}

async fn status(edge: SocketAddr, wire: &str) -> u16 {
    let mut connection = Connection::tls(edge, "localhost", &Tls::default()).await.unwrap();
    connection.send(wire).await.unwrap();
    connection.answer().await.unwrap().status
}
