//! When there is no certificate: it is told, remembered, and not tried again at once.

use std::fs;
use std::time::Duration as Wait;

use palisade::acme::Phase;
use palisade_tests::cloudflare::{FakeOptions, Fault, FaultKind};
use palisade_tests::pebble::{PebbleOptions, available};
use serde_json::Value;
use time::Duration;

use crate::home::{Home, ZONE, calm, now, status, view};

#[tokio::test]
async fn certificates_failures_are_kept_and_backed_off() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.propagation_timeout = Wait::from_secs(1);
    home.fake.set_propagation(0, Wait::MAX);
    let start = now();
    let mut certificates = home.started();
    certificates.round(start).await;
    let failure = status(&certificates).failure.unwrap();
    assert_eq!(failure.count, 1);
    let start = failure.at;
    let server = format!("ns1.example.com ({})", home.fake.dns());
    assert!(failure.message.contains(&server), "{}", failure.message);
    assert!(
        failure.message.ends_with("serves no TXT record there"),
        "{}",
        failure.message
    );
    assert!(home.challenges().is_empty(), "taken away after a failure");
    let order = home.state()["order"]["url"].clone();
    assert!(order.is_string());

    // A new process asks nobody within the minute: the CA had no part in it.
    let mut certificates = home.started();
    home.fake.forget_calls();
    let round = certificates.round(start + Duration::seconds(50)).await;
    assert!(home.fake.calls().is_empty());
    assert!(round.next <= Wait::from_secs(11), "{round:?}");
    assert_eq!(
        status(&certificates).why.unwrap(),
        "there is none; the last attempt failed"
    );
    certificates.round(start + Duration::seconds(65)).await;
    assert_eq!(status(&certificates).failure.unwrap().count, 2);

    // The third attempt waits two minutes, and goes on with the same order.
    home.fake.set_propagation(0, Wait::ZERO);
    certificates.round(start + Duration::seconds(170)).await;
    assert_eq!(status(&certificates).phase, Phase::Absent);
    assert_eq!(home.state()["order"]["url"], order);
    certificates.round(start + Duration::seconds(195)).await;
    assert_eq!(status(&certificates).phase, Phase::Valid);
    assert_eq!(status(&certificates).failure, None);
    assert_eq!(home.orders().len(), 1);
}

/// CAs forget orders after a week. One that is kept open for longer is given up, so that what is tried is counted.
#[tokio::test]
async fn certificates_orders_are_gone_on_with_for_a_week_and_no_longer() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.propagation_timeout = Wait::from_millis(200);
    // One of six days would be over on the tenth.
    home.acme.profile = Some("default".to_owned());
    home.fake.set_propagation(0, Wait::MAX);
    let start = now();
    let mut orders = Vec::new();
    for days in [0, 3, 6, 8, 9] {
        // A new process each time, and a clock that is set on.
        let mut certificates = home.started();
        certificates.round(start + Duration::days(days)).await;
        assert!(status(&certificates).failure.is_some(), "day {days}");
        orders.push(home.state()["order"]["url"].as_str().unwrap().to_owned());
    }
    assert_eq!(orders[..3], [&orders[0]; 3].map(String::clone));
    assert_ne!(orders[3], orders[0], "the eighth day");
    assert_eq!(orders[4], orders[3]);

    home.fake.set_propagation(0, Wait::ZERO);
    let mut certificates = home.started();
    certificates.round(start + Duration::days(10)).await;
    assert_eq!(status(&certificates).phase, Phase::Valid);
    assert!(home.challenges().is_empty());
}

/// What we see is not what the CA sees: split horizon.
#[tokio::test]
async fn certificates_that_the_ca_does_not_validate_are_told() {
    if !available() {
        return;
    }
    let zones = FakeOptions {
        name_servers: vec![Wait::MAX, Wait::ZERO],
        ..FakeOptions::zones(&[ZONE])
    };
    let mut home = Home::with_zones(zones, calm()).await;
    home.acme.nameservers = vec![home.fake.name_servers()[1]];
    let mut certificates = home.started();
    certificates.round(now()).await;
    let failure = status(&certificates).failure.unwrap();
    assert!(
        failure.message.contains("could not validate"),
        "{}",
        failure.message
    );
    assert_eq!(failure.problem.unwrap().kind, "unauthorized");
    assert!(failure.advice.unwrap().contains("_acme-challenge"));
    assert_eq!(home.orders()[0]["outcome"], "unvalidated");
    assert!(home.challenges().is_empty());
    assert_eq!(home.state()["order"], Value::Null);
    // Meanwhile something serves.
    assert_eq!(view(&certificates).entries.len(), 1);
}

#[tokio::test]
async fn certificates_refusals_come_with_advice() {
    if !available() {
        return;
    }
    let options = PebbleOptions {
        blocked: vec!["blocked.example.com"],
        ..calm()
    };
    let mut home = Home::new(options).await;
    home.names = vec!["blocked.example.com".to_owned()];
    let mut certificates = home.started();
    certificates.round(now()).await;
    let failure = status(&certificates).failure.unwrap();
    assert_eq!(failure.problem.unwrap().kind, "rejectedIdentifier");
    assert_eq!(home.orders()[0]["outcome"], "failed");

    home.names = vec![ZONE.to_owned()];
    home.acme.profile = Some("classic".to_owned());
    let mut certificates = home.started();
    certificates.round(now()).await;
    let failure = status(&certificates).failure.unwrap();
    assert!(
        failure.message.contains("`classic`") && failure.message.contains("shortlived"),
        "{}",
        failure.message
    );
    assert_eq!(home.orders().len(), 1, "no order was made");
}

#[tokio::test]
async fn certificates_survive_the_loss_of_the_account_at_the_ca() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.started().round(now()).await;
    let mut account: Value = serde_json::from_slice(&fs::read(home.account()).unwrap()).unwrap();
    let id = account["id"].as_str().unwrap().to_owned();
    account["id"] = format!("{}999", &id[..id.len() - 3]).into();
    fs::write(home.account(), account.to_string()).unwrap();
    home.names = vec!["lab.example.com".to_owned()];
    let mut certificates = home.started();
    certificates.round(now()).await;
    assert_eq!(status(&certificates).failure, None);
    let folder = home.account().parent().unwrap().to_owned();
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let aside = names.filter(|name| name.to_string_lossy().starts_with("account.json.damaged"));
    assert_eq!(aside.count(), 1);
}

/// A record that could not be removed is removed by the next round.
#[tokio::test]
async fn certificates_stale_challenges_are_removed_later() {
    if !available() {
        return;
    }
    let home = Home::new(calm()).await;
    let fault = Fault::new(FaultKind::Status(500)).on("DELETE", "").times(100);
    home.fake.fault(fault);
    let mut certificates = home.started();
    certificates.round(now()).await;
    assert_eq!(status(&certificates).phase, Phase::Valid);
    assert_eq!(home.challenges().len(), 2);
    home.fake.clear_faults();
    let mut certificates = home.started();
    certificates.round(now()).await;
    assert!(home.challenges().is_empty());
    assert_eq!(home.orders().len(), 1);
}

/// Nobody wrote them down, but they bear our mark.
#[tokio::test]
async fn certificates_stale_challenges_are_known_by_their_mark() {
    if !available() {
        return;
    }
    let home = Home::new(calm()).await;
    for (content, comment) in [("\"ours\"", "palisade acme"), ("\"theirs\"", "another client")] {
        let record = serde_json::json!({"type": "TXT", "name": crate::home::CHALLENGE, "content": content, "comment": comment});
        home.fake.seed(ZONE, record);
    }
    home.started().round(now()).await;
    assert_eq!(home.challenges(), ["\"theirs\""]);
}
