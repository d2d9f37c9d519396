//! Installing a rule set and verifying it, with the real one where this machine has it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

use palisade::rules::{Event, Installation, Request, RulesError, install, verify};

/// The installed rule set that `make rules` leaves; without one the tests that need it are skipped by name,
/// and fail in CI.
fn installed() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/crs");
    let dir = std::env::var_os("PALISADE_TEST_RULES").map_or(default, PathBuf::from);
    if dir.join("installed.json").is_file() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no rule set in {}: run `make rules`",
        dir.display()
    );
    eprintln!("skipped: no rule set in {}: run `make rules`", dir.display());
    None
}

fn install_from(from: &Path, dir: &Path, force: bool) -> Result<Installation, RulesError> {
    let request = Request {
        dir: dir.to_path_buf(),
        from: Some(from.to_path_buf()),
        force,
    };
    install(&request, &mut |_: Event<'_>| {})
}

/// A folder that is not there yet, in a folder that is not there yet.
fn place() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("var/lib/crs");
    (root, dir)
}

#[test]
fn a_folder_is_installed_once() {
    let Some(from) = installed() else { return };
    let (_root, dir) = place();
    let first = install_from(&from, &dir, false).unwrap();
    assert!(first.fresh);
    assert!(first.rules.rule_files().count() > 20);
    assert!(first.rules.content("crs-setup.conf.example").is_some());
    assert!(!install_from(&from, &dir, false).unwrap().fresh);
    assert!(install_from(&from, &dir, true).unwrap().fresh);
    let beside: Vec<_> = fs::read_dir(dir.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing is left behind: {beside:?}");
}

#[test]
fn an_archive_is_installed() {
    let Some(from) = installed() else { return };
    let (root, dir) = place();
    let archive = root.path().join("crs.tar.gz");
    let file = fs::File::create(&archive).unwrap();
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
    builder.append_dir_all("coreruleset-x", &from).unwrap();
    builder.into_inner().unwrap().finish().unwrap();
    assert!(install_from(&archive, &dir, false).unwrap().fresh);
}

#[test]
fn every_change_to_an_installation_is_named() {
    let Some(from) = installed() else { return };
    let (_root, dir) = place();
    install_from(&from, &dir, false).unwrap();
    let first = dir.join("rules/REQUEST-901-INITIALIZATION.conf");
    let mut text = fs::read(&first).unwrap();
    text.push(b'\n');
    fs::write(&first, text).unwrap();
    fs::remove_file(dir.join("rules/php-variables.data")).unwrap();
    fs::write(dir.join("rules/REQUEST-000-OWN.conf"), "SecMarker X").unwrap();
    let error = verify(&dir).unwrap_err().to_string();
    for line in [
        "rules/REQUEST-901-INITIALIZATION.conf: altered",
        "rules/php-variables.data: missing",
        "rules/REQUEST-000-OWN.conf: not part of the release",
        "palisade rules install --force",
    ] {
        assert!(error.contains(line), "{line} is not in:\n{error}");
    }
}

#[test]
fn a_bad_source_leaves_the_good_rule_set_in_place() {
    let Some(from) = installed() else { return };
    let (root, dir) = place();
    install_from(&from, &dir, false).unwrap();
    let bad = root.path().join("bad");
    fs::create_dir_all(bad.join("rules")).unwrap();
    fs::write(bad.join("crs-setup.conf.example"), "# OWASP CRS ver.4.28.0\n").unwrap();
    fs::write(bad.join("rules/REQUEST-901-INITIALIZATION.conf"), "").unwrap();
    let error = install_from(&bad, &dir, true).unwrap_err();
    assert!(matches!(error, RulesError::Altered { .. }), "{error}");
    verify(&dir).unwrap();
}

#[test]
fn a_folder_with_other_files_is_never_replaced() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("letter.txt"), "dear").unwrap();
    let error = install_from(root.path(), &home, true).unwrap_err().to_string();
    assert!(error.contains("holds other files"), "{error}");
    assert!(home.join("letter.txt").exists());
}

#[test]
fn nothing_installed_names_the_command() {
    let root = tempfile::tempdir().unwrap();
    for dir in [root.path().to_path_buf(), root.path().join("absent")] {
        let error = verify(&dir).unwrap_err().to_string();
        assert!(error.contains("run `palisade rules install`"), "{error}");
    }
}
