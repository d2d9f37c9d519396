//! The audit record of a request before Coraza: our engine keeps the head (an empty rule set, for the masking),
//! Coraza tells the rules.

use palisade_waf::audit::{AuditInterruption, AuditRecord, AuditRule, AuditVariable};
use palisade_waf::rule::EngineMode;
use palisade_waf::{Interruption, InterruptionKind, MatchedRule, MatchedVariable, RuleSet};

use super::request::{CorazaTransaction, Scores};
use super::secrets::{MASK, Secrets};

/// Makes the record.
pub(super) fn record(request: &CorazaTransaction) -> AuditRecord {
    let (rules, secrets) = (request.rules(), request.secrets());
    let in_words = |stop: &Interruption| interruption(stop, &secrets);
    let worth_it = |rule: &&MatchedRule| rule.audit_log || rule.disruptive;
    AuditRecord {
        engine: mode(rules).to_owned(),
        interruption: request.interruption().map(in_words),
        detected_interruption: request.detected_interruption().as_ref().map(in_words),
        rules: request
            .matched_rules()
            .iter()
            .filter(worth_it)
            .map(|matched| rule(matched, rules, &secrets))
            .collect(),
        rules_dropped: request.dropped(),
        scores: scores(request.scores()),
        ..request.scribe().audit_record()
    }
}

fn mode(rules: &RuleSet) -> &'static str {
    match rules.settings().engine {
        EngineMode::On => "On",
        EngineMode::DetectionOnly => "DetectionOnly",
        EngineMode::Off => "Off",
    }
}

fn scores(scores: Scores) -> std::collections::BTreeMap<String, i64> {
    let named = [
        ("blocking_inbound_anomaly_score", scores.inbound),
        ("blocking_outbound_anomaly_score", scores.outbound),
    ];
    let counted = named.into_iter().filter(|(_, score)| *score != 0);
    counted
        .map(|(name, score)| (name.to_owned(), i64::from(score)))
        .collect()
}

fn interruption(stop: &Interruption, secrets: &Secrets<'_>) -> AuditInterruption {
    let (action, location) = match &stop.kind {
        InterruptionKind::Deny { .. } => ("deny", None),
        InterruptionKind::Drop => ("drop", None),
        InterruptionKind::Redirect { location, .. } => (
            "redirect",
            Some(secrets.masked(&String::from_utf8_lossy(location))),
        ),
    };
    AuditInterruption {
        rule_id: stop.rule_id,
        phase: stop.phase.number(),
        action: action.to_owned(),
        status: stop.status(),
        location,
    }
}

fn rule(matched: &MatchedRule, rules: &RuleSet, secrets: &Secrets<'_>) -> AuditRule {
    let told_where = !matched.variables.is_empty();
    let hidden = match rules.rule(matched.id) {
        _ if told_where => matched
            .variables
            .iter()
            .any(|variable| secrets.is_secret(variable)),
        Some(rule) => Secrets::may_have_seen_one(rule),
        None => false,
    };
    AuditRule {
        id: matched.id,
        phase: matched.phase.number(),
        msg: secrets.masked(&matched.msg),
        data: match hidden && !matched.logdata.is_empty() {
            true => MASK.to_owned(),
            false => secrets.masked(&matched.logdata),
        },
        severity: matched.severity.map(|severity| severity.name().to_owned()),
        tags: matched.tags.clone(),
        version: matched.ver.clone(),
        file: matched.location.file.to_string(),
        line: matched.location.line,
        disruptive: matched.disruptive,
        variables: matched
            .variables
            .iter()
            .map(|matched| variable(matched, secrets))
            .collect(),
    }
}

fn variable(matched: &MatchedVariable, secrets: &Secrets<'_>) -> AuditVariable {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    AuditVariable {
        link: matched.link,
        variable: matched.variable.name().to_owned(),
        key: matched.key.as_deref().map(text),
        value: match secrets.is_secret(matched) {
            true => MASK.to_owned(),
            false => secrets.masked(&text(&matched.value)),
        },
    }
}
