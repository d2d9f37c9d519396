use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::super::files::crash;
use super::super::store;
use super::*;

const NAME: &str = "example.com";

fn store() -> (TempDir, DiskStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::new(folder.path());
    (folder, store)
}

/// Long enough that half of it is something else.
fn pair(number: usize) -> Pair {
    Pair {
        chain: format!("chain {number} ").repeat(50),
        key: Secret::new(format!("key {number} ").repeat(50)),
        directory: Some(format!("https://ca{number}.example/directory")),
    }
}

fn state() -> Document {
    Document::State {
        certificate: NAME.to_owned(),
    }
}

#[tokio::test]
async fn certificates_are_stored_and_read_again() {
    let (folder, store) = store();
    assert_eq!(store.pair(NAME).await.unwrap(), None);
    for number in 1..=4 {
        store.install(NAME, &pair(number)).await.unwrap();
        assert_eq!(store.pair(NAME).await.unwrap(), Some(pair(number)));
    }
    let certificate = folder.path().join("certificates").join(NAME);
    assert_eq!(
        entries(&certificate.join("versions")).unwrap().len(),
        2,
        "this one and the one before"
    );
    let read = |file| std::fs::read_to_string(certificate.join(file)).unwrap();
    assert_eq!(
        (read("tls.crt"), read("tls.key")),
        (pair(4).chain, pair(4).key.expose().to_owned())
    );
}

#[tokio::test]
async fn certificates_are_for_the_owner_alone() {
    let (folder, store) = store();
    store.install(NAME, &pair(1)).await.unwrap();
    store.keep(&state(), "{}").await.unwrap();
    let mut waiting = vec![folder.path().join("certificates")];
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        let found = std::fs::metadata(&path).unwrap();
        let mode = found.permissions().mode() & 0o777;
        if found.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            waiting.extend(entries(&path).unwrap().iter().map(|name| path.join(name)));
        } else {
            files += 1;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    assert!(files >= 4);
}

/// Whatever step a crash comes before: what is read afterwards is the old pair or the new one, and the next install
/// succeeds.
#[tokio::test]
async fn certificates_survive_a_crash_at_every_step_of_an_install() {
    let mut crashes = 0;
    for steps in 0.. {
        let (_folder, store) = store();
        store.install(NAME, &pair(1)).await.unwrap();
        store.install(NAME, &pair(2)).await.unwrap();
        crash::after(steps);
        let installed = store.install(NAME, &pair(3)).await;
        crash::after(usize::MAX);
        let found = store.pair(NAME).await.unwrap().unwrap();
        assert!(found == pair(2) || found == pair(3), "crash before step {steps}");
        store.install(NAME, &pair(4)).await.unwrap();
        assert_eq!(store.pair(NAME).await.unwrap(), Some(pair(4)));
        if installed.is_ok() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes >= 8, "{crashes}");
}

#[tokio::test]
async fn certificates_first_install_is_whole_or_absent() {
    for steps in 0.. {
        let (_folder, store) = store();
        crash::after(steps);
        let installed = store.install(NAME, &pair(1)).await;
        crash::after(usize::MAX);
        let found = store.pair(NAME).await.unwrap();
        assert!(
            found.is_none() || found == Some(pair(1)),
            "crash before step {steps}"
        );
        if installed.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn certificates_state_survives_a_crash_at_every_step() {
    for steps in 0.. {
        let (_folder, store) = store();
        store.keep(&state(), r#"{"old": true}"#).await.unwrap();
        crash::after(steps);
        let kept = store.keep(&state(), r#"{"new": true}"#).await;
        crash::after(usize::MAX);
        let found = store.document(&state()).await.unwrap().unwrap();
        assert!(
            [r#"{"old": true}"#, r#"{"new": true}"#].contains(&found.as_str()),
            "{found}"
        );
        if kept.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn certificates_damaged_state_is_kept_aside_and_taken_for_absent() {
    let (folder, store) = store();
    store.keep(&state(), r#"{"half": "#).await.unwrap();
    let found: Option<serde_json::Value> = store::load(&store, &state()).await.unwrap();
    assert_eq!(found, None);
    let names = entries(&folder.path().join("certificates").join(NAME)).unwrap();
    assert!(
        names.len() == 1 && names[0].starts_with("state.json.damaged-"),
        "{names:?}"
    );
}

#[tokio::test]
async fn certificates_put_there_by_hand_are_read_and_replaced() {
    let (folder, store) = store();
    let certificate = folder.path().join("certificates").join(NAME);
    std::fs::create_dir_all(&certificate).unwrap();
    std::fs::write(certificate.join("tls.crt"), "chain").unwrap();
    assert_eq!(store.pair(NAME).await.unwrap(), None, "no key");
    std::fs::write(certificate.join("tls.key"), "key").unwrap();
    let found = store.pair(NAME).await.unwrap().unwrap();
    assert_eq!((found.chain.as_str(), found.directory), ("chain", None));
    store.install(NAME, &pair(1)).await.unwrap();
    assert_eq!(
        std::fs::read_to_string(certificate.join("tls.crt")).unwrap(),
        pair(1).chain
    );
}

#[tokio::test]
async fn certificates_that_are_damaged_are_kept_aside() {
    let (_folder, store) = store();
    store.install(NAME, &pair(1)).await.unwrap();
    let place = store.set_pair_aside(NAME).await.unwrap();
    assert_eq!(store.pair(NAME).await.unwrap(), None);
    assert_eq!(
        std::fs::read_to_string(Path::new(&place).join("tls.crt")).unwrap(),
        pair(1).chain
    );
    store.install(NAME, &pair(2)).await.unwrap();
    assert_eq!(store.pair(NAME).await.unwrap(), Some(pair(2)));
}

/// A link that leads nowhere, or is none: the newest whole version is read, and the next one replaces it.
#[tokio::test]
async fn certificates_are_found_behind_a_damaged_link() {
    for damage in ["gone", "no link", "nowhere"] {
        let (folder, store) = store();
        store.install(NAME, &pair(1)).await.unwrap();
        store.install(NAME, &pair(2)).await.unwrap();
        let certificate = folder.path().join("certificates").join(NAME);
        let current = certificate.join("current");
        let whole = match damage {
            "nowhere" => {
                std::fs::remove_file(certificate.join("versions/2/tls.key")).unwrap();
                pair(1)
            }
            _ => {
                std::fs::remove_file(&current).unwrap();
                pair(2)
            }
        };
        if damage == "no link" {
            std::fs::write(&current, "?").unwrap();
        }
        assert_eq!(store.pair(NAME).await.unwrap(), Some(whole), "{damage}");
        store.install(NAME, &pair(3)).await.unwrap();
        assert_eq!(store.pair(NAME).await.unwrap(), Some(pair(3)), "{damage}");
    }
}

#[tokio::test]
async fn certificates_that_there_is_something_of_have_a_name() {
    let (_folder, store) = store();
    assert_eq!(store.names().await.unwrap(), [""; 0]);
    store.install(NAME, &pair(1)).await.unwrap();
    assert_eq!(store.names().await.unwrap(), [NAME]);
}

#[test]
fn certificates_every_ca_has_its_folder() {
    let table = [
        (
            "https://acme-v02.api.letsencrypt.org/directory",
            "acme-v02.api.letsencrypt.org",
        ),
        ("https://acme.zerossl.com/v2/DV90", "acme.zerossl.com_v2_DV90"),
        ("https://127.0.0.1:14000/dir", "127.0.0.1_14000_dir"),
        ("https://ca.lan/acme/one/directory", "ca.lan_acme_one"),
    ];
    for (directory, folder) in table {
        assert_eq!(directory_folder(directory), folder);
    }
}
