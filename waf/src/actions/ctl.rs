//! `ctl`: changes the engine for the rest of this transaction.
//!
//! Argument: `option=value`. Example: `ctl:ruleRemoveTargetById=942100;ARGS:comment`.
//! Source: ModSecurity Reference Manual, "ctl".

use std::sync::Arc;

use crate::rule::{Ctl, Rule, RuleSelector, TextMatch};
use crate::transaction::Context;

pub(super) fn run(change: &Ctl, context: &mut Context<'_>) {
    let control = &mut context.state.control;
    match change {
        Ctl::RuleEngine(mode) => control.engine = *mode,
        Ctl::AuditEngine(mode) => control.audit_engine = *mode,
        Ctl::RequestBodyAccess(access) => control.request_body_access = *access,
        Ctl::ResponseBodyAccess(access) => control.response_body_access = *access,
        Ctl::RequestBodyLimit(bytes) => control.request_body_limit = *bytes,
        Ctl::ResponseBodyLimit(bytes) => control.response_body_limit = *bytes,
        Ctl::ForceRequestBodyVariable(force) => control.force_request_body = *force,
        Ctl::ForceResponseBodyVariable(force) => control.force_response_body = *force,
        Ctl::RequestBodyProcessor(processor) => control.processor = Some(*processor),
        Ctl::ResponseBodyProcessor(processor) => control.response_processor = Some(*processor),
        Ctl::RemoveRules(rules) => control.removed_rules.push(rules.clone()),
        Ctl::RemoveTargets(rules, target) => {
            control
                .removed_targets
                .push((rules.clone(), Arc::new(target.clone())));
        }
        // The audit record has no parts to choose from, and there is no debug log.
        Ctl::AuditLogParts(_) | Ctl::Ignored(_) => {}
    }
}

/// Whether a selector means a rule.
pub(crate) fn means(selector: &RuleSelector, rule: &Rule) -> bool {
    match selector {
        RuleSelector::Ids(ranges) => ranges
            .iter()
            .any(|&(first, last)| (first..=last).contains(&rule.id)),
        RuleSelector::Tag(tag) => rule.tags.iter().any(|text| is(tag, text)),
        RuleSelector::Message(message) => {
            let msg = rule.head().actions.msg.as_ref();
            msg.is_some_and(|msg| is(message, &msg.to_string()))
        }
    }
}

fn is(wanted: &TextMatch, text: &str) -> bool {
    match wanted {
        TextMatch::Exact(exact) => exact == text,
        TextMatch::Pattern(pattern) => pattern.is_match(text.as_bytes()),
    }
}
