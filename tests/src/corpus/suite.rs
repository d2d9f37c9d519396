//! The YAML of the regression tests: the schema of CRS 4, and that of CRS 3, which is read into the same form.
//!
//! Keys that appear in no CRS test are refused by name, so that a new release cannot carry an expectation
//! that is silently left out.

mod crs3;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

/// One stage with its name.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Which one it is.
    pub id: StageId,
    /// What is sent.
    pub input: Input,
    /// What is expected.
    pub output: Output,
}

/// `920100-4`, or `934120-43#2` for the second stage of a test that has several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId {
    /// The rule that the file is about.
    pub rule: u64,
    /// The test within the file.
    pub test: u64,
    /// The stage within the test, from 1, where there is more than one.
    pub stage: Option<usize>,
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage.map(|stage| format!("#{stage}")).unwrap_or_default();
        f.pad(&format!("{}-{}{stage}", self.rule, self.test))
    }
}

/// What go-ftw is told to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// The server's address: a name or an IP address.
    pub dest_addr: Option<String>,
    /// The server's port.
    pub port: Option<u16>,
    /// `http` or `https`.
    pub protocol: Option<String>,
    /// `GET` if absent.
    pub method: Option<String>,
    /// `/` if absent.
    pub uri: Option<String>,
    /// `HTTP/1.1` if absent; may be empty.
    pub version: Option<String>,
    /// Sent in the order of their names, as go-ftw does.
    #[serde(deserialize_with = "texts")]
    pub headers: BTreeMap<String, String>,
    /// The body; may hold templates.
    pub data: Option<String>,
    /// Whether missing headers are added and forms encoded; true if absent.
    pub autocomplete_headers: Option<bool>,
    /// The whole request as Base64, instead of everything above.
    pub encoded_request: Option<String>,
}

/// What go-ftw is told to expect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// The answer's status, one of these; empty for any.
    #[serde(deserialize_with = "statuses")]
    pub status: Vec<u16>,
    /// A pattern in the answer.
    pub response_contains: Option<String>,
    /// The answer is none that an HTTP client understands.
    pub expect_error: Option<bool>,
    /// For live servers whose log may lag behind. In process there is no lag, so nothing to retry.
    pub retry_once: Option<bool>,
    /// Exactly one rule, the one of `log.expect_ids`, is logged.
    pub isolated: bool,
    /// What the log holds.
    pub log: LogExpectation,
}

/// What the log must and must not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogExpectation {
    /// All of these rules.
    pub expect_ids: Vec<u64>,
    /// None of these rules.
    pub no_expect_ids: Vec<u64>,
    /// A line that matches.
    pub match_regex: Option<String>,
    /// No line that matches.
    pub no_match_regex: Option<String>,
}

/// Why the tests cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A file or folder cannot be read.
    #[error("{path}: {cause}")]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// A file is not what the schema says.
    #[error("{path}: {cause}")]
    Malformed {
        /// Which one.
        path: PathBuf,
        /// The parser's words.
        cause: serde_norway::Error,
    },
}

/// The tests of one file.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its tests; the stages of one test run in order.
    pub tests: Vec<Vec<Stage>>,
}

/// All test files under a folder, sorted by name.
pub fn load(folder: &Path) -> Result<Vec<TestFile>, SuiteError> {
    let mut paths = Vec::new();
    collect(folder, &mut paths)?;
    paths.sort();
    paths.iter().map(|path| load_file(path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    let unreadable = |cause| SuiteError::Unreadable {
        path: folder.to_owned(),
        cause,
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            paths.push(path);
        }
    }
    Ok(())
}

fn load_file(path: &Path) -> Result<TestFile, SuiteError> {
    let text = fs::read_to_string(path).map_err(|cause| SuiteError::Unreadable {
        path: path.to_owned(),
        cause,
    })?;
    let tests = parse(&text).map_err(|cause| SuiteError::Malformed {
        path: path.to_owned(),
        cause,
    })?;
    Ok(TestFile {
        path: path.to_owned(),
        tests,
    })
}

/// The tests in one file's text. A file may be empty but for comments.
pub fn parse(text: &str) -> Result<Vec<Vec<Stage>>, serde_norway::Error> {
    match serde_norway::from_str::<Option<AnyFile>>(text)? {
        None => return Ok(Vec::new()),
        Some(AnyFile::Other {}) => return crs3::parse(text),
        Some(AnyFile::Crs4 { .. }) => {}
    }
    let file: RawFile = serde_norway::from_str(text)?;
    let rule = file.rule_id;
    Ok(file
        .tests
        .into_iter()
        .enumerate()
        .map(|(index, test)| test.named(rule, index as u64 + 1))
        .collect())
}

#[derive(Deserialize)]
struct RawFile {
    rule_id: u64,
    #[serde(default)]
    tests: Vec<RawTest>,
}

/// Which schema a file follows.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyFile {
    /// Says at its top which rule it is about.
    Crs4 {
        #[allow(dead_code, reason = "its presence is what tells the schema")]
        rule_id: u64,
    },
    Other {},
}

#[derive(Deserialize)]
struct RawTest {
    test_id: Option<u64>,
    stages: Vec<RawStage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStage {
    input: Input,
    output: Output,
}

impl RawTest {
    fn named(self, rule: u64, position: u64) -> Vec<Stage> {
        let test = self.test_id.unwrap_or(position);
        let several = self.stages.len() > 1;
        let id = |index: usize| StageId {
            rule,
            test,
            stage: several.then_some(index + 1),
        };
        self.stages
            .into_iter()
            .enumerate()
            .map(|(index, stage)| Stage {
                id: id(index),
                input: stage.input,
                output: stage.output,
            })
            .collect()
    }
}

/// One status, or several.
fn statuses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Statuses {
        One(u16),
        Several(Vec<u16>),
    }
    Ok(match Statuses::deserialize(deserializer)? {
        Statuses::One(status) => vec![status],
        Statuses::Several(statuses) => statuses,
    })
}

/// Header values may be written as numbers.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Text(String),
        Integer(i64),
        Truth(bool),
    }
    let raw = BTreeMap::<String, Scalar>::deserialize(deserializer)?;
    let text = |scalar| match scalar {
        Scalar::Text(text) => text,
        Scalar::Integer(number) => number.to_string(),
        Scalar::Truth(truth) => truth.to_string(),
    };
    Ok(raw.into_iter().map(|(name, value)| (name, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
meta: {author: someone}
rule_id: 900100
tests:
  - test_id: 7
    desc: one stage
    stages:
      - input:
          headers: {Content-Length: 7, Accept: "*/*"}
          version: ""
          data: "a=b"
        output:
          log: {expect_ids: [900100]}
  - stages:
      - {input: {uri: /a}, output: {status: 200}}
      - {input: {uri: /b}, output: {log: {no_match_regex: x}}}
"#;

    #[test]
    fn stages_are_named_by_rule_test_and_place() {
        let tests = parse(FILE).unwrap();
        let names: Vec<String> = tests.iter().flatten().map(|stage| stage.id.to_string()).collect();
        assert_eq!(names, ["900100-7", "900100-2#1", "900100-2#2"]);
    }

    #[test]
    fn numbers_in_headers_become_text_and_an_empty_version_stays() {
        let stage = parse(FILE).unwrap().remove(0).remove(0);
        assert_eq!(stage.input.headers.get("Content-Length").unwrap(), "7");
        assert_eq!(stage.input.version.as_deref(), Some(""));
        assert_eq!(stage.output.log.expect_ids, [900_100]);
    }

    #[test]
    fn a_file_of_comments_holds_no_test() {
        assert!(parse("# nothing here\n").unwrap().is_empty());
    }

    #[test]
    fn an_unknown_key_is_named() {
        let text = "rule_id: 1\ntests:\n  - stages:\n      - {input: {}, output: {log: {expect_idz: [1]}}}\n";
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains("expect_idz"), "{error}");
    }
}
