//! The narrowest exclusion that would let a request pass: as few pairs of a rule and a target as bring the
//! score under the threshold, for this path and method only.

use std::collections::BTreeMap;

use palisade_waf::audit::{AuditRule, AuditVariable};

use super::record::{Incident, points};
use crate::config::normalized_path;

/// What can be done about a false positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// These exclusions, as TOML to paste into the route.
    Exclude {
        /// `[[routes.waf.exclusions]]` tables.
        toml: String,
        /// The score that is left.
        remaining: u32,
        /// Rules that could only be taken out for the path as a whole.
        whole_rules: Vec<u64>,
    },
    /// The request is broken, not suspicious: no exclusion mends that.
    NotScored {
        /// What the rule that stopped it says.
        reason: String,
    },
    /// The engine failed: there is nothing to exclude.
    EngineFailed,
}

/// A rule, and the target it matched on; none if the match cannot be tied to one that an exclusion may name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    rule: u64,
    target: Option<String>,
}

/// What would let this request pass.
pub fn advise(incident: &Incident) -> Advice {
    if incident.facts.outcome == "failed" {
        return Advice::EngineFailed;
    }
    let causes = causes(incident);
    let total: u32 = causes.values().sum();
    if causes.is_empty() || total < threshold(incident) {
        return not_scored(incident);
    }
    let (chosen, remaining) = fewest(causes, threshold(incident));
    let whole_rules = chosen
        .iter()
        .filter(|cause| cause.target.is_none())
        .map(|cause| cause.rule)
        .collect();
    Advice::Exclude {
        toml: toml(incident, &chosen),
        remaining,
        whole_rules,
    }
}

/// The threshold that stopped it.
pub(super) fn threshold(incident: &Incident) -> u32 {
    let facts = &incident.facts;
    if incident.is_of_response() {
        facts.outbound_threshold
    } else {
        facts.threshold
    }
}

/// Points by cause.
fn causes(incident: &Incident) -> BTreeMap<Cause, u32> {
    let mut causes = BTreeMap::new();
    for rule in incident.findings() {
        let scoring = of_link(rule, last_link(rule));
        let once = scoring.is_empty().then_some(None);
        for variable in scoring.iter().copied().map(Some).chain(once) {
            let target = variable
                .and_then(target)
                .or_else(|| only_target(&of_link(rule, 0)));
            *causes
                .entry(Cause {
                    rule: rule.id,
                    target,
                })
                .or_insert(0) += points(rule);
        }
    }
    causes
}

/// CRS scores in the last link of a chain, once for each value that it matches.
fn last_link(rule: &AuditRule) -> usize {
    rule.variables
        .iter()
        .map(|variable| variable.link)
        .max()
        .unwrap_or(0)
}

fn of_link(rule: &AuditRule, link: usize) -> Vec<&AuditVariable> {
    rule.variables
        .iter()
        .filter(|variable| variable.link == link)
        .collect()
}

/// What the head of a chain looked at, if that is one thing: where the last link looks at what the chain made
/// of it, that is what an exclusion can name.
fn only_target(head: &[&AuditVariable]) -> Option<String> {
    let mut targets: Vec<Option<String>> = head.iter().map(|variable| target(variable)).collect();
    targets.dedup();
    match targets.as_mut_slice() {
        [one] => one.take(),
        _ => None,
    }
}

/// The most expensive causes first, until what is left stays under the threshold.
fn fewest(causes: BTreeMap<Cause, u32>, threshold: u32) -> (Vec<Cause>, u32) {
    let mut remaining: u32 = causes.values().sum();
    let mut causes: Vec<(Cause, u32)> = causes.into_iter().collect();
    // Narrow ones before whole rules, then the expensive ones; the order of ids among equals.
    causes.sort_by_key(|(cause, points)| (cause.target.is_none(), std::cmp::Reverse(*points)));
    let mut chosen = Vec::new();
    for (cause, points) in causes {
        if remaining < threshold {
            break;
        }
        remaining -= points;
        chosen.push(cause);
    }
    chosen.sort();
    (chosen, remaining)
}

fn not_scored(incident: &Incident) -> Advice {
    let record = &incident.transaction;
    let stop = record
        .interruption
        .as_ref()
        .or(record.detected_interruption.as_ref());
    let rule = stop.and_then(|stop| record.rules.iter().find(|rule| rule.id == stop.rule_id));
    let reason = rule.map_or_else(String::new, |rule| {
        if rule.data.is_empty() {
            rule.msg.clone()
        } else {
            format!("{}: {}", rule.msg, rule.data)
        }
    });
    Advice::NotScored { reason }
}

/// The name under which an exclusion can mean this match: members of the request's collections, and of TX where
/// a chain keeps what it found; MATCHED_VARS has none.
fn target(variable: &AuditVariable) -> Option<String> {
    let name = variable.variable.as_str();
    let collections = [
        "ARGS",
        "ARGS_GET",
        "ARGS_POST",
        "REQUEST_HEADERS",
        "REQUEST_COOKIES",
        "FILES",
        "MULTIPART_PART_HEADERS",
        "TX",
    ];
    let whole = [
        "ARGS_NAMES",
        "ARGS_GET_NAMES",
        "ARGS_POST_NAMES",
        "REQUEST_COOKIES_NAMES",
        "REQUEST_HEADERS_NAMES",
        "FILES_NAMES",
        "XML",
        "REQUEST_BODY",
        "QUERY_STRING",
        "REQUEST_FILENAME",
        "REQUEST_URI",
        "REQUEST_URI_RAW",
        "REQUEST_BASENAME",
        "REQUEST_LINE",
        "RESPONSE_BODY",
    ];
    if whole.contains(&name) {
        return Some(name.to_owned());
    }
    let key = variable
        .key
        .as_deref()
        .filter(|key| is_plain(key) && collections.contains(&name))?;
    Some(format!("{name}:{key}"))
}

/// A key that SecLang can name as it is.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'[' | b']'))
}

/// One table per rule: each can be read, argued about and removed by itself.
fn toml(incident: &Incident, chosen: &[Cause]) -> String {
    let facts = &incident.facts;
    let mut by_rule: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for cause in chosen {
        by_rule
            .entry(cause.rule)
            .or_default()
            .extend(cause.target.as_deref());
    }
    let whole: Vec<u64> = chosen
        .iter()
        .filter(|cause| cause.target.is_none())
        .map(|cause| cause.rule)
        .collect();
    let mut text = String::new();
    for (rule, targets) in by_rule {
        text.push_str("[[routes.waf.exclusions]]\n");
        text.push_str(&format!("rules = [{rule}]\n"));
        if !whole.contains(&rule) {
            let quoted: Vec<String> = targets.iter().map(|target| string(target)).collect();
            text.push_str(&format!("targets = [{}]\n", quoted.join(", ")));
        }
        if !facts.single_host && is_host(&facts.host) {
            text.push_str(&format!("hosts = [{}]\n", string(&facts.host)));
        }
        text.push_str(&format!("path = {{ exact = {} }}\n", string(&path(&facts.path))));
        if is_method(&facts.method) {
            text.push_str(&format!("methods = [{}]\n", string(&facts.method)));
        }
        text.push_str(&format!(
            "reason = {}\n\n",
            string(&format!("incident {}: say why it is legitimate", facts.id))
        ));
    }
    text
}

/// The form that paths are compared in, with escapes for what a configuration does not take as it is.
fn path(sent: &str) -> String {
    let normal = normalized_path(sent);
    let mut written = String::with_capacity(normal.len());
    for (at, c) in normal.char_indices() {
        let is_escape = || {
            let digits = normal.as_bytes().get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        if matches!(c, '"' | '\\') || (c == '%' && !is_escape()) {
            written.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            written.push(c);
        }
    }
    written
}

/// A name that a configuration takes as a host.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// A method that a configuration takes.
fn is_method(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-')
}

/// A TOML basic string.
fn string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
