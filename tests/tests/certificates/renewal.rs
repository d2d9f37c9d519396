//! What follows a certificate.

use std::fs;

use palisade::acme::Phase;
use palisade_tests::pebble::available;
use serde_json::json;
use time::Duration;
use time::format_description::well_known::Rfc3339;

use crate::home::{Home, calm, now, status, view};

const CHAIN: &str = "certificates/example.com/tls.crt";

#[tokio::test]
async fn certificates_are_renewed_when_the_ca_says_so() {
    if !available() {
        return;
    }
    let home = Home::new(calm()).await;
    let mut certificates = home.started();
    certificates.round(now()).await;
    let first = fs::read_to_string(home.path(CHAIN)).unwrap();
    let window = home.state()["schedule"]["window"].clone();
    assert!(window["start"].is_string(), "Pebble suggests a window: {window}");

    // Revoked, say: the window is over. It is seen when the CA is asked again.
    let past = |hours| (now() - Duration::hours(hours)).format(&Rfc3339).unwrap();
    let moved = json!({"suggestedWindow": {"start": past(3), "end": past(2)}, "explanationURL": "https://ca.example/why"});
    home.pebble.set_renewal_info(&first, &moved.to_string()).await;
    assert!(
        !certificates.round(now()).await.changed,
        "not asked again before Retry-After"
    );
    let round = certificates.round(now() + Duration::hours(25)).await;
    assert!(round.changed);
    assert_eq!(status(&certificates).failure, None);
    let second = fs::read_to_string(home.path(CHAIN)).unwrap();
    assert_ne!(first, second);
    assert_eq!(view(&certificates).entries.len(), 1);
    let orders = home.pebble.log();
    assert!(
        orders.contains("replaces") || home.orders().len() == 2,
        "{orders}"
    );
}

#[tokio::test]
async fn certificates_are_renewed_after_two_thirds_of_their_life() {
    if !available() {
        return;
    }
    let home = Home::new(calm()).await;
    let mut certificates = home.started();
    certificates.round(now()).await;
    let next = status(&certificates).next.unwrap();
    assert!(!certificates.round(next - Duration::hours(30)).await.changed);
    // The CA's clock stands still, so what it makes then is over by ours: what is checked says so, and the old
    // certificate goes on serving.
    certificates.round(now() + Duration::days(89)).await;
    assert!(status(&certificates).critical);
    assert_eq!(view(&certificates).entries.len(), 1);
}

#[tokio::test]
async fn certificates_for_other_names_are_ordered_while_the_old_one_serves() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    let mut certificates = home.started();
    certificates.round(now()).await;
    home.names.push("lab.example.com".to_owned());
    let mut certificates = home.started();
    certificates.follow(now()).await;
    let entries = view(&certificates).entries.clone();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].origin, "self-signed stand-in");
    certificates.round(now()).await;
    assert!(
        view(&certificates)
            .certificates
            .iter()
            .all(|found| found.phase == Phase::Valid)
    );
    assert_eq!(home.orders().len(), 2);
    let origins: Vec<_> = view(&certificates)
        .entries
        .iter()
        .map(|entry| entry.origin.clone())
        .collect();
    assert_eq!(origins, [CHAIN, "certificates/lab.example.com/tls.crt"]);
}
