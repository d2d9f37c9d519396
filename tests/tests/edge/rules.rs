//! No rules, other rules: no edge.

use std::path::Path;

use palisade_tests::harness::{Ask, Route, TestEdge, crs_rules};

async fn error_with(rules: &Path) -> String {
    let builder = TestEdge::builder().rules(rules).route(&Route::new("app"));
    builder.try_start().await.err().expect("the edge not to start")
}

/// A copy of the installed rule set to change.
fn copied(rules: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(rules, folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}

/// The file of that name, wherever it lies.
fn find(folder: &Path, name: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|file| file == name) {
                return path;
            }
        }
    }
    panic!("no {name}");
}

const SQLI: &str = "REQUEST-942-APPLICATION-ATTACK-SQLI.conf";

#[tokio::test]
async fn without_rules_the_edge_does_not_start_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for rules in [folder.path().to_owned(), folder.path().join("absent")] {
        let error = error_with(&rules).await;
        assert!(error.contains("palisade rules install"), "{error}");
        assert!(error.contains(&*rules.to_string_lossy()), "{error}");
    }
}

#[tokio::test]
async fn without_rules_the_edge_starts_where_no_route_wants_them() {
    let edge = TestEdge::with(None, &[Route::new("app").unguarded()]).await;
    edge.get("https://app.test/").await.expect(200);
}

#[tokio::test]
async fn one_guarded_route_is_enough_to_need_the_rules() {
    let builder = TestEdge::builder()
        .route(&Route::new("app").unguarded())
        .route(&Route::new("guarded"));
    let error = builder.try_start().await.err().expect("the edge not to start");
    assert!(error.contains("palisade rules install"), "{error}");
}

#[tokio::test]
async fn an_altered_rule_file_is_named() {
    let Some(rules) = crs_rules() else { return };
    let folder = copied(&rules);
    let path = find(folder.path(), SQLI);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("# harmless?\n");
    std::fs::write(&path, text).unwrap();
    let error = error_with(folder.path()).await;
    assert!(error.contains(SQLI), "{error}");
}

#[tokio::test]
async fn a_missing_rule_file_is_named() {
    let Some(rules) = crs_rules() else { return };
    let folder = copied(&rules);
    std::fs::remove_file(find(folder.path(), SQLI)).unwrap();
    let error = error_with(folder.path()).await;
    assert!(error.contains(SQLI), "{error}");
}

#[tokio::test]
async fn an_altered_data_file_is_named() {
    let Some(rules) = crs_rules() else { return };
    let folder = copied(&rules);
    std::fs::write(find(folder.path(), "lfi-os-files.data"), "nothing\n").unwrap();
    let error = error_with(folder.path()).await;
    assert!(error.contains("lfi-os-files.data"), "{error}");
}

#[tokio::test]
async fn a_foreign_rule_file_is_named() {
    let Some(rules) = crs_rules() else { return };
    let folder = copied(&rules);
    let beside = find(folder.path(), SQLI).with_file_name("REQUEST-900-MINE.conf");
    std::fs::write(beside, "SecRuleEngine Off\n").unwrap();
    let error = error_with(folder.path()).await;
    assert!(error.contains("REQUEST-900-MINE.conf"), "{error}");
}

#[tokio::test]
async fn rules_that_are_altered_while_the_edge_runs_change_nothing() {
    let Some(rules) = crs_rules() else { return };
    let folder = copied(&rules);
    let edge = TestEdge::with(Some(folder.path().to_owned()), &[Route::new("app")]).await;
    std::fs::write(find(folder.path(), SQLI), "").unwrap();
    let attack = Ask::get("/?id=1'%20or%20'1'='1'--");
    edge.ask("app.test", &attack).await.expect(403);
    let error = edge.reload().await.unwrap_err();
    assert!(error.contains(SQLI), "{error}");
    edge.ask("app.test", &attack).await.expect(403);
}
