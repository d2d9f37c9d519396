//! The differences that are explained, each with who is right.

use std::collections::BTreeMap;

use regex::bytes::Regex;
use serde::Deserialize;

use super::compare::{Difference, Subject};
use super::peer::Engine;
use super::views::{ANCHOR, Member, Traits};

const FILE: &str = include_str!("../../differential-known.toml");

/// Why the file of known differences cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// It is not what the schema says.
    #[error("tests/differential-known.toml: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A pattern of a class.
    #[error("tests/differential-known.toml: class {0}: {1}")]
    Pattern(String, regex::Error),
}

/// All of them.
#[derive(Debug)]
pub struct Known {
    classes: Vec<Class>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    class: Vec<Written>,
}

/// A class as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Its name: the heading in waf/DIFFERENCES.md.
    id: String,
    /// Which engine differs from ours.
    engine: Engine,
    /// Who is right: for a reader.
    #[serde(rename = "right")]
    _right: Right,
    /// Variables and transformations that differ.
    #[serde(default)]
    views: Vec<String>,
    /// Rules that differ by themselves.
    #[serde(default)]
    rules: Vec<u64>,
    /// Rules that ask one of these variables.
    #[serde(default)]
    asks: Vec<String>,
    /// Rules that ask one of these operators.
    #[serde(default)]
    operators: Vec<String>,
    /// Rules that use one of these transformations.
    #[serde(default)]
    transformations: Vec<String>,
    /// Whether any rule may differ by itself.
    #[serde(default)]
    any_rule: bool,
    /// Whether the engine dies.
    #[serde(default)]
    crash: bool,
    /// Whether the verdict differs by itself.
    #[serde(default)]
    verdict: bool,
    /// Rules that both engines log, if it is about the verdict: they may count another number of values.
    #[serde(default)]
    both_log: Vec<u64>,
    /// What the request looks like: a pattern over its bytes.
    request: Option<String>,
    /// What a member looks like that only our side has; all of them do.
    ours: Option<String>,
    /// The same about the other side.
    theirs: Option<String>,
    /// Whether our engine says that the body is malformed.
    flagged: Option<bool>,
    /// Whether the other engine says so.
    refused: Option<bool>,
    /// Arguments, cookies or part headers share a name, but for its case.
    #[serde(default)]
    repeated: bool,
    /// The query or the body has two arguments or more.
    #[serde(default)]
    several: bool,
    /// The other engine walks the arguments in another order.
    #[serde(default)]
    reordered: bool,
    /// Some value has a line break in it.
    #[serde(default)]
    lines: bool,
    /// Some value has a byte past ASCII in it.
    #[serde(default)]
    bytes: bool,
    /// Any rule may differ by itself whose pattern has `^` or `$` in it.
    #[serde(default)]
    anchored: bool,
    /// Which processor read the body in our engine: `JSON`, or empty for none.
    processor: Option<String>,
    /// Whether both sides have the same values, under other names.
    #[serde(default)]
    names_only: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Right {
    Ours,
    Theirs,
    Either,
}

#[derive(Debug)]
struct Class {
    written: Written,
    request: Option<Regex>,
    ours: Option<Regex>,
    theirs: Option<Regex>,
}

impl Known {
    /// Reads the file that is built in.
    pub fn load() -> Result<Self, KnownError> {
        let file: File = toml::from_str(FILE)?;
        let classes = file
            .class
            .into_iter()
            .map(Class::build)
            .collect::<Result<_, _>>()?;
        Ok(Self { classes })
    }

    /// The class of a difference.
    pub(super) fn class_of(&self, difference: &Difference, request: &[u8]) -> Option<&str> {
        self.classes
            .iter()
            .find(|class| class.holds(difference, request))
            .map(|class| class.written.id.as_str())
    }

    /// How often each class was seen: all start at zero.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        self.classes
            .iter()
            .map(|class| (class.written.id.clone(), 0))
            .collect()
    }
}

impl Class {
    fn build(written: Written) -> Result<Self, KnownError> {
        let compiled = |pattern: &Option<String>| match pattern {
            Some(pattern) => Regex::new(&format!("(?s-u){pattern}"))
                .map(Some)
                .map_err(|error| KnownError::Pattern(written.id.clone(), error)),
            None => Ok(None),
        };
        Ok(Self {
            request: compiled(&written.request)?,
            ours: compiled(&written.ours)?,
            theirs: compiled(&written.theirs)?,
            written,
        })
    }

    fn holds(&self, difference: &Difference, request: &[u8]) -> bool {
        self.written.engine == difference.engine
            && self.is_about(difference)
            && self
                .request
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(request))
            && self
                .written
                .flagged
                .is_none_or(|flagged| flagged == difference.flagged)
            && self
                .written
                .refused
                .is_none_or(|refused| refused == difference.refused)
            && self.has_traits(difference.traits)
            && (!self.written.reordered || difference.reordered)
            && self
                .written
                .both_log
                .iter()
                .all(|id| difference.both_log.contains(id))
            && self
                .written
                .processor
                .as_ref()
                .is_none_or(|processor| *processor == difference.processor)
            && all_match(self.ours.as_ref(), &difference.ours)
            && all_match(self.theirs.as_ref(), &difference.theirs)
            && (!self.written.names_only || values(&difference.ours) == values(&difference.theirs))
    }

    fn has_traits(&self, traits: Traits) -> bool {
        let Written {
            repeated,
            several,
            lines,
            bytes,
            ..
        } = self.written;
        (!repeated || traits.repeated)
            && (!several || traits.several)
            && (!lines || traits.lines)
            && (!bytes || traits.bytes)
    }

    fn is_about(&self, difference: &Difference) -> bool {
        match &difference.subject {
            Subject::Crash => self.written.crash,
            Subject::View(name) => self.written.views.contains(name),
            Subject::TheyLog(id) | Subject::WeLog(id) => {
                let uses = |name: &String| {
                    difference
                        .asked
                        .iter()
                        .any(|asked| asked.strip_prefix("t:") == Some(name))
                };
                let with = |name: &String| {
                    difference
                        .asked
                        .iter()
                        .any(|asked| asked.strip_prefix('@') == Some(name))
                };
                self.written.any_rule
                    || self
                        .written
                        .asks
                        .iter()
                        .any(|name| difference.asked.contains(name))
                    || self.written.operators.iter().any(with)
                    || self.written.anchored && difference.asked.iter().any(|asked| asked == ANCHOR)
                    || self.written.rules.contains(id)
                    || self.written.transformations.iter().any(uses)
            }
            Subject::Verdict => self.written.verdict,
        }
    }
}

/// A member is tried as `name=value`.
fn all_match(pattern: Option<&Regex>, members: &[Member]) -> bool {
    pattern.is_none_or(|pattern| {
        members
            .iter()
            .all(|member| pattern.is_match(&[&member.name, &b"="[..], &member.value].concat()))
    })
}

fn values(members: &[Member]) -> Vec<&[u8]> {
    let mut values: Vec<&[u8]> = members.iter().map(|member| member.value.as_slice()).collect();
    values.sort();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_section() {
        let sections = include_str!("../../../waf/DIFFERENCES.md");
        let known = Known::load().unwrap();
        for class in &known.classes {
            let heading = format!("### {}\n", class.written.id);
            assert!(sections.contains(&heading), "waf/DIFFERENCES.md has no {heading}");
        }
    }

    /// A difference about one of three arguments, both engines logging 920250.
    fn difference(engine: Engine, subject: Subject) -> Difference {
        let verdict = |text: &str| Member {
            name: Vec::new(),
            value: text.into(),
        };
        Difference {
            engine,
            subject,
            detail: String::new(),
            follows: false,
            flagged: false,
            refused: false,
            reordered: true,
            traits: Traits {
                several: true,
                ..Traits::default()
            },
            processor: "URLENCODED".to_owned(),
            asked: ["@rx", "ARGS_GET", "ARGS_POST"].map(str::to_owned).to_vec(),
            both_log: [920_250].into(),
            ours: vec![verdict("403 by 949110")],
            theirs: vec![verdict("passes")],
        }
    }

    fn class(difference: &Difference, line: &str) -> Option<String> {
        let known = Known::load().unwrap();
        let request = format!("{line}\nhost: a\n\n");
        known.class_of(difference, request.as_bytes()).map(str::to_owned)
    }

    #[test]
    fn a_chain_over_captures_depends_on_the_order_of_the_arguments() {
        let line = "GET /?a=1%3d2&b=1%3d1&l=1%3d2 HTTP/1.1";
        for subject in [Subject::TheyLog(942_130), Subject::WeLog(942_521)] {
            let mut seen = difference(Engine::Modsecurity, subject.clone());
            assert_eq!(
                class(&seen, line).as_deref(),
                Some("modsecurity-order-of-arguments")
            );
            seen.reordered = false;
            assert_eq!(class(&seen, line), None);

            let mut seen = difference(Engine::Coraza, subject);
            assert_eq!(class(&seen, line).as_deref(), Some("coraza-order-of-arguments"));
            seen.traits.several = false;
            assert_eq!(class(&seen, line), None);
        }
        let other = difference(Engine::Modsecurity, Subject::TheyLog(942_520));
        assert_eq!(class(&other, line), None);
    }

    #[test]
    fn an_undecoded_path_scores_less() {
        let seen = difference(Engine::Coraza, Subject::Verdict);
        let explained = Some("coraza-targets-that-score-less");
        assert_eq!(
            class(&seen, "GET /%C0%A5%%C1?x=%FF HTTP/1.1").as_deref(),
            explained
        );
        assert_eq!(
            class(&seen, "GET /%zz/%C0%A5?x=%FF HTTP/1.1").as_deref(),
            explained
        );
        for line in [
            "GET /%C0%A5?x=%FF HTTP/1.1",
            "GET /%%?x=%FF HTTP/1.1",
            "GET /?x=%FF%C0%A5%% HTTP/1.1",
        ] {
            assert_eq!(class(&seen, line), None, "{line}");
        }

        let without_the_rule = Difference {
            both_log: [942_460].into(),
            ..seen.clone()
        };
        let turned_round = Difference {
            ours: seen.theirs.clone(),
            theirs: seen.ours.clone(),
            ..seen
        };
        for other in [without_the_rule, turned_round] {
            assert_eq!(class(&other, "GET /%C0%A5%%C1?x=%FF HTTP/1.1"), None);
        }
    }

    #[test]
    fn what_the_cache_loses_may_be_the_verdict() {
        let mut seen = Difference {
            both_log: [922_120].into(),
            ..difference(Engine::Coraza, Subject::Verdict)
        };
        assert_eq!(class(&seen, "POST / HTTP/1.1"), None);
        seen.traits.repeated = true;
        assert_eq!(
            class(&seen, "POST / HTTP/1.1").as_deref(),
            Some("coraza-verdict-by-chance")
        );
        seen.both_log = [942_460].into();
        assert_eq!(class(&seen, "POST / HTTP/1.1"), None);
    }

    #[test]
    fn a_part_header_has_another_case_whatever_the_name_of_its_part() {
        let header = |name: &str, value: &str| Member {
            name: name.into(),
            value: value.into(),
        };
        for name in ["a", "a:b", "=", "=:"] {
            let view = Subject::View("MULTIPART_PART_HEADERS".to_owned());
            let mut seen = Difference {
                ours: vec![header(name, "content-type:text/html")],
                theirs: vec![header(name, "Content-Type: text/html")],
                ..difference(Engine::Coraza, view)
            };
            assert_eq!(
                class(&seen, "POST / HTTP/1.1").as_deref(),
                Some("coraza-part-headers")
            );
            seen.theirs = vec![header(name, "content-type: text/html")];
            assert_eq!(class(&seen, "POST / HTTP/1.1"), None, "{name}");
        }
    }

    #[test]
    fn a_last_boundary_without_line_end_takes_nothing_back() {
        let flag = |value: &str| Member {
            name: Vec::new(),
            value: value.into(),
        };
        let view = Subject::View("MULTIPART_UNMATCHED_BOUNDARY".to_owned());
        let seen = Difference {
            processor: "MULTIPART".to_owned(),
            ours: vec![flag("0")],
            theirs: vec![flag("1")],
            ..difference(Engine::Modsecurity, view)
        };
        let body = |lines: &str| format!("POST / HTTP/1.1\nhost: a\n\n--abc\r\nname: a\r\n\r\n{lines}");
        let class = |request: &str| {
            let known = Known::load().unwrap();
            known.class_of(&seen, request.as_bytes()).map(str::to_owned)
        };
        let explained = Some("modsecurity-last-boundary-without-line-end");
        for lines in ["--inner\r\n--abc--", "--\r\n--abc--", "x --abc y\r\n--abc--"] {
            assert_eq!(class(&body(lines)).as_deref(), explained, "{lines:?}");
        }
        for lines in ["--inner\r\n--abc--\r\n", "x\r\n--abc--"] {
            assert_eq!(class(&body(lines)), None, "{lines:?}");
        }
    }

    #[test]
    fn the_u_of_a_unicode_escape_may_be_encoded_itself() {
        let view = Subject::View("t:urlDecodeUni".to_owned());
        let seen = difference(Engine::Modsecurity, view);
        for value in ["%25u00aa", "%25%75%30%30%61%61", "%25%5500AA", "%u00aa"] {
            let line = format!("GET /?a={value} HTTP/1.1");
            assert_eq!(class(&seen, &line).as_deref(), Some("modsecurity-unicode-map"));
        }
        assert_eq!(class(&seen, "GET /?a=%25%61u00aa HTTP/1.1"), None);
    }
}
