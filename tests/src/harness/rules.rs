//! The installed rule set that the scenarios run with.

use std::path::{Path, PathBuf};

/// Where an unpacked release of the CRS lies, if this machine has one.
pub fn crs_source() -> Option<PathBuf> {
    std::env::var_os("PALISADE_CRS_FROM")
        .map(PathBuf::from)
        .filter(|folder| folder.exists())
}

/// The folder of the installed rule set, or `None`, which is said, where a scenario is to be skipped.
///
/// # Panics
/// In CI: there a missing rule set is a failure.
pub fn crs_rules() -> Option<PathBuf> {
    let found = std::env::var_os("PALISADE_TEST_RULES")
        .map(PathBuf::from)
        .unwrap_or_else(|| workspace().join("data/crs"));
    if found.is_dir() {
        return Some(found);
    }
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let why = format!("no rule set in {}: run `make rules`", found.display());
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped {test}: {why}");
    None
}

/// The root of the repository.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
