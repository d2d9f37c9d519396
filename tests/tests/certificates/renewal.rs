//! What follows a certificate.

use std::fs;

use instant_acme::{Account, CertificateIdentifier, Identifier, NewOrder};
use palisade::acme::Phase;
use palisade_tests::pebble::available;
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
