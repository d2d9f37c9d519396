//! `ctl`: changes the engine for the rest of this transaction.
//!
//! Argument: `option=value`. Example: `ctl:ruleRemoveTargetById=942100;ARGS:comment`.
//! Source: ModSecurity Reference Manual, "ctl".

use std::sync::Arc;

use crate::rule::Ctl;
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
