//! Where the rules, their set-up and their tests lie on disk.

use std::fs;
use std::path::{Path, PathBuf};

/// The environment variable that names the directory.
pub const ENVIRONMENT: &str = "PALISADE_CRS_FROM";

/// A CRS directory, whatever its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The directory that the paths below are relative to.
    pub root: PathBuf,
    /// The release, as the set-up example says it.
    pub version: String,
    /// The set-up example, relative to the root.
    pub setup: String,
    /// The rule files as a wildcard, relative to the root.
    pub rules: String,
    /// The folder of the regression tests; Debian's package has none.
    pub tests: Option<PathBuf>,
}

/// Why a directory is no CRS installation.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// None of the known layouts.
    #[error(
        "{0}: no CRS here (looked for rules/*.conf and crs-setup.conf.example; `make rules` installs one)"
    )]
    NoRules(PathBuf),
    /// Rules, but no version in the set-up.
    #[error("{0}: names no CRS version")]
    NoVersion(PathBuf),
    /// The set-up example cannot be read.
    #[error("{path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
}

/// Set-up file, rule folder and test folder of one layout.
struct Layout {
    setup: &'static str,
    rules: &'static str,
    tests: &'static str,
}

/// The release archive (and what `palisade rules install` makes of every source), the Go module
/// `coraza-coreruleset`, and Debian's `modsecurity-crs` unpacked.
const LAYOUTS: [Layout; 3] = [
    Layout {
        setup: "crs-setup.conf.example",
        rules: "rules",
        tests: "tests/regression/tests",
    },
    Layout {
        setup: "rules/@crs-setup.conf.example",
        rules: "rules/@owasp_crs",
        tests: "tests",
    },
    Layout {
        setup: "etc/modsecurity/crs/crs-setup.conf",
        rules: "usr/share/modsecurity-crs/rules",
        tests: "usr/share/modsecurity-crs/tests/regression/tests",
    },
];

impl Installation {
    /// Recognises the layout under `root`.
    pub fn find(root: &Path) -> Result<Self, InstallationError> {
        let layout = LAYOUTS
            .iter()
            .find(|layout| root.join(layout.setup).is_file() && holds_rules(&root.join(layout.rules)))
            .ok_or_else(|| InstallationError::NoRules(root.to_owned()))?;
        let setup = root.join(layout.setup);
        let text = fs::read(&setup).map_err(|cause| InstallationError::Unreadable {
            path: setup.clone(),
            cause,
        })?;
        let version =
            version_in(&String::from_utf8_lossy(&text)).ok_or(InstallationError::NoVersion(setup))?;
        let tests = root.join(layout.tests);
        Ok(Self {
            root: root.to_owned(),
            version,
            setup: layout.setup.to_owned(),
            rules: format!("{}/*.conf", layout.rules),
            tests: tests.is_dir().then_some(tests),
        })
    }

    /// The installation that the environment names, if it names one.
    pub fn from_environment() -> Option<Result<Self, InstallationError>> {
        let root = std::env::var_os(ENVIRONMENT).filter(|value| !value.is_empty())?;
        Some(Self::find(Path::new(&root)))
    }
}

fn holds_rules(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "conf")
        })
    })
}

/// Every CRS file says `OWASP CRS ver.X.Y.Z` in its head (`OWASP ModSecurity Core Rule Set ver.` in 3.x).
fn version_in(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.contains(" ver."))?;
    let (_, version) = line.split_once(" ver.")?;
    let version: String = version
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect();
    (!version.is_empty()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    #[test]
    fn the_release_archive_is_recognised() {
        let root = directory(&[
            ("crs-setup.conf.example", "# OWASP CRS ver.4.28.0\n"),
            ("rules/REQUEST-901.conf", ""),
            ("tests/regression/tests/a/1.yaml", ""),
        ]);
        let found = Installation::find(root.path()).unwrap();
        assert_eq!(found.version, "4.28.0");
        assert_eq!(found.rules, "rules/*.conf");
        assert!(found.tests.is_some());
    }

    #[test]
    fn the_go_module_is_recognised() {
        let root = directory(&[
            ("rules/@crs-setup.conf.example", "# OWASP CRS ver.4.25.0\n"),
            ("rules/@owasp_crs/REQUEST-901.conf", ""),
            ("tests/REQUEST-911/911100.yaml", ""),
        ]);
        let found = Installation::find(root.path()).unwrap();
        assert_eq!(found.version, "4.25.0");
        assert_eq!(found.rules, "rules/@owasp_crs/*.conf");
        assert!(found.tests.unwrap().ends_with("tests"));
    }

    #[test]
    fn the_distribution_package_has_no_tests() {
        let root = directory(&[
            (
                "etc/modsecurity/crs/crs-setup.conf",
                "# OWASP ModSecurity Core Rule Set ver.3.3.4\n",
            ),
            ("usr/share/modsecurity-crs/rules/REQUEST-901.conf", ""),
        ]);
        let found = Installation::find(root.path()).unwrap();
        assert_eq!(found.version, "3.3.4");
        assert_eq!(found.tests, None);
    }

    #[test]
    fn an_empty_directory_says_what_to_do() {
        let root = directory(&[]);
        let error = Installation::find(root.path()).unwrap_err().to_string();
        assert!(error.contains("make rules"), "{error}");
    }
}
