//! The schema of CRS 3's tests. Its stages lie one level deeper, its tests have titles instead of numbers, and what
//! the log holds is a pattern instead of a list of rules.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Input, LogExpectation, Output, Stage, StageId, statuses, texts};

/// The tests in one file's text.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<Stage>>, serde_norway::Error> {
    let file: File = serde_norway::from_str(text)?;
    let numbered = file.tests.into_iter().zip(1..);
    Ok(numbered.map(|(test, position)| test.stages(position)).collect())
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    /// `920100-1`, mostly.
    test_title: Text,
    stages: Vec<Outer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    stage: Inner,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    input: OldInput,
    output: OldOutput,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OldInput {
    dest_addr: Option<String>,
    port: Option<u16>,
    protocol: Option<String>,
    method: Option<String>,
    uri: Option<String>,
    version: Option<String>,
    #[serde(deserialize_with = "texts")]
    headers: BTreeMap<String, String>,
    /// A list is lines.
    data: Option<Lines>,
    /// Nothing is added or encoded.
    stop_magic: bool,
    encoded_request: Option<String>,
    /// As `encoded_request`, without the coding.
    raw_request: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OldOutput {
    #[serde(deserialize_with = "statuses")]
    status: Vec<u16>,
    log_contains: Option<Text>,
    no_log_contains: Option<Text>,
    expect_error: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    One(String),
    Several(Vec<String>),
}

/// A text that may look like a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Words(String),
    Number(u64),
}

impl Test {
    fn stages(self, position: u64) -> Vec<Stage> {
        let title = self.test_title.into_string();
        let (rule, test) = title.split_once('-').unwrap_or((&title, ""));
        let several = self.stages.len() > 1;
        let id = |place: usize| StageId {
            rule: rule.parse().unwrap_or(0),
            test: test.parse().unwrap_or(position),
            stage: several.then_some(place),
        };
        let stages = self.stages.into_iter().zip(1..);
        stages
            .map(|(outer, place)| Stage {
                id: id(place),
                input: outer.stage.input.into(),
                output: outer.stage.output.into(),
            })
            .collect()
    }
}

impl From<OldInput> for Input {
    fn from(old: OldInput) -> Self {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        // go-ftw makes CRLF of every LF of a multipart body; CRS 3's client leaves those alone that are one already.
        let multipart = old
            .headers
            .values()
            .any(|value| value.contains("multipart/form-data"));
        let lines = |text: String| match multipart {
            true => text.replace("\r\n", "\n"),
            false => text,
        };
        let raw = old.raw_request.map(|raw| STANDARD.encode(raw));
        Self {
            dest_addr: old.dest_addr,
            port: old.port,
            protocol: old.protocol,
            method: old.method,
            uri: old.uri,
            version: old.version,
            headers: old.headers,
            data: old.data.map(Lines::joined).map(lines),
            autocomplete_headers: old.stop_magic.then_some(false),
            encoded_request: old.encoded_request.or(raw),
        }
    }
}

impl From<OldOutput> for Output {
    fn from(old: OldOutput) -> Self {
        Self {
            status: old.status,
            expect_error: old.expect_error,
            log: LogExpectation {
                match_regex: old.log_contains.map(Text::into_string),
                no_match_regex: old.no_log_contains.map(Text::into_string),
                ..LogExpectation::default()
            },
            ..Self::default()
        }
    }
}

impl Lines {
    fn joined(self) -> String {
        match self {
            Self::One(text) => text,
            Self::Several(lines) => lines.join("\r\n"),
        }
    }
}

impl Text {
    fn into_string(self) -> String {
        match self {
            Self::Words(words) => words,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
meta: {author: someone, enabled: true, name: a.yaml}
tests:
  - test_title: 900100-7
    desc: one stage
    stages:
      - stage:
          input: {headers: {Host: localhost}, data: [a, b], stop_magic: true}
          output: {log_contains: 'id "900100"', status: [200, 403]}
  - test_title: 900100-8
    stages:
      - stage: {input: {uri: /a}, output: {no_log_contains: 'id "900100"', status: 200}}
"#;

    #[test]
    fn it_becomes_what_crs_4_writes() {
        let mut tests = parse(FILE).unwrap();
        let (second, first) = (tests.remove(1).remove(0), tests.remove(0).remove(0));
        assert_eq!(
            (first.id.to_string(), second.id.to_string()),
            ("900100-7".into(), "900100-8".into())
        );
        assert_eq!(first.input.data.as_deref(), Some("a\r\nb"));
        assert_eq!(first.input.autocomplete_headers, Some(false));
        assert_eq!(first.output.status, [200, 403]);
        assert_eq!(first.output.log.match_regex.as_deref(), Some("id \"900100\""));
        assert_eq!(second.output.log.no_match_regex.as_deref(), Some("id \"900100\""));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let text = FILE.replace("no_log_contains", "log_lacks");
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains("log_lacks"), "{error}");
    }
}
