//! Which files a known release consists of.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::error::RulesError;
use super::tree::Tree;

/// Regression tests are optional as a whole: an edge in production has no use for them.
const TESTS: &str = "tests/";

/// Where a release was packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The project's own release.
    Release,
    /// The Go module coraza-coreruleset.
    GoModule,
    /// Debian's package.
    Debian,
}

/// The SHA-256 of each file of one release from one source. Part of the binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manifest {
    /// `crs-4.28.0-release`: also the name of its file in `waf-rules/manifests/`.
    pub name: &'static str,
    /// `4.28.0`.
    pub version: &'static str,
    /// Whose files these are.
    pub origin: Origin,
    /// `HASH  path` lines.
    text: &'static str,
}

/// A file that is not as the manifest says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Its content is another.
    Altered(String),
    /// It is absent.
    Missing(String),
    /// The release has no such file.
    Unknown(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Altered(path) => write!(f, "{path}: altered"),
            Difference::Missing(path) => write!(f, "{path}: missing"),
            Difference::Unknown(path) => write!(f, "{path}: not part of the release"),
        }
    }
}

impl Manifest {
    /// All that this build knows, the best first.
    pub const KNOWN: [Manifest; 3] = [
        Manifest {
            name: "crs-4.28.0-release",
            version: "4.28.0",
            origin: Origin::Release,
            text: include_str!("../../../waf-rules/manifests/crs-4.28.0-release.sha256"),
        },
        Manifest {
            name: "crs-4.25.0-go",
            version: "4.25.0",
            origin: Origin::GoModule,
            text: include_str!("../../../waf-rules/manifests/crs-4.25.0-go.sha256"),
        },
        Manifest {
            name: "crs-3.3.4-debian",
            version: "3.3.4",
            origin: Origin::Debian,
            text: include_str!("../../../waf-rules/manifests/crs-3.3.4-debian.sha256"),
        },
    ];

    /// The manifest of that name.
    pub fn named(name: &str) -> Option<Manifest> {
        Self::KNOWN.into_iter().find(|manifest| manifest.name == name)
    }

    /// How `tree` differs from this manifest. Tests may be absent, but only all of them.
    pub(super) fn differences(&self, tree: &Tree) -> Vec<Difference> {
        let with_tests = tree.keys().any(|path| path.starts_with(TESTS));
        let wanted: BTreeMap<&str, &str> = self
            .lines()
            .filter(|(path, _)| with_tests || !path.starts_with(TESTS))
            .collect();
        let absent = wanted
            .keys()
            .filter(|path| !tree.contains_key(**path))
            .map(|path| Difference::Missing((*path).to_owned()));
        let other = tree
            .iter()
            .filter_map(|(path, content)| match wanted.get(path.as_str()) {
                None => Some(Difference::Unknown(path.clone())),
                Some(hash) if *hash != sha256(content) => Some(Difference::Altered(path.clone())),
                Some(_) => None,
            });
        absent.chain(other).collect()
    }

    /// The manifest that `tree` fulfils, or why it fulfils none.
    pub(super) fn matching(tree: &Tree, origin: &str) -> Result<Manifest, RulesError> {
        let version = version_of(tree);
        let mut best: Option<(Manifest, Vec<Difference>)> = None;
        for manifest in Self::KNOWN {
            let differences = manifest.differences(tree);
            if differences.is_empty() {
                return Ok(manifest);
            }
            let nearer = best
                .as_ref()
                .is_none_or(|(_, known)| differences.len() < known.len());
            if nearer
                && version
                    .as_deref()
                    .is_none_or(|version| version == manifest.version)
            {
                best = Some((manifest, differences));
            }
        }
        Err(match (best, version) {
            (Some((manifest, differences)), _) => RulesError::Altered {
                origin: origin.to_owned(),
                manifest: manifest.name,
                differences,
            },
            (None, version) => RulesError::UnknownRelease {
                origin: origin.to_owned(),
                version: version.unwrap_or_else(|| "of unknown version".to_owned()),
                known: Self::KNOWN.map(|manifest| manifest.version).join(", "),
            },
        })
    }

    /// Files that the release has, with their hashes.
    fn lines(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.text
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(hash, path)| (path, hash))
    }

    /// The text of a manifest of these files.
    pub(super) fn text_of(tree: &Tree) -> String {
        tree.iter()
            .map(|(path, content)| format!("{}  {path}\n", sha256(content)))
            .collect()
    }
}

/// The version in the banner of the set-up file: `# OWASP CRS ver.4.28.0`.
fn version_of(tree: &Tree) -> Option<String> {
    let setup = tree.get("crs-setup.conf.example")?;
    let head = String::from_utf8_lossy(setup.get(..500.min(setup.len()))?).into_owned();
    let (_, rest) = head.split_once(" ver.")?;
    Some(rest.split_whitespace().next()?.to_owned())
}

/// Lower-case hexadecimal SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Manifest = Manifest {
        name: "small",
        version: "1",
        origin: Origin::Release,
        // The SHA-256 of "a" and of nothing.
        text: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  rules/a.conf\n\
               e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  tests/regression/tests/a.yaml\n",
    };

    fn tree(files: &[(&str, &str)]) -> Tree {
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn each_kind_of_difference_names_its_file() {
        let altered = tree(&[
            ("rules/a.conf", "b"),
            ("rules/own.conf", ""),
            ("tests/regression/tests/a.yaml", ""),
        ]);
        assert_eq!(
            SMALL.differences(&altered),
            [
                Difference::Altered("rules/a.conf".into()),
                Difference::Unknown("rules/own.conf".into())
            ]
        );
        assert_eq!(
            SMALL.differences(&tree(&[])),
            [Difference::Missing("rules/a.conf".into())]
        );
    }

    #[test]
    fn tests_may_be_absent_as_a_whole() {
        assert_eq!(SMALL.differences(&tree(&[("rules/a.conf", "a")])), []);
    }

    #[test]
    fn the_known_manifests_are_whole() {
        for (manifest, files) in Manifest::KNOWN.iter().zip([373, 368, 54]) {
            assert_eq!(manifest.lines().count(), files, "{}", manifest.name);
            assert_eq!(manifest.text.lines().count(), files, "{}", manifest.name);
            assert!(manifest.lines().all(|(_, hash)| hash.len() == 64));
        }
    }

    #[test]
    fn an_unknown_version_is_named() {
        let files = tree(&[("crs-setup.conf.example", "# ---\n# OWASP CRS ver.9.9.9\n")]);
        let error = Manifest::matching(&files, "somewhere").unwrap_err().to_string();
        assert!(
            error.starts_with("somewhere: this is CRS 9.9.9, which this build cannot verify"),
            "{error}"
        );
    }
}
