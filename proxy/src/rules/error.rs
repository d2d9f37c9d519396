use std::io;
use std::path::{Path, PathBuf};

use super::manifest::Difference;

/// Why there is no rule set to work with.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The folder does not exist, or holds no rule set.
    #[error("{}: no rule set is installed here; run `palisade rules install`", dir.display())]
    NotInstalled {
        /// The folder that was looked at.
        dir: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// A verb phrase: `read the file`.
        action: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// `installed.json` is not what an installation writes.
    #[error("{}: {reason}; run `palisade rules install --force`", path.display())]
    Record {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Files differ from the manifest.
    #[error("{}", altered(origin, manifest, differences))]
    Altered {
        /// The folder or archive.
        origin: String,
        /// The manifest it was held against.
        manifest: &'static str,
        /// Each file that differs.
        differences: Vec<Difference>,
    },
    /// The folder or archive is laid out in no known way.
    #[error(
        "{origin}: no rule set found; expected a CRS release (rules/ and crs-setup.conf.example), the Go module \
         coraza-coreruleset (rules/@owasp_crs) or Debian's files (usr/share/modsecurity-crs)"
    )]
    NotARuleSet {
        /// The folder or archive.
        origin: String,
    },
    /// A CRS release, but none that this build can verify.
    #[error("{origin}: this is CRS {version}, which this build cannot verify; it knows {known}")]
    UnknownRelease {
        /// The folder or archive.
        origin: String,
        /// The version as the files say it.
        version: String,
        /// The versions with a manifest.
        known: String,
    },
    /// An archive that is damaged, or past a bound.
    #[error("{origin}: {reason}")]
    Archive {
        /// The archive.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A program that a source needs is absent, failed, or took too long.
    #[error("{program}: {reason}")]
    Program {
        /// What was run.
        program: String,
        /// How it ended.
        reason: String,
    },
    /// A download failed.
    #[error("{reason}")]
    Download {
        /// The address, which the attempt's own name says already.
        url: String,
        /// The cause, with its causes.
        reason: String,
    },
    /// No source worked.
    #[error("{}", no_source(attempts))]
    NoSource {
        /// What was tried, in order.
        attempts: Vec<Attempt>,
    },
}

/// A source that did not work.
#[derive(Debug)]
pub struct Attempt {
    /// The source.
    pub source: String,
    /// Why not.
    pub error: Box<RulesError>,
}

impl RulesError {
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action, source }
    }
}

/// Enough to see a pattern; a wrong release would otherwise print hundreds of lines.
const DIFFERENCES_SHOWN: usize = 12;

fn altered(origin: &str, manifest: &str, differences: &[Difference]) -> String {
    let mut text = format!(
        "{origin}: {} file(s) differ from manifest {manifest}:",
        differences.len()
    );
    for difference in differences.iter().take(DIFFERENCES_SHOWN) {
        text.push_str(&format!("\n  {difference}"));
    }
    if differences.len() > DIFFERENCES_SHOWN {
        text.push_str(&format!("\n  and {} more", differences.len() - DIFFERENCES_SHOWN));
    }
    text.push_str(
        "\nRestore the release with `palisade rules install --force`. Rules of your own belong in a SecLang file \
         that the configuration names, exclusions in the configuration itself.",
    );
    text
}

fn no_source(attempts: &[Attempt]) -> String {
    let mut text = String::from("no source of the OWASP CRS worked:");
    for Attempt { source, error } in attempts {
        text.push_str(&format!("\n  {source}: {error}"));
    }
    text.push_str(&format!(
        "\nDownload a release elsewhere and name it: `palisade rules install --from FOLDER-OR-TAR.GZ` (or {}).",
        super::FROM_VARIABLE
    ));
    text
}
