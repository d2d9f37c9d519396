//! Phase 5: at the end, whatever happened.

use crate::plan::RuleSet;
use crate::rule::AuditEngine;

use super::{Facts, State};

/// Whether this transaction belongs into the audit log.
pub(super) fn wants_audit(engine: AuditEngine, rules: &RuleSet, facts: &Facts, state: &State) -> bool {
    match engine {
        AuditEngine::On => true,
        AuditEngine::Off => false,
        AuditEngine::RelevantOnly => {
            state.log.records().iter().any(|record| record.audit_log)
                || has_relevant_status(rules, facts, state)
        }
    }
}

fn has_relevant_status(rules: &RuleSet, facts: &Facts, state: &State) -> bool {
    let stopped = state
        .interruption
        .as_ref()
        .and_then(|interruption| interruption.status());
    let status = stopped.or(facts.response.status);
    status.is_some_and(|status| rules.is_relevant(status))
}
