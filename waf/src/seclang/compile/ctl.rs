//! `ctl:option=value`.

use super::super::ast::{TargetText, Word};
use super::super::error::{Problem, excerpt};
use super::super::targets::{Separators, parse as parse_targets};
use super::select::{id_ranges, text_match};
use super::settings::{AUDIT_MODES, ENGINE_MODES};
use super::targets::listed;
use crate::nearest::nearest;
use crate::rule::{BodyProcessor, Ctl, RuleSelector, Target};

pub(super) const EXPECTED: &str = "option=value";

/// Every option, with its documented spelling.
const OPTIONS: &[&str] = &[
    "auditEngine",
    "auditLogParts",
    "debugLogLevel",
    "forceRequestBodyVariable",
    "forceResponseBodyVariable",
    "hashEnforcement",
    "hashEngine",
    "parseXmlIntoArgs",
    "requestBodyAccess",
    "requestBodyLimit",
    "requestBodyProcessor",
    "responseBodyAccess",
    "responseBodyLimit",
    "responseBodyProcessor",
    "ruleEngine",
    "ruleRemoveById",
    "ruleRemoveByMsg",
    "ruleRemoveByTag",
    "ruleRemoveTargetById",
    "ruleRemoveTargetByMsg",
    "ruleRemoveTargetByTag",
];

const PROCESSORS: &[(&str, BodyProcessor)] = &[
    ("URLENCODED", BodyProcessor::Urlencoded),
    ("MULTIPART", BodyProcessor::Multipart),
    ("JSON", BodyProcessor::Json),
    ("XML", BodyProcessor::Xml),
    ("RAW", BodyProcessor::Raw),
];

const SWITCH: &[(&str, bool)] = &[("On", true), ("Off", false)];

/// What `option=value` changes; several targets are several changes.
pub(super) fn parse(text: &str) -> Result<Vec<Ctl>, Problem> {
    let Some((name, text)) = text.split_once('=') else {
        return Err(wrong(EXPECTED, text));
    };
    let name = name.trim_ascii();
    let Some(option) = OPTIONS.iter().find(|option| option.eq_ignore_ascii_case(name)) else {
        return Err(Problem::UnknownCtl {
            name: excerpt(name),
            suggestion: nearest(name, OPTIONS.iter().copied()),
        });
    };
    if option.starts_with("ruleRemoveTarget") {
        return remove_targets(option, text.trim_ascii());
    }
    change(option, text.trim_ascii()).map(|change| vec![change])
}

fn change(option: &'static str, text: &str) -> Result<Ctl, Problem> {
    Ok(match option {
        "auditEngine" => Ctl::AuditEngine(choice("auditEngine=On, Off or RelevantOnly", AUDIT_MODES, text)?),
        "auditLogParts" => Ctl::AuditLogParts(parts(text)?),
        "forceRequestBodyVariable" => Ctl::ForceRequestBodyVariable(switch(text)?),
        "forceResponseBodyVariable" => Ctl::ForceResponseBodyVariable(switch(text)?),
        "requestBodyAccess" => Ctl::RequestBodyAccess(switch(text)?),
        "responseBodyAccess" => Ctl::ResponseBodyAccess(switch(text)?),
        "requestBodyLimit" => Ctl::RequestBodyLimit(bytes(text)?),
        "responseBodyLimit" => Ctl::ResponseBodyLimit(bytes(text)?),
        "requestBodyProcessor" => Ctl::RequestBodyProcessor(processor(text)?),
        "responseBodyProcessor" => Ctl::ResponseBodyProcessor(processor(text)?),
        "ruleEngine" => Ctl::RuleEngine(choice("ruleEngine=On, Off or DetectionOnly", ENGINE_MODES, text)?),
        "ruleRemoveById" | "ruleRemoveByMsg" | "ruleRemoveByTag" => Ctl::RemoveRules(rules(option, text)?),
        "parseXmlIntoArgs" | "hashEngine" | "hashEnforcement" if !text.eq_ignore_ascii_case("Off") => {
            return Err(Problem::UnsupportedAction {
                name: option,
                reason: "the engine has no such feature to turn on",
            });
        }
        other => Ctl::Ignored(other.to_owned()),
    })
}

/// `ids;TARGET`, `tag;TARGET`, `msg;TARGET`.
fn remove_targets(option: &'static str, text: &str) -> Result<Vec<Ctl>, Problem> {
    const EXPECTED: &str = "rules;VARIABLE or rules;VARIABLE:name";
    let Some((wanted, list)) = text.split_once(';') else {
        return Err(wrong(EXPECTED, text));
    };
    let rules = rules(option, wanted.trim_ascii())?;
    let word = Word {
        text: list.to_owned(),
        lines: vec![(0, 0)],
    };
    let (targets, problem) = parse_targets(&word, Separators::Pipe);
    if let Some((_, problem)) = problem {
        return Err(problem);
    }
    targets
        .iter()
        .map(|text| Ok(Ctl::RemoveTargets(rules.clone(), plain_target(text)?)))
        .collect()
}

/// A target to be left out: the option says already that it is an exclusion.
fn plain_target(text: &TargetText) -> Result<Target, Problem> {
    if text.excluded || text.count {
        return Err(wrong("a variable without `!` or `&`", &text.variable));
    }
    Ok(listed(text)?.target)
}

fn rules(option: &'static str, text: &str) -> Result<RuleSelector, Problem> {
    const EXPECTED: &str = "rule ids or ranges";
    if text.is_empty() {
        return Err(wrong("rules", text));
    }
    Ok(match option {
        "ruleRemoveById" | "ruleRemoveTargetById" => {
            RuleSelector::Ids(id_ranges(text).ok_or_else(|| wrong(EXPECTED, text))?)
        }
        "ruleRemoveByTag" | "ruleRemoveTargetByTag" => RuleSelector::Tag(text_match(text)?),
        _ => RuleSelector::Message(text_match(text)?),
    })
}

fn choice<T: Copy>(expected: &'static str, choices: &[(&str, T)], text: &str) -> Result<T, Problem> {
    choices
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, value)| *value)
        .ok_or_else(|| wrong(expected, text))
}

fn switch(text: &str) -> Result<bool, Problem> {
    choice("On or Off", SWITCH, text)
}

fn processor(text: &str) -> Result<BodyProcessor, Problem> {
    choice("URLENCODED, MULTIPART, JSON, XML or RAW", PROCESSORS, text)
}

fn bytes(text: &str) -> Result<usize, Problem> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| wrong("a number of bytes", text))
}

/// `+E`, `-E` or all letters.
fn parts(text: &str) -> Result<String, Problem> {
    let letters = text.strip_prefix(['+', '-']).unwrap_or(text);
    if letters.is_empty() || !letters.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(wrong("letters from A to Z, or + or - and letters", text));
    }
    Ok(text.to_owned())
}

fn wrong(expected: &'static str, found: &str) -> Problem {
    Problem::ActionValue {
        action: "ctl",
        expected,
        found: Some(excerpt(found)),
    }
}
