//! What is worth knowing about a rule set that loads: things without effect.

use std::fmt;

use crate::operators::OperatorError;
use crate::rule::{Location, RuleId};

/// Something in the text that has no effect. No error, but worth a line in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// A directive that means nothing in an embedded engine.
    Ignored {
        /// Where it stands.
        location: Location,
        /// The directive or action.
        name: &'static str,
        /// Why it means nothing here.
        reason: &'static str,
    },
    /// A `SecRuleRemove*` or `SecRuleUpdate*` that met no rule in front of it.
    NoSuchRule {
        /// Where it stands.
        location: Location,
        /// The directive.
        directive: &'static str,
        /// What it asked for, as written.
        wanted: String,
    },
    /// A rule that needs an operator, or a pattern, that is not supported, in a rule set that was built
    /// with [`crate::RuleSetBuilder::leave_out_unsupported`].
    RuleLeftOut {
        /// Where the head stands.
        location: Location,
        /// The rule.
        rule: RuleId,
        /// What it needs.
        cause: OperatorError,
    },
    /// `skipAfter` names a marker that does not exist behind the rule in its phase: a match skips to
    /// the end of the phase.
    NoSuchMarker {
        /// Where the rule stands.
        location: Location,
        /// The rule.
        rule: RuleId,
        /// The marker.
        marker: String,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::Ignored {
                location,
                name,
                reason,
            } => write!(f, "{location}: {name} has no effect here: {reason}"),
            Remark::NoSuchRule {
                location,
                directive,
                wanted,
            } => write!(
                f,
                "{location}: {directive} {wanted}: no rule in front of it matches"
            ),
            Remark::RuleLeftOut {
                location,
                rule,
                cause,
            } => write!(f, "{location}: rule {rule} is left out: {cause}"),
            Remark::NoSuchMarker {
                location,
                rule,
                marker,
            } => write!(
                f,
                "{location}: rule {rule} skips after `{marker}`, which no marker behind it is called: \
                 a match skips to the end of the phase"
            ),
        }
    }
}
