//! The way to a certificate.

use palisade::acme::Phase;
use palisade::config::{Eab, SecretSource};
use palisade_tests::cloudflare::FakeOptions;
use palisade_tests::pebble::{PebbleOptions, available};
use serde_json::json;
use time::Duration;

use crate::home::{CHALLENGE, Home, ZONE, calm, now, status, view};

#[tokio::test]
async fn certificates_are_ordered_once_and_used_over_restarts() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.profile = Some("default".to_owned());
    let mut certificates = home.started();
    assert!(certificates.follow(now()).await.changed);
    let stand_in = view(&certificates).entries[0].clone();
    assert_eq!(stand_in.names, ["example.com", "*.example.com"]);
    assert_eq!(status(&certificates).phase, Phase::Absent);

    let round = certificates.round(now()).await;
    let found = status(&certificates);
    assert_eq!((found.phase, found.failure), (Phase::Valid, None));
    assert!(round.changed && round.next.as_secs() > 60, "{round:?}");
    let life = found.not_after.unwrap() - found.not_before.unwrap();
    assert_eq!(life.whole_days(), 89, "a second less than 90 days");
    assert!(found.issuer.unwrap().contains("Pebble") && !found.critical);
    let entries = view(&certificates).entries.clone();
    assert_eq!(entries.len(), 1, "nothing stands in any more");
    assert_eq!(entries[0].key.cert.len(), 2, "the leaf and the intermediate");
    assert_eq!(home.challenges(), Vec::<String>::new());
    assert_eq!(home.fake.count("POST", "/dns_records"), 2);

    // A second process, and then a third whose CA and provider are gone.
    let account = std::fs::read(home.account()).unwrap();
    let mut second = home.started();
    assert!(second.follow(now()).await.changed);
    assert!(!second.round(now()).await.changed);
    assert_eq!(std::fs::read(home.account()).unwrap(), account);
    assert_eq!(home.orders().len(), 1);
    let mut offline = home.acme.clone();
    offline.root = Some("/nowhere.pem".into());
    let third = Home {
        acme: offline,
        ..home
    };
    let mut third_process = third.started();
    third_process.round(now() + Duration::days(3)).await;
    assert_eq!(status(&third_process).phase, Phase::Valid);
    assert_eq!(view(&third_process).entries[0].names.len(), 2);
}

/// Three of ten requests are refused for their nonce; where that befalls one request three times in a row, the next
/// round goes on with the same order.
#[tokio::test]
async fn certificates_come_from_a_moody_ca() {
    if !available() {
        return;
    }
    let moody = PebbleOptions {
        nonce_reject: Some(30),
        authorization_reuse: None,
        no_sleep: false,
        ..calm()
    };
    let home = Home::new(moody).await;
    let mut certificates = home.started();
    for attempt in 0..8 {
        certificates.round(now() + Duration::hours(40) * attempt).await;
        if status(&certificates).phase == Phase::Valid {
            return;
        }
    }
    panic!("{:?}", status(&certificates).failure);
}

#[tokio::test]
async fn certificates_have_the_life_of_their_profile() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.profile = Some("shortlived".to_owned());
    let mut certificates = home.started();
    certificates.round(now()).await;
    let found = status(&certificates);
    let life = found.not_after.unwrap() - found.not_before.unwrap();
    assert_eq!((life + Duration::SECOND).whole_hours(), 160);
    let left = found.not_after.unwrap() - found.next.unwrap();
    assert!(
        (Duration::hours(26)..Duration::hours(90)).contains(&left),
        "{left}"
    );
}

#[tokio::test]
async fn certificates_challenges_are_written_where_cnames_lead() {
    if !available() {
        return;
    }
    let zones = FakeOptions::zones(&[ZONE, "example.net"]);
    let home = Home::with_zones(zones, calm()).await;
    let alias = json!({"type": "CNAME", "name": CHALLENGE, "content": "home.acme.example.net"});
    home.fake.seed(ZONE, alias);
    let mut certificates = home.started();
    certificates.round(now()).await;
    assert_eq!(status(&certificates).failure, None);
    let calls = home.fake.calls();
    let written: Vec<_> = calls
        .iter()
        .filter(|call| call.is("POST", "/dns_records"))
        .collect();
    assert_eq!(written.len(), 2);
    assert!(
        written
            .iter()
            .all(|call| call.json()["name"] == "home.acme.example.net")
    );
    assert!(
        home.fake
            .contents("example.net", "home.acme.example.net", "TXT")
            .is_empty()
    );
}

#[tokio::test]
async fn certificates_come_for_external_accounts() {
    if !available() {
        return;
    }
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let options = PebbleOptions {
        external_accounts: vec![("kid-1", key)],
        ..calm()
    };
    let mut home = Home::new(options).await;
    let mut certificates = home.started();
    certificates.round(now()).await;
    let failure = status(&certificates).failure.unwrap();
    assert_eq!(failure.problem.unwrap().kind, "externalAccountRequired");
    assert!(failure.advice.unwrap().contains("eab_kid"));

    let file = home.path("eab");
    std::fs::write(&file, key).unwrap();
    home.acme.eab = Some(Eab {
        kid: "kid-1".to_owned(),
        key: SecretSource::File(file),
    });
    let mut certificates = home.started();
    certificates.round(now() + Duration::hours(2)).await;
    assert_eq!(status(&certificates).failure, None);
    assert_eq!(status(&certificates).phase, Phase::Valid);
}
