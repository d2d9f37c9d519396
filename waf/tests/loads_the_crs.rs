//! The whole OWASP CRS loads. Its text is no part of this repository: the test runs where
//! `PALISADE_CRS_FROM` names a directory with a release, and says so where it does not.

use std::path::{Path, PathBuf};

use palisade_waf::rule::{Phase, Step};
use palisade_waf::source::{folder_of, glob_matches};
use palisade_waf::{LoadErrors, OperatorCache, RuleSet, RuleSource, SourceError};

struct Files;

impl RuleSource for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        std::fs::read(path).map_err(|error| unreadable(path, &error))
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        let folder = std::fs::read_dir(folder_of(pattern)).map_err(|error| unreadable(pattern, &error))?;
        let mut names: Vec<String> = folder
            .filter_map(|entry| entry.ok()?.path().into_os_string().into_string().ok())
            .filter(|name| glob_matches(pattern, name))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> SourceError {
    SourceError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// The release, if the environment names one.
fn release() -> Option<PathBuf> {
    std::env::var_os("PALISADE_CRS_FROM").map(PathBuf::from)
}

/// The set-up file and the rules, where the official archive and where the Go module keep them.
fn pieces(release: &Path) -> (String, String) {
    let text = |path: PathBuf| path.display().to_string();
    let module = release.join("rules/@owasp_crs");
    if module.is_dir() {
        return (
            text(release.join("rules/@crs-setup.conf.example")),
            text(module.join("*.conf")),
        );
    }
    (
        text(release.join("crs-setup.conf.example")),
        text(release.join("rules/*.conf")),
    )
}

fn load(release: &Path, cache: &OperatorCache) -> Result<RuleSet, LoadErrors> {
    let (setup, rules) = pieces(release);
    RuleSet::builder()
        .operators(cache)
        .include(setup)
        .include(rules)
        .build(&Files)
}

#[test]
fn every_rule_of_the_crs_loads() {
    let Some(release) = release() else {
        return eprintln!("every_rule_of_the_crs_loads: skipped, PALISADE_CRS_FROM names no release");
    };
    let set = load(&release, &OperatorCache::new()).unwrap_or_else(|errors| panic!("{errors}"));
    let links: usize = set.rules().map(|rule| rule.links.len() - 1).sum();
    let heads = Phase::ALL.map(|phase| set.rules().filter(|rule| rule.phase == phase).count());
    let is_marker = |step: &&Step| matches!(step, Step::Marker(_));
    let markers = set.steps(Phase::Logging).iter().filter(is_marker).count();
    let counts = (set.rules().count(), links, markers, heads);
    eprintln!("heads, links, markers, heads per phase: {counts:?}");
    let version = set.settings().component_signatures.join(" ");
    if version.is_empty() || version.contains("4.28.0") {
        assert_eq!(counts, (630, 73, 30, [173, 292, 43, 109, 13]));
    }
    // Every skipAfter has its marker, every update its rule.
    let remarks: Vec<String> = set.remarks().iter().map(ToString::to_string).collect();
    assert!(remarks.is_empty(), "{}", remarks.join("\n"));
}

#[test]
fn two_rule_sets_share_their_operators() {
    let Some(release) = release() else {
        return eprintln!("two_rule_sets_share_their_operators: skipped, PALISADE_CRS_FROM names no release");
    };
    let cache = OperatorCache::new();
    let one = load(&release, &cache).unwrap();
    let other = load(&release, &cache).unwrap();
    for (rule, twin) in one.rules().zip(other.rules()) {
        for (link, twin) in rule.links.iter().zip(&twin.links) {
            if let (Some(question), Some(twin)) = (&link.question, &twin.question) {
                assert!(
                    std::sync::Arc::ptr_eq(&question.operator, &twin.operator),
                    "{}",
                    link.location
                );
            }
        }
    }
}
