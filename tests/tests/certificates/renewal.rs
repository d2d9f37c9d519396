//! What follows a certificate.

use std::fs;

use instant_acme::{Account, CertificateIdentifier, Identifier, NewOrder};
use palisade::acme::Phase;
use palisade_tests::cloudflare::{Fault, FaultKind};
use palisade_tests::pebble::{PebbleOptions, available};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, Der};
use serde_json::{Value, json};
use time::Duration;
use time::format_description::well_known::Rfc3339;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

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
    assert_eq!(home.orders().len(), 2);

    // The CA knows what was replaced: it takes no second order that replaces the same.
    let told = order_again(&home, &first).await.to_string();
    assert!(told.contains("alreadyReplaced"), "{told}");
}

/// As our own account.
async fn order_again(home: &Home, chain: &str) -> instant_acme::Error {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
    let stored: Value = serde_json::from_slice(&fs::read(home.account()).unwrap()).unwrap();
    let credentials =
        json!({"id": stored["id"], "key_pkcs8": stored["key"], "directory": stored["directory"]});
    let builder = Account::builder_with_root(home.pebble.root_pem_path()).unwrap();
    let credentials = serde_json::from_value(credentials).unwrap();
    let account = builder.from_credentials(credentials).await.unwrap();
    let (leaf, _) = chain.split_at(chain.find("-----END").unwrap() + 25);
    let leaf = CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap();
    let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
    let authority = leaf
        .iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(authority) => authority.key_identifier.as_ref(),
            _ => None,
        });
    let serial = Der::from_slice(leaf.raw_serial());
    let identifier = CertificateIdentifier::new(Der::from_slice(authority.unwrap().0), serial);
    let names = [Identifier::Dns("example.com".to_owned())];
    let order = NewOrder::new(&names).replaces(identifier);
    account.new_order(&order).await.err().unwrap()
}

#[tokio::test]
async fn certificates_are_renewed_within_the_suggested_window() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.profile = Some("default".to_owned());
    let mut certificates = home.started();
    certificates.round(now()).await;
    let next = status(&certificates).next.unwrap();
    let days = (next - now()).whole_days();
    assert!((58..=61).contains(&days), "{days}");
    assert!(!certificates.round(next - Duration::HOUR).await.changed);
    assert!(certificates.round(next).await.changed);
    assert_eq!(home.orders().len(), 1, "the first order is too old to count");
    assert_eq!(status(&certificates).failure, None);
}

/// By our clock the new certificate is over already: it is not installed.
#[tokio::test]
async fn certificates_that_do_not_fit_are_not_installed() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.profile = Some("shortlived".to_owned());
    let mut certificates = home.started();
    certificates.round(now()).await;
    let before = fs::read_to_string(home.path(CHAIN)).unwrap();
    assert!(!certificates.round(now() + Duration::days(10)).await.changed);
    let failure = status(&certificates).failure.unwrap();
    assert!(
        failure.message.contains("not what was ordered: it is valid from"),
        "{}",
        failure.message
    );
    assert_eq!(fs::read_to_string(home.path(CHAIN)).unwrap(), before);
    assert_eq!(status(&certificates).phase, Phase::Expired);
    assert_eq!(view(&certificates).entries.len(), 1, "better than none");
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

/// From its birth to its successor, by a clock that is set on: 160 hours, in new processes, with a DNS provider that is
/// down when it is due.
#[tokio::test]
async fn certificates_of_six_days_live_their_life() {
    if !available() {
        return;
    }
    let mut home = Home::new(calm()).await;
    home.acme.profile = Some("shortlived".to_owned());
    let mut certificates = home.started();
    certificates.round(now()).await;
    let born = status(&certificates);
    let first = fs::read_to_string(home.path(CHAIN)).unwrap();
    let (begin, end) = (born.not_before.unwrap(), born.not_after.unwrap());
    assert_eq!((end - begin).whole_hours(), 159, "160 hours, but for a second");
    let mut at = now();
    // Looked at four times a day, it stays until its time has come.
    while status(&certificates).next.unwrap() > at + Duration::hours(6) {
        at += Duration::hours(6);
        certificates = home.started();
        certificates.round(at).await;
        assert_eq!(
            (status(&certificates).phase, status(&certificates).critical),
            (Phase::Valid, false)
        );
        assert_eq!(home.orders().len(), 1);
    }
    let due = status(&certificates).next.unwrap();
    let share = (due - begin) / (end - begin);
    // Pebble suggests two thirds, a day earlier or later; that is 0.15 of this life.
    assert!((0.51..0.82).contains(&share), "renewed after {share} of its life");

    // Nothing can be published: tried again and again, and told loudly from a sixth before the end.
    let down = Fault::new(FaultKind::Status(500)).on("POST", "/dns_records");
    home.fake.fault(down.times(100_000));
    at = due;
    let mut attempts = 0;
    while at < end - Duration::hours(12) {
        certificates.round(at).await;
        let found = status(&certificates);
        assert_eq!(found.phase, Phase::Failing);
        assert_eq!(found.critical, at >= end - (end - begin) / 6);
        assert_eq!(view(&certificates).entries.len(), 1, "it serves");
        attempts = found.failure.unwrap().count;
        at += Duration::hours(4);
    }
    assert!(
        status(&certificates).critical && attempts > 3,
        "{attempts} attempts"
    );

    assert_eq!(home.orders().len(), 2, "one order is gone on with");

    home.fake.clear_faults();
    certificates.round(at).await;
    assert_eq!(
        (status(&certificates).phase, status(&certificates).failure),
        (Phase::Valid, None)
    );
    assert_ne!(fs::read_to_string(home.path(CHAIN)).unwrap(), first);
    assert!(home.challenges().is_empty());
}

/// Old clients know one root only, and CAs that are cross-signed have a chain for them.
#[tokio::test]
async fn certificates_come_with_the_chain_that_is_preferred() {
    if !available() {
        return;
    }
    let options = PebbleOptions {
        alternate_roots: 2,
        ..calm()
    };
    let mut home = Home::new(options).await;
    let name = |pem: &str| {
        let root = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let (_, root) = X509Certificate::from_der(&root).unwrap();
        let name = root.subject().iter_common_name().next().unwrap();
        name.as_str().unwrap().to_owned()
    };
    for (nth, wanted) in [(0, None), (2, Some(2)), (1, Some(1)), (0, Some(9))] {
        let root = match wanted {
            None => None,
            Some(9) => Some("No Such Root".to_owned()),
            Some(wanted) => Some(name(&home.pebble.root(wanted).await)),
        };
        home.acme.preferred_chain = root;
        home.names = vec![format!("n{}.example.com", wanted.unwrap_or_default())];
        let mut certificates = home.started();
        certificates.round(now()).await;
        assert_eq!(status(&certificates).failure, None);
        let chain =
            fs::read_to_string(home.path(&format!("certificates/{}/tls.crt", home.names[0]))).unwrap();
        let last = CertificateDer::pem_slice_iter(chain.as_bytes())
            .last()
            .unwrap()
            .unwrap();
        let (_, last) = X509Certificate::from_der(&last).unwrap();
        let issuer = last
            .issuer()
            .iter_common_name()
            .next()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(issuer, name(&home.pebble.root(nth).await), "{wanted:?}");
    }
}
