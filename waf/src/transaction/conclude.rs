//! What a matched rule comes to: its log entry, and whether it stops the transaction.

use crate::macros::{Lookup, Macro};
use crate::rule::{Disruptive, EngineMode, Phase, Rule};
use crate::text::readable;
use crate::variables::{Variable, View};

use super::{Context, Hit, Interruption, InterruptionKind, MatchedRule, MatchedVariable};

/// Statuses where a rule names none.
const DENIED: u16 = 403;
const FOUND: u16 = 302;

/// A rule has matched with all its links.
pub(super) fn matched(rule: &Rule, context: &mut Context<'_>) {
    let severity = rule.head().actions.severity;
    let highest = &mut context.state.highest_severity;
    *highest = severity.into_iter().chain(*highest).min();
    if rule.links.len() > 1 {
        log(rule, context, 0);
    }
    disrupt(rule, context);
}

/// A rule without a chain has matched one more value: the last of the hits.
pub(super) fn log_value(rule: &Rule, context: &mut Context<'_>) {
    let last = context.state.hits.len().saturating_sub(1);
    log(rule, context, last);
}

/// Writes the log entry of a rule for the hits from `first` on. A rule that asks for neither log leaves
/// no trace, unless it is what stops the request.
fn log(rule: &Rule, context: &mut Context<'_>, first: usize) {
    let actions = &rule.head().actions;
    let disruptive = kind(rule, context).is_some();
    if !(actions.log || actions.audit_log || disruptive) || !context.state.log.takes(disruptive) {
        return;
    }
    let lookup = Clipped {
        view: context.view(),
        limit: context.rules.limits().logged_value_bytes,
    };
    let expand = |text: &Macro| readable(&text.to_bytes(&lookup));
    let hits = context
        .state
        .hits
        .iter()
        .skip(first)
        .take(MatchedRule::VARIABLES_KEPT);
    let record = MatchedRule {
        id: rule.id,
        phase: rule.phase,
        location: rule.head().location.clone(),
        msg: actions.msg.as_ref().map(expand).unwrap_or_default(),
        logdata: actions.logdata.as_ref().map(expand).unwrap_or_default(),
        severity: actions.severity,
        tags: actions.tags.iter().map(expand).collect(),
        rev: actions.rev.clone(),
        ver: actions.ver.clone(),
        disruptive,
        log: actions.log,
        audit_log: actions.audit_log,
        variables: hits.map(|hit| variable(hit, lookup.limit)).collect(),
    };
    context.state.log.push(record);
}

fn variable(hit: &Hit, limit: usize) -> MatchedVariable {
    let end = hit.value.len().min(limit);
    MatchedVariable {
        link: hit.link,
        variable: hit.variable,
        key: hit.key.as_deref().map(<[u8]>::to_vec),
        value: hit.value[..end].to_vec(),
    }
}

/// A lookup for logs: a value of megabytes fills no log.
struct Clipped<'t> {
    view: View<'t>,
    limit: usize,
}

impl Lookup for Clipped<'_> {
    fn append(&self, variable: Variable, key: Option<&[u8]>, out: &mut Vec<u8>) {
        let start = out.len();
        self.view.append(variable, key, out);
        out.truncate(start + self.limit);
    }
}

/// Stops the transaction, or notes what would have stopped it. Only an engine that is On acts; the
/// logging phase is too late for anything.
fn disrupt(rule: &Rule, context: &mut Context<'_>) {
    if rule.phase == Phase::Logging {
        return;
    }
    let acts = context.state.control.engine == EngineMode::On;
    if let Disruptive::Allow(scope) = rule.head().actions.disruptive {
        if acts {
            context.state.allowed = Some(scope);
        }
        return;
    }
    let Some(kind) = kind(rule, context) else { return };
    let interruption = Interruption {
        rule_id: rule.id,
        phase: rule.phase,
        kind,
    };
    let place = if acts {
        &mut context.state.interruption
    } else {
        &mut context.state.detected
    };
    place.get_or_insert(interruption);
}

/// How the rule stops a request, if it does.
fn kind(rule: &Rule, context: &Context<'_>) -> Option<InterruptionKind> {
    let actions = &rule.head().actions;
    match &actions.disruptive {
        Disruptive::Pass | Disruptive::Allow(_) => None,
        Disruptive::Deny => Some(InterruptionKind::Deny {
            status: actions.status.unwrap_or(DENIED),
        }),
        Disruptive::Drop => Some(InterruptionKind::Drop),
        Disruptive::Redirect(location) => Some(InterruptionKind::Redirect {
            status: actions
                .status
                .filter(|status| (300..400).contains(status))
                .unwrap_or(FOUND),
            location: as_header_value(&location.to_bytes(&context.view())),
        }),
    }
}

/// Percent-encodes what must not stand in a header: a macro may have put a decoded line feed there.
fn as_header_value(location: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(location.len());
    for &byte in location {
        if byte.is_ascii_control() || byte == b' ' {
            value.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            value.push(byte);
        }
    }
    value
}
