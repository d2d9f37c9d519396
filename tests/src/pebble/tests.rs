//! The CA starts, says what it offers, and issues to who controls the DNS and to nobody else.

use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, ExternalAccountKey, Identifier,
    NewAccount, NewOrder, OrderStatus, RetryPolicy, RevocationRequest,
};
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;
use x509_parser::extensions::ParsedExtension;

use super::*;
use crate::cloudflare::{FakeCloudflare, FakeOptions};

const ZONE: &str = "example.com";

async fn ca(options: PebbleOptions) -> (FakeCloudflare, Pebble) {
    let fake = FakeCloudflare::start(FakeOptions::zones(&[ZONE])).await;
    let pebble = Pebble::start(fake.dns(), options).await;
    (fake, pebble)
}

fn at_once() -> PebbleOptions {
    PebbleOptions {
        no_sleep: true,
        nonce_reject: Some(0),
        ..PebbleOptions::default()
    }
}

async fn account(pebble: &Pebble, key: Option<&ExternalAccountKey>) -> Result<Account, instant_acme::Error> {
    // instant-acme takes the provider of the process.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
    let new = NewAccount {
        contact: &[],
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let builder = Account::builder_with_root(pebble.root_pem_path()).unwrap();
    let made = builder.create(&new, pebble.directory_url(), key).await;
    made.map(|(account, _)| account)
}

/// Orders a certificate for `*.example.com` and `example.com`; `publish` is given the names and values of the
/// challenges.
async fn order(
    account: &Account,
    mut publish: impl FnMut(&str, &str),
) -> Result<String, instant_acme::Error> {
    let names = [format!("*.{ZONE}"), ZONE.to_owned()];
    let identifiers = names.clone().map(Identifier::Dns);
    let mut order = account
        .new_order(&NewOrder::new(&identifiers).profile("shortlived"))
        .await
        .unwrap();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.unwrap();
        assert_eq!(authorization.status, AuthorizationStatus::Pending);
        let mut challenge = authorization.challenge(ChallengeType::Dns01).unwrap();
        publish(
            &format!("_acme-challenge.{ZONE}"),
            &challenge.key_authorization().dns_value(),
        );
        challenge.set_ready().await.unwrap();
    }
    let status = order.poll_ready(&RetryPolicy::default()).await?;
    assert_eq!(status, OrderStatus::Ready);
    let request = CertificateParams::new(names).unwrap();
    let request = request.serialize_request(&KeyPair::generate().unwrap()).unwrap();
    order.finalize_csr(request.der()).await.unwrap();
    order.poll_certificate(&RetryPolicy::default()).await
}

fn ders(chain: &str) -> Vec<CertificateDer<'static>> {
    let ders = CertificateDer::pem_slice_iter(chain.as_bytes());
    ders.map(Result::unwrap).collect()
}

#[tokio::test]
async fn certificates_pebble_says_what_it_offers() {
    if !available() {
        return;
    }
    let (_fake, pebble) = ca(PebbleOptions::default()).await;
    let directory = pebble.directory().await;
    let origin = pebble.directory_url().replace("/dir", "");
    for entry in [
        "newNonce",
        "newAccount",
        "newOrder",
        "revokeCert",
        "keyChange",
        "renewalInfo",
    ] {
        let url = directory[entry].as_str().unwrap_or_default();
        assert!(url.starts_with(&origin), "{entry}: {directory}");
    }
    let meta = &directory["meta"];
    assert_eq!(
        meta["profiles"],
        json!({"default": "default", "shortlived": "shortlived"})
    );
    assert_eq!(meta["externalAccountRequired"], false);
    let roots = pebble.issuer_roots().await;
    assert!(roots.starts_with("-----BEGIN CERTIFICATE-----"), "{roots}");
    let listener = std::fs::read_to_string(pebble.root_pem_path()).unwrap();
    assert_ne!(roots.trim(), listener.trim());
}

#[tokio::test]
async fn certificates_pebble_issues_to_who_controls_the_dns() {
    if !available() {
        return;
    }
    let (fake, pebble) = ca(at_once()).await;
    let account = account(&pebble, None).await.unwrap();
    // Both challenges are values at the same name.
    let chain = order(&account, |name, value| {
        fake.seed(
            ZONE,
            json!({"type": "TXT", "name": name, "content": format!("\"{value}\"")}),
        );
    });
    let chain = ders(&chain.await.unwrap());
    assert_eq!(chain.len(), 2, "the leaf and one intermediate");
    let (_, leaf) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
    let validity = leaf.validity();
    let hours = (validity.not_after.timestamp() - validity.not_before.timestamp()) / 3600;
    assert!((159..=160).contains(&hours), "{hours}");
    assert_eq!(fake.contents(ZONE, "_acme-challenge.example.com", "TXT").len(), 2);
    assert!(
        fake.questions()
            .iter()
            .any(|question| question.name == "_acme-challenge.example.com")
    );
}

#[tokio::test]
async fn certificates_pebble_says_when_to_renew() {
    if !available() {
        return;
    }
    let (fake, pebble) = ca(at_once()).await;
    let account = account(&pebble, None).await.unwrap();
    let chain = order(&account, |name, value| {
        fake.seed(
            ZONE,
            json!({"type": "TXT", "name": name, "content": format!("\"{value}\"")}),
        );
    });
    let chain = chain.await.unwrap();
    let leaf = ders(&chain).swap_remove(0);
    let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    let serial = parsed.raw_serial().to_vec();
    let authority = parsed
        .iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(authority) => authority.key_identifier.as_ref(),
            _ => None,
        });
    let authority = authority.unwrap().0.to_vec();
    let id = CertificateIdentifier::new(authority.as_slice().into(), serial.as_slice().into());
    let suggested = async || {
        account
            .renewal_info(&id)
            .await
            .map(|(info, _)| info.suggested_window.start)
    };
    let start = suggested().await.unwrap().unix_timestamp();
    let validity = parsed.validity();
    assert!(validity.not_before.timestamp() < start && start < validity.not_after.timestamp());

    let window = json!({"suggestedWindow": {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}});
    pebble.set_renewal_info(&chain, &window.to_string()).await;
    assert_eq!(suggested().await.unwrap().unix_timestamp(), 1_577_836_800);
    pebble.set_renewal_info(&chain, "no JSON").await;
    assert!(suggested().await.is_err());

    let digits: String = serial.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(pebble.status(&digits).await["Status"], "Valid");
    let revocation = RevocationRequest {
        certificate: &leaf,
        reason: None,
    };
    account.revoke(&revocation).await.unwrap();
    assert_eq!(pebble.status(&digits).await["Status"], "Revoked");
}

#[tokio::test]
async fn certificates_pebble_issues_nothing_to_others() {
    if !available() {
        return;
    }
    let (fake, pebble) = ca(at_once()).await;
    let account = account(&pebble, None).await.unwrap();
    let told = order(&account, |name, _| {
        fake.seed(
            ZONE,
            json!({"type": "TXT", "name": name, "content": "\"something else\""}),
        );
    });
    let told = told.await.unwrap_err().to_string();
    assert!(told.contains("Correct value not found"), "{told}");
}

#[tokio::test]
async fn certificates_pebble_asks_for_an_external_account() {
    if !available() {
        return;
    }
    let options = PebbleOptions {
        external_accounts: vec![(
            "kid-1",
            "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
        )],
        ..at_once()
    };
    let (_fake, pebble) = ca(options).await;
    assert_eq!(pebble.directory().await["meta"]["externalAccountRequired"], true);
    assert!(account(&pebble, None).await.is_err());
    let wrong = ExternalAccountKey::new("kid-1".to_owned(), b"wrong");
    assert!(account(&pebble, Some(&wrong)).await.is_err());
    let key = base64::Engine::decode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
    );
    let right = ExternalAccountKey::new("kid-1".to_owned(), &key.unwrap());
    assert!(account(&pebble, Some(&right)).await.is_ok());
}
