//! Where nothing can be read, or nothing written: what serves goes on, and nobody is asked more often for it.

use std::fs;
use std::sync::atomic::Ordering;

use super::*;
use crate::acme::testing::Disk;

#[tokio::test]
async fn certificates_go_on_serving_when_the_store_fails() {
    let home = Offline::new().await;
    home.stored(&NAMES).await;
    let mut certificates = home.started();
    certificates.follow(days(1)).await;
    let state = home.folder.path().join("certificates/example.com/state.json");
    fs::create_dir_all(&state).unwrap();
    let round = certificates.round(days(1)).await;
    assert!(
        !round.changed && round.next <= Duration::from_secs(60),
        "{round:?}"
    );
    let shown = view(&certificates);
    assert_eq!(shown.entries.len(), 1);
    assert!(shown.certificates[0].why.as_ref().unwrap().contains("state.json"));
}

#[tokio::test]
async fn certificates_on_a_read_only_disk_do_not_ask_the_ca_again_and_again() {
    let home = Offline::new().await;
    home.stored(&NAMES).await;
    let disk = Disk::new(home.folder.path());
    disk.full.store(true, Ordering::SeqCst);
    let mut certificates = home.on(Arc::new(disk.clone()));
    let minutes = |minutes| days(1) + time::Duration::minutes(minutes);
    certificates.round(minutes(0)).await;
    let states = || {
        let writes = disk.writes.lock().unwrap();
        writes.iter().filter(|what| what.contains("State")).count()
    };
    // Whoever asks the CA anything writes an account down first.
    let asked = || {
        let writes = disk.writes.lock().unwrap();
        writes.iter().filter(|what| what.contains("Account")).count()
    };
    assert_eq!((states(), asked()), (1, 1));
    for minute in 1..4 {
        certificates.round(minutes(minute)).await;
    }
    assert_eq!((states(), asked()), (4, 1), "only the store was asked");
    assert_eq!(origins(&certificates), ["certificates/example.com/tls.crt"]);
    disk.full.store(false, Ordering::SeqCst);
    certificates.round(minutes(5)).await;
    assert_eq!(view(&certificates).certificates[0].phase, Phase::Valid);
    assert!(view(&certificates).certificates[0].next.is_some());
}

#[tokio::test]
async fn certificates_serve_from_the_start_whatever_their_state() {
    let stored = ["certificates/example.com/tls.crt"];
    let home = Offline::new().await;
    home.stored(&NAMES).await;
    let state = home.folder.path().join("certificates/example.com/state.json");
    let disk = Disk::new(home.folder.path());
    disk.full.store(true, Ordering::SeqCst);
    for damage in ["unreadable", "damaged, read-only"] {
        match damage {
            "unreadable" => fs::create_dir(&state).unwrap(),
            _ => {
                fs::remove_dir(&state).unwrap();
                fs::write(&state, "{").unwrap();
            }
        }
        let mut certificates = home.on(Arc::new(disk.clone()));
        assert!(certificates.follow(days(1)).await.changed, "{damage}");
        assert_eq!(origins(&certificates), stored, "{damage}");
        let mut certificates = home.on(Arc::new(disk.clone()));
        let round = certificates.round(days(70)).await;
        assert!(round.changed && round.next <= Duration::from_secs(60), "{damage}");
        assert_eq!(origins(&certificates), stored, "{damage}");
        assert!(view(&certificates).certificates[0].why.is_some(), "{damage}");
    }
}

#[tokio::test]
async fn certificates_stand_ins_serve_where_nothing_can_be_read() {
    let home = Offline::new().await;
    let folder = home.folder.path().join("certificates/example.com");
    fs::create_dir_all(folder.join("tls.crt")).unwrap();
    let mut certificates = home.started();
    let round = certificates.follow(days(1)).await;
    assert!(
        round.changed && round.next <= Duration::from_secs(60),
        "{round:?}"
    );
    assert_eq!(origins(&certificates), ["self-signed stand-in"]);
    let found = view(&certificates).certificates[0].clone();
    assert_eq!(found.phase, Phase::Absent);
    assert!(found.why.unwrap().contains("tls.crt"));
    assert!(!certificates.round(days(1)).await.changed, "it is shown already");
}

#[tokio::test]
async fn certificates_go_on_serving_when_they_cannot_be_read() {
    let home = Offline::new().await;
    home.stored(&NAMES).await;
    let mut certificates = home.started();
    certificates.follow(days(1)).await;
    let current = home.folder.path().join("certificates/example.com/current");
    fs::remove_file(&current).unwrap();
    fs::write(&current, "no link").unwrap();
    assert!(!certificates.follow(days(1)).await.changed);
    assert_eq!(origins(&certificates), ["certificates/example.com/tls.crt"]);
}

#[tokio::test]
async fn certificates_failures_are_kept_in_memory_until_they_can_be_stored() {
    let home = Offline::new().await;
    let disk = Disk::new(home.folder.path());
    disk.full.store(true, Ordering::SeqCst);
    let mut certificates = home.on(Arc::new(disk.clone()));
    let minutes = |minutes| days(0) + time::Duration::minutes(minutes);
    certificates.round(minutes(0)).await;
    let failure = view(&certificates).certificates[0].failure.clone().unwrap();
    assert!(failure.message.contains("Account"), "{}", failure.message);
    let accounts = || {
        let writes = disk.writes.lock().unwrap();
        writes.iter().filter(|what| what.contains("Account")).count()
    };
    assert_eq!(accounts(), 1);
    for minute in 1..5 {
        certificates.round(minutes(minute)).await;
    }
    assert_eq!(accounts(), 1, "not tried again");
    disk.full.store(false, Ordering::SeqCst);
    certificates.round(minutes(6)).await;
    assert_eq!(accounts(), 1, "the failure holds");
    let mut certificates = home.started();
    certificates.follow(minutes(7)).await;
    assert_eq!(
        view(&certificates).certificates[0].failure.as_ref(),
        Some(&failure),
        "and is stored"
    );
}

#[tokio::test]
async fn certificates_bound_accounts_are_not_made_where_they_cannot_be_kept() {
    let mut home = Offline::new().await;
    let key = home.folder.path().join("eab");
    fs::write(&key, "c2VjcmV0").unwrap();
    home.acme.eab = Some(crate::config::Eab {
        kid: "kid".to_owned(),
        key: SecretSource::File(key),
    });
    let disk = Disk::new(home.folder.path());
    disk.full.store(true, Ordering::SeqCst);
    let mut certificates = home.on(Arc::new(disk));
    certificates.round(days(0)).await;
    let failure = view(&certificates).certificates[0].failure.clone().unwrap();
    assert!(failure.message.starts_with("Account"), "{}", failure.message);
}
