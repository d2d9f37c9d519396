mod store;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;

use super::super::disk::DiskStore;
use super::super::issued::tests::{START, issue};
use super::super::testing::Dns;
use super::*;
use crate::config::SecretSource;
use crate::secret::Secret;

const NAMES: [&str; 2] = ["example.com", "*.example.com"];

/// A service whose CA is not there: nothing listens at its port.
struct Offline {
    folder: TempDir,
    acme: Acme,
    zones: Vec<Zone>,
    dns: Dns,
}

impl Offline {
    async fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self {
            folder: tempfile::tempdir().unwrap(),
            acme: Acme {
                directory: format!("https://127.0.0.1:{port}/directory"),
                root: None,
                email: None,
                profile: None,
                preferred_chain: None,
                eab: None,
                nameservers: Vec::new(),
                propagation_timeout: Duration::from_secs(1),
                until_issued: UntilIssued::SelfSigned,
            },
            zones: vec![zone("example.com", &["example.com"])],
            dns: Dns::start().await,
        }
    }

    fn started(&self) -> Certificates {
        self.on(Arc::new(DiskStore::new(self.folder.path())))
    }

    fn on(&self, store: Arc<dyn Store>) -> Certificates {
        let authorities = Authorities::new(Vec::new());
        Certificates::new(
            &self.zones,
            &self.acme,
            store,
            Arc::new(self.dns.clone()),
            authorities,
        )
    }

    async fn stored(&self, names: &[&str]) -> Pair {
        let pair = Pair {
            directory: Some(self.acme.directory.clone()),
            ..issue(names)
        };
        let store = DiskStore::new(self.folder.path());
        store.install("example.com", &pair).await.unwrap();
        pair
    }
}

fn zone(name: &str, certificates: &[&str]) -> Zone {
    Zone {
        name: name.to_owned(),
        token: SecretSource::Env("UNUSED".to_owned()),
        api: String::new(),
        certificates: certificates.iter().map(|&name| name.to_owned()).collect(),
        records: false,
    }
}

fn view(certificates: &Certificates) -> Arc<View> {
    certificates.view().borrow().clone()
}

fn days(days: i64) -> OffsetDateTime {
    START + time::Duration::days(days)
}

#[tokio::test]
async fn certificates_that_are_stored_are_used_whatever_the_ca_does() {
    let home = Offline::new().await;
    home.stored(&NAMES).await;
    let mut certificates = home.started();
    // As the app does: on a task of its own.
    let round = tokio::spawn(async move { (certificates.round(days(1)).await, certificates) });
    let (round, certificates) = round.await.unwrap();
    assert!(round.changed);
    let shown = view(&certificates);
    assert_eq!(shown.entries.len(), 1);
    assert_eq!(
        (shown.certificates[0].phase, shown.certificates[0].critical),
        (Phase::Valid, false)
    );
    let next = shown.certificates[0].next.unwrap();
    assert!((days(60)..days(64)).contains(&next), "{next}");
}

#[tokio::test]
async fn certificates_keep_serving_while_renewal_fails() {
    let home = Offline::new().await;
    home.stored(&NAMES).await;
    let mut certificates = home.started();
    for (day, phase, critical, count) in [
        (66, Phase::Failing, false, 1),
        (76, Phase::Failing, true, 2),
        (91, Phase::Expired, true, 3),
    ] {
        certificates.round(days(day)).await;
        let shown = view(&certificates);
        let found = &shown.certificates[0];
        assert_eq!((found.phase, found.critical), (phase, critical), "day {day}");
        assert_eq!(found.failure.as_ref().unwrap().count, count);
        assert_eq!(shown.entries.len(), 1);
    }
    let failure = view(&certificates).certificates[0].failure.clone().unwrap();
    assert!(
        failure.message.starts_with("the CA's directory: ") || failure.message.starts_with("the account")
    );
    assert!(
        failure.message.contains("refused"),
        "with its causes: {}",
        failure.message
    );
    assert!(failure.advice.unwrap().contains("acme.directory"));
}

#[tokio::test]
async fn certificates_stand_ins_serve_or_nothing_does() {
    let mut home = Offline::new().await;
    let mut certificates = home.started();
    certificates.follow(days(0)).await;
    let stand_in = view(&certificates).entries[0].clone();
    assert_eq!(stand_in.names, NAMES);
    certificates.follow(days(1)).await;
    assert!(
        Arc::ptr_eq(&stand_in.key, &view(&certificates).entries[0].key),
        "made once"
    );

    home.acme.until_issued = UntilIssued::Refuse;
    certificates.reconfigure(&home.zones, &home.acme, Arc::new(home.dns.clone()));
    assert!(certificates.follow(days(1)).await.changed);
    assert!(view(&certificates).entries.is_empty());
}

#[tokio::test]
async fn certificates_that_cover_less_are_helped_out() {
    let home = Offline::new().await;
    home.stored(&["example.com"]).await;
    let mut certificates = home.started();
    certificates.follow(days(1)).await;
    let origins: Vec<_> = view(&certificates)
        .entries
        .iter()
        .map(|entry| entry.origin.clone())
        .collect();
    assert_eq!(
        origins,
        ["certificates/example.com/tls.crt", "self-signed stand-in"]
    );
}

#[tokio::test]
async fn certificates_that_are_damaged_are_as_good_as_none() {
    let home = Offline::new().await;
    let pair = issue(&NAMES);
    let store = DiskStore::new(home.folder.path());
    let other = Pair {
        key: issue(&NAMES).key,
        ..pair.clone()
    };
    let cut = Pair {
        chain: pair.chain[..pair.chain.len() / 2].to_owned(),
        ..pair.clone()
    };
    let empty = Pair {
        key: Secret::new(""),
        ..pair
    };
    for damaged in [other, cut, empty] {
        store.install("example.com", &damaged).await.unwrap();
        let mut certificates = home.started();
        certificates.follow(days(1)).await;
        assert_eq!(view(&certificates).certificates[0].phase, Phase::Absent);
        assert_eq!(store.pair("example.com").await.unwrap(), None);
    }
    let names = fs::read_dir(home.folder.path().join("certificates/example.com")).unwrap();
    let aside = names.filter(|name| {
        name.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("damaged-")
    });
    assert_eq!(aside.count(), 3);
}

/// Behind a damaged version there is the one before.
#[tokio::test]
async fn certificates_that_are_damaged_give_way_to_the_one_before() {
    let home = Offline::new().await;
    let before = home.stored(&NAMES).await;
    let store = DiskStore::new(home.folder.path());
    let damaged = Pair {
        chain: "no chain".to_owned(),
        ..before.clone()
    };
    store.install("example.com", &damaged).await.unwrap();
    let mut certificates = home.started();
    certificates.follow(days(1)).await;
    assert_eq!(view(&certificates).certificates[0].phase, Phase::Valid);
    assert_eq!(origins(&certificates), ["certificates/example.com/tls.crt"]);
    assert_eq!(store.pair("example.com").await.unwrap(), Some(before));
}

/// What the CA said of a renewal is known although it cannot be stored: it is not asked again each minute.
/// What was published for a name that is no longer wanted is taken away, by whoever still knows its zone.
#[tokio::test]
async fn certificates_that_leave_during_an_order_leave_no_challenge() {
    const STATE: &str =
        r#"{"published": [{"name": "_acme-challenge.lab.example.com", "values": ["one", "two"]}]}"#;
    let mut home = Offline::new().await;
    let left = Document::State {
        certificate: "lab.example.com".to_owned(),
    };
    let store = DiskStore::new(home.folder.path());
    let writes = Arc::clone(&home.dns.writes);
    let withdrawn = || std::mem::take(&mut *writes.lock().unwrap());
    let expected = ["withdraw _acme-challenge.lab.example.com 2"];

    // The configuration changes while the edge runs.
    store.keep(&left, STATE).await.unwrap();
    home.zones = vec![zone("example.com", &["example.com", "lab.example.com"])];
    home.started().leave(&["example.com".to_owned()]).await;
    assert_eq!(withdrawn(), expected);
    assert!(!store.document(&left).await.unwrap().unwrap().contains("one"));

    // Or while it does not.
    home.zones = vec![zone("example.com", &["example.com"])];
    store.keep(&left, STATE).await.unwrap();
    let mut certificates = home.started();
    certificates.round(days(0)).await;
    assert_eq!(withdrawn(), expected);
    certificates.round(days(0)).await;
    assert_eq!(withdrawn(), [""; 0]);
}

fn origins(certificates: &Certificates) -> Vec<String> {
    let shown = view(certificates);
    shown
        .entries
        .iter()
        .map(|entry| entry.origin.to_string())
        .collect()
}

/// At a start, the state is nothing that what serves depends on.
/// A pair that was read before goes on serving when it cannot be read any more.
/// Nowhere to note a failure is no reason to try again each minute.
/// The key of a bound account comes with the account: where it cannot be stored, no account is asked for.
#[tokio::test]
async fn certificates_are_tried_again_when_someone_asks() {
    let home = Offline::new().await;
    let mut certificates = home.started();
    let count =
        |certificates: &Certificates| view(certificates).certificates[0].failure.as_ref().unwrap().count;
    certificates.round(days(0)).await;
    certificates.round(days(0)).await;
    assert_eq!(count(&certificates), 1, "not again so soon");
    let others = BTreeSet::from(["example.org".to_owned()]);
    certificates.retry(&others).await.unwrap();
    certificates.round(days(0)).await;
    assert_eq!(count(&certificates), 1);
    certificates
        .retry(&BTreeSet::from(["example.com".to_owned()]))
        .await
        .unwrap();
    certificates.round(days(0)).await;
    assert_eq!(count(&certificates), 1, "a first failure again");
}

/// A home whose line is down when it starts: nothing reached the CA, so nothing is spent by trying again soon.
#[tokio::test]
async fn certificates_are_tried_soon_again_where_the_ca_could_not_be_reached() {
    let home = Offline::new().await;
    let mut certificates = home.started();
    let count =
        |certificates: &Certificates| view(certificates).certificates[0].failure.as_ref().unwrap().count;
    for (seconds, expected) in [(0, 1), (50, 1), (65, 2), (120, 2), (190, 3)] {
        let round = certificates
            .round(days(0) + time::Duration::seconds(seconds))
            .await;
        assert_eq!(count(&certificates), expected, "after {seconds} s");
        assert!(round.next <= Duration::from_secs(300), "{round:?}");
    }
}

/// Somebody corrected `acme.directory` and started the edge anew.
#[tokio::test]
async fn certificates_do_not_wait_for_what_another_ca_refused() {
    let mut home = Offline::new().await;
    home.started().round(days(0)).await;
    home.acme.directory = Offline::new().await.acme.directory;
    let mut certificates = home.started();
    certificates.round(days(0)).await;
    let failure = view(&certificates).certificates[0].failure.clone().unwrap();
    assert_eq!((failure.count, &failure.directory), (1, &home.acme.directory));
    assert!(
        failure.message.contains(&home.acme.directory),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn certificates_that_came_before_a_crash_end_the_failures() {
    let home = Offline::new().await;
    let mut certificates = home.started();
    certificates.round(days(0)).await;
    assert_eq!(view(&certificates).certificates[0].phase, Phase::Absent);
    home.stored(&NAMES).await;
    let mut certificates = home.started();
    certificates.round(days(1)).await;
    let found = view(&certificates).certificates[0].clone();
    assert_eq!(
        (found.phase, found.failure, found.last_success),
        (Phase::Valid, None, Some(START))
    );
}

#[tokio::test]
async fn certificates_status_is_data() {
    let home = Offline::new().await;
    home.stored(&NAMES).await;
    let mut certificates = home.started();
    certificates.follow(days(80)).await;
    let status = serde_json::to_value(&view(&certificates).certificates[0]).unwrap();
    let expected = serde_json::json!({
        "name": "example.com",
        "names": NAMES,
        "directory": home.acme.directory,
        "phase": "valid",
        "critical": true,
        "issuer": "CN=rcgen self signed cert",
        "not_before": "2026-11-01T00:00:00Z",
        "not_after": "2027-01-30T00:00:00Z",
        "next": null,
        "why": null,
        "last_success": null,
        "failure": null,
    });
    assert_eq!(status, expected);
}

#[test]
fn certificates_are_counted_by_the_widest_zone() {
    let zones = [
        zone("lab.example.com", &["lab.example.com", "a.lab.example.com"]),
        zone("example.com", &["example.com"]),
        zone("other-example.com", &["other-example.com"]),
    ];
    let found: Vec<_> = wanted(&zones)
        .into_iter()
        .map(|wanted| (wanted.name, wanted.zone))
        .collect();
    let expected = [
        ("lab.example.com", "example.com"),
        ("a.lab.example.com", "example.com"),
        ("example.com", "example.com"),
        ("other-example.com", "other-example.com"),
    ];
    assert_eq!(
        found,
        expected.map(|(name, zone)| (name.to_owned(), zone.to_owned()))
    );
}
