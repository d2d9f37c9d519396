//! The CRS corpus as a test: a regression of the engine shows by the name of the stage it breaks.

use palisade_tests::corpus::installation::ENVIRONMENT;
use palisade_tests::corpus::known::KnownFailures;
use palisade_tests::corpus::{Installation, Selection, run};

/// Stages of CRS 4.28.0 that run in process; 19 more are answered by the HTTP server in front.
const RUNNABLE: usize = 4_990;
/// What must pass at least, whatever the list of known failures says.
const REQUIRED: usize = 4_930;

#[test]
fn the_crs_corpus_passes() {
    let Some(installation) = Installation::from_environment() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no CRS: `make rules` installs it, then set {ENVIRONMENT} to its directory"
        );
        println!("skipped: the_crs_corpus_passes ({ENVIRONMENT} is not set; `make rules` installs the CRS)");
        return;
    };
    let installation = installation.unwrap();
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
