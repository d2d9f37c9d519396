//! What Coraza tells of rules that match. libcoraza has one call for it, for all requests of a policy together: it
//! is made while a phase runs, on the thread that asked for the phase. So whoever runs a phase collects what its own
//! thread hears meanwhile.
//!
//! What is told is the rule's id and a line of text. Its quoted fields are Go's `%q`: no quote of a request's ends
//! one. Message and data are cut at 280 bytes by Coraza.

use std::cell::RefCell;

use palisade_waf::rule::{Disruptive, Rule, Selector};
use palisade_waf::variables::Variable;
use palisade_waf::{MatchedRule, MatchedVariable};

thread_local! {
    static HEARD: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
}

/// A match, as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) id: u64,
    pub(super) msg: String,
    /// `logdata`, for each value that matched.
    pub(super) data: Vec<String>,
}

/// Called by Coraza.
pub(super) fn hear(rule: coraza::MatchedRule) {
    let told = Told::of(u64::try_from(rule.rule_id).unwrap_or(0), &rule.message);
    HEARD.with(|heard| {
        if let Ok(mut heard) = heard.try_borrow_mut() {
            heard.push(told);
        }
    });
}

/// What is told while `phase` runs.
pub(super) fn during<T>(phase: impl FnOnce() -> T) -> (T, Vec<Told>) {
    HEARD.with_borrow_mut(Vec::clear);
    let result = phase();
    (result, HEARD.with_borrow_mut(std::mem::take))
}

impl Told {
    fn of(id: u64, line: &str) -> Self {
        // In front of the fields stands the message as it is, and it may hold anything.
        let fields = line.rfind("[file \"").map_or("", |start| &line[start..]);
        let (mut msg, mut data) = (String::new(), Vec::new());
        for (name, value) in Fields(fields) {
            if name == "msg" || (msg.is_empty() && name.starts_with("msg_match_")) {
                msg = value;
            } else if (name == "data" || name.starts_with("data_match_")) && !data.contains(&value) {
                data.push(value);
            }
        }
        data.retain(|data| !data.is_empty());
        Self { id, msg, data }
    }

    /// The match of `rule`, as our engine would record it.
    pub(super) fn matched(self, rule: &Rule) -> MatchedRule {
        let actions = &rule.head().actions;
        let mut variables: Vec<MatchedVariable> = self.data.iter().filter_map(|data| named(data)).collect();
        variables.truncate(MatchedRule::VARIABLES_KEPT);
        if variables.is_empty() {
            variables.extend(only_target(rule));
        }
        MatchedRule {
            id: rule.id,
            phase: rule.phase,
            location: rule.head().location.clone(),
            msg: self.msg,
            logdata: self.data.into_iter().next().unwrap_or_default(),
            severity: actions.severity,
            tags: rule.tags.clone(),
            rev: actions.rev.clone(),
            ver: actions.ver.clone(),
            disruptive: stops(rule),
            log: actions.log,
            audit_log: actions.audit_log,
            variables,
        }
    }
}

/// Whether the rule's action stops a request.
pub(super) fn stops(rule: &Rule) -> bool {
    matches!(
        rule.head().actions.disruptive,
        Disruptive::Deny | Disruptive::Drop | Disruptive::Redirect(_)
    )
}

/// The CRS names what matched in its data: `... found within ARGS:q: value`.
fn named(data: &str) -> Option<MatchedVariable> {
    let (_, rest) = data.split_once("found within ")?;
    let (name, value) = rest.split_once(": ").unwrap_or((rest, ""));
    let (variable, key) = match name.split_once(':') {
        Some((variable, key)) => (variable, Some(key.as_bytes().to_vec())),
        None => (name, None),
    };
    Some(MatchedVariable {
        link: 0,
        variable: Variable::from_name(variable)?,
        key,
        value: value.as_bytes().to_vec(),
    })
}

/// Where the rule looks at one thing only, that is what matched; its value is not told.
fn only_target(rule: &Rule) -> Option<MatchedVariable> {
    let [target] = rule.head().question.as_ref()?.targets.as_slice() else {
        return None;
    };
    let key = match &target.selector {
        Selector::Key(key) => Some(key.clone()),
        _ => None,
    };
    Some(MatchedVariable {
        link: 0,
        variable: target.variable,
        key,
        value: Vec::new(),
    })
}

/// `[name "value"]`, one after the other.
struct Fields<'t>(&'t str);

impl Iterator for Fields<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let (_, rest) = self.0.split_once('[')?;
        let (name, rest) = rest.split_once(" \"")?;
        let mut value = String::new();
        let mut characters = rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = &rest[at + 1..];
                    return Some((name.to_owned(), value));
                }
                '\\' => match characters.next()?.1 {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    'r' => value.push('\r'),
                    quoted @ ('"' | '\\') => value.push(quoted),
                    // `\x00`, `\u00a0`: stay spelled out, as our own logs do with bytes.
                    other => value.extend(['\\', other]),
                },
                other => value.push(other),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"[client "192.0.2.1"] Coraza: Warning. A [file "forged"] [id "1"] [file "x.conf"] [line "3"] [id "942100"] [rev ""] [msg "An \"attack\""] [data "Matched Data: s found within ARGS:q: a\"] [msg \"b\\"] [severity "critical"] [tag "t"] [unique_id "x"][msg_match_1 "An \"attack\""] [data_match_1 "Matched Data: s found within ARGS:r: c"]"#;

    #[test]
    fn a_line_tells_message_and_data_and_no_value_forges_a_field() {
        let told = Told::of(942_100, LINE);
        assert_eq!(told.msg, "An \"attack\"");
        assert_eq!(
            told.data,
            [
                "Matched Data: s found within ARGS:q: a\"] [msg \"b\\",
                "Matched Data: s found within ARGS:r: c"
            ]
        );
        let variables: Vec<String> = told
            .data
            .iter()
            .filter_map(|data| Some(named(data)?.to_string()))
            .collect();
        assert_eq!(variables, ["ARGS:q", "ARGS:r"]);
    }

    #[test]
    fn a_line_that_is_no_such_line_tells_nothing() {
        for line in ["", "[file \"", "[file \"a\" [msg", "[file \"a\"] [msg \"b\\"] {
            assert!(Told::of(1, line).data.is_empty(), "{line}");
        }
    }
}
