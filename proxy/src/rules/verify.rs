//! Is the installed rule set the one that was installed?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_waf::{RuleSet, RuleSetBuilder};
use serde::{Deserialize, Serialize};

use super::error::RulesError;
use super::manifest::{Manifest, Origin};
use super::tree::{Tree, read_all};

/// The name of the record in the folder of an installation.
pub(super) const RECORD: &str = "installed.json";

/// What an installation says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `4.28.0`.
    pub version: String,
    /// Where it came from, for people.
    pub source: String,
    /// The manifest that it was held against, and is at each start.
    pub manifest: String,
    /// RFC 3339, UTC.
    pub installed_at: String,
}

/// A verified rule set. Holds the content of its rules, so that nothing can change between the check and the
/// use.
#[derive(Debug, Clone)]
pub struct InstalledRules {
    dir: PathBuf,
    record: Record,
    manifest: Manifest,
    has_tests: bool,
    files: Arc<Tree>,
}

/// Holds every file of `dir` against the manifest that its record names.
pub fn verify(dir: &Path) -> Result<InstalledRules, RulesError> {
    if !dir.is_dir() {
        return Err(RulesError::NotInstalled {
            dir: dir.to_path_buf(),
        });
    }
    let mut files = read_all(dir)?;
    let record = read_record(dir, files.remove(RECORD))?;
    let manifest = Manifest::named(&record.manifest).ok_or_else(|| RulesError::Record {
        path: dir.join(RECORD),
        reason: format!(
            "names manifest {:?}, which this build does not know",
            record.manifest
        ),
    })?;
    let differences = manifest.differences(&files);
    if !differences.is_empty() {
        return Err(RulesError::Altered {
            origin: dir.display().to_string(),
            manifest: manifest.name,
            differences,
        });
    }
    let total = files.len();
    files.retain(|path, _| !path.starts_with("tests/"));
    let has_tests = files.len() < total;
    Ok(InstalledRules {
        dir: dir.to_path_buf(),
        record,
        manifest,
        has_tests,
        files: Arc::new(files),
    })
}

fn read_record(dir: &Path, content: Option<Vec<u8>>) -> Result<Record, RulesError> {
    let content = content.ok_or_else(|| RulesError::NotInstalled {
        dir: dir.to_path_buf(),
    })?;
    serde_json::from_slice(&content).map_err(|error| RulesError::Record {
        path: dir.join(RECORD),
        reason: format!("not a record of an installation: {error}"),
    })
}

impl InstalledRules {
    /// The name of the settings file, as [`Self::content`] and the rule source know it.
    pub const SETUP: &'static str = "crs-setup.conf.example";

    /// The folder of the installation.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it is.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// 4 for `4.28.0`.
    pub fn major_version(&self) -> u8 {
        let major = self
            .manifest
            .version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        major.unwrap_or(u8::MAX)
    }

    /// The manifest it fulfils.
    pub fn manifest(&self) -> Manifest {
        self.manifest
    }

    /// Whether `other` holds the same files: both were held against a manifest, so its name says it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.manifest.name == other.manifest.name
    }

    /// Begins a rule set of these rules. Releases before CRS 4 were written for backtracking engines: the few
    /// of their rules that cannot run here are left out, each with a remark; in any other release such a rule
    /// is an error.
    pub fn rule_set(&self) -> RuleSetBuilder {
        match self.manifest.origin {
            Origin::Debian => RuleSet::builder().leave_out_unsupported(),
            Origin::Release | Origin::GoModule => RuleSet::builder(),
        }
    }

    /// Whether the release's regression tests are installed with it.
    pub fn has_tests(&self) -> bool {
        self.has_tests
    }

    /// The rule files in the order in which they are read: that of their names.
    pub fn rule_files(&self) -> impl Iterator<Item = &str> {
        self.files
            .keys()
            .map(String::as_str)
            .filter(|name| name.ends_with(".conf"))
    }

    /// A file's content, by its name within the installation.
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The names of all files but tests, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}
