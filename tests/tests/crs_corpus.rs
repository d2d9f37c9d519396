//! The CRS corpus as a test: a regression of the engine shows by the name of the stage it breaks.

use std::io::Write;

use palisade_tests::corpus::installation::ENVIRONMENT;
use palisade_tests::corpus::known::KnownFailures;
use palisade_tests::corpus::{Installation, Selection, run};

/// Stages of CRS 4.28.0 that run in process; 19 more are answered by the HTTP server in front.
const RUNNABLE: usize = 4_990;
/// What must pass at least, whatever the list of known failures says.
const REQUIRED: usize = 4_930;

/// The installation to test, or a skip by name; in CI there has to be one.
fn usable(found: Option<Installation>) -> Option<Installation> {
    let missing = match &found {
        None => format!("{ENVIRONMENT} is not set"),
        Some(found) if found.tests.is_none() => format!("CRS {} came without its tests", found.version),
        Some(_) => return found,
    };
    let remedy = "`make rules` installs the CRS with its tests, `make test` uses it";
    assert!(
        std::env::var_os("CI").is_none(),
        "the CRS corpus cannot run: {missing}; {remedy}"
    );
    let _ = writeln!(
        std::io::stderr(),
        "skipped: the_crs_corpus_passes ({missing}; {remedy})"
    );
    None
}

#[test]
fn the_crs_corpus_passes() {
    let found = Installation::from_environment();
    let found = found.map(|found| found.unwrap_or_else(|error| panic!("{error}")));
    let Some(installation) = usable(found) else {
        return;
    };
    let known = KnownFailures::for_version(&installation.version).unwrap();
    let report = run(&installation, &Selection::default()).unwrap();
    println!("{}", report.text(&known));

    let unknown = report.unknown_failures(&known);
    assert!(unknown.is_empty(), "stages fail:\n{}", unknown.join("\n"));
    let outdated = report.outdated(&known);
    assert!(outdated.is_empty(), "known failures that pass: {outdated:?}");
    if installation.version == "4.28.0" {
        let runnable = report.outcomes.len() - report.http_layer().count();
        assert_eq!(runnable, RUNNABLE);
        assert!(report.passed() >= REQUIRED, "{}", report.summary());
    }
}
