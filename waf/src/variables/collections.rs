//! What changes while rules run: `TX`, `ENV`, `MATCHED_*`, `RULE`, the persistent collections, and the
//! few scalars that actions set.

use std::ops::ControlFlow;

use crate::macros::{Lookup, Macro};
use crate::rule::Rule;
use crate::transaction::Hit;

use super::Variable;
use super::view::{View, Visit, flag, maybe, number, one, pairs};

/// Whether a rule's own actions can change the variable.
pub(crate) fn changes_while_rules_run(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Tx
            | Variable::Env
            | Variable::Rule
            | Variable::MatchedVar
            | Variable::MatchedVarName
            | Variable::MatchedVars
            | Variable::MatchedVarsNames
            | Variable::HighestSeverity
            | Variable::ReqbodyProcessor
            | Variable::ReqbodyError
            | Variable::ReqbodyErrorMsg
            | Variable::SessionId
            | Variable::UserId
    ) || is_persistent(variable)
}

/// Whether the variable is a collection that `initcol` opens.
pub(crate) fn is_persistent(variable: Variable) -> bool {
    use Variable::{Global, Ip, Resource, Session, User};
    matches!(variable, Global | Ip | Resource | Session | User)
}

pub(super) fn visit(view: &View<'_>, variable: Variable, visit: &mut Visit<'_>) -> ControlFlow<()> {
    let state = view.state;
    let hits = state.hits.iter();
    let shown = match variable {
        Variable::Tx => pairs(state.tx.iter(), visit),
        Variable::Env => pairs(state.env.iter(), visit),
        Variable::Rule => Some(rule(view, visit)),
        Variable::MatchedVar => maybe(state.hits.last().map(|hit| hit.value.as_slice()), visit),
        Variable::MatchedVarName => maybe(state.hits.last().map(Hit::name).as_deref(), visit),
        Variable::MatchedVars => Some(
            hits.map(|hit| (hit.name(), &*hit.value))
                .try_for_each(|(name, value)| visit(Some(&name), value)),
        ),
        Variable::MatchedVarsNames => {
            Some(hits.map(Hit::name).try_for_each(|name| visit(Some(&name), &name)))
        }
        Variable::HighestSeverity => number(state.highest_severity.map_or(255, |severity| severity.0), visit),
        Variable::ReqbodyProcessor => one(
            state
                .control
                .processor
                .map_or("", |processor| processor.name())
                .as_bytes(),
            visit,
        ),
        Variable::ReqbodyError => flag(body_error(view).is_some(), visit),
        Variable::ReqbodyErrorMsg => one(body_error(view).unwrap_or_default().as_bytes(), visit),
        Variable::SessionId | Variable::UserId => maybe(state.scalar(variable), visit),
        other => Some(persistent(view, other, visit)),
    };
    shown.unwrap_or(ControlFlow::Continue(()))
}

/// Why `REQBODY_ERROR` is set, if it is.
fn body_error<'t>(view: &View<'t>) -> Option<&'t str> {
    let overflow = view.state.tx.overflowed.then_some("too many TX variables");
    view.facts.body.error.as_deref().or(overflow)
}

/// `RULE`: the rule that runs. Its texts expand here, but a text that refers to itself stays empty.
fn rule(view: &View<'_>, visit: &mut Visit<'_>) -> ControlFlow<()> {
    let Some(rule) = view.rule else {
        return ControlFlow::Continue(());
    };
    let actions = &rule.head().actions;
    let expand = |text: &Option<Macro>| text.as_ref().map(|text| text.to_bytes(&WithoutRule(view, rule)));
    let members = [
        ("id", Some(rule.id.to_string().into_bytes())),
        ("rev", actions.rev.clone().map(String::into_bytes)),
        ("ver", actions.ver.clone().map(String::into_bytes)),
        (
            "severity",
            actions
                .severity
                .map(|severity| severity.0.to_string().into_bytes()),
        ),
        ("msg", expand(&actions.msg)),
        ("logdata", expand(&actions.logdata)),
    ];
    let members = members
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    members
        .into_iter()
        .try_for_each(|(name, value)| visit(Some(name.as_bytes()), value))
}

/// Ends the recursion of `msg:'%{RULE.msg}'`.
struct WithoutRule<'a>(&'a View<'a>, &'a Rule);

impl Lookup for WithoutRule<'_> {
    fn append(&self, variable: Variable, key: Option<&[u8]>, out: &mut Vec<u8>) {
        match (variable, key) {
            (Variable::Rule, Some(b"id")) => out.extend_from_slice(self.1.id.to_string().as_bytes()),
            (Variable::Rule, _) => {}
            _ => self.0.append(variable, key, out),
        }
    }
}

fn persistent(view: &View<'_>, variable: Variable, visit: &mut Visit<'_>) -> ControlFlow<()> {
    let Some(binding) = view.state.binding(variable) else {
        return ControlFlow::Continue(());
    };
    let now = view.facts.origin.unix_micros / 1_000_000;
    let values = view.rules.persistent().values(binding, now);
    values
        .iter()
        .try_for_each(|(name, value)| visit(Some(name), value))
}
