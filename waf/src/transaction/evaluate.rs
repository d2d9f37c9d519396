//! A phase's program: its rules in file order, with what skips and ends it.

use std::sync::Arc;

use crate::plan::RuleSet;
use crate::rule::{AllowScope, EngineMode, Phase, Rule, Step, Target};
use crate::variables::{Variable, View};

use super::{Facts, State, chain};

/// A transaction while one of its phases runs.
pub(crate) struct Context<'t> {
    pub(crate) rules: &'t RuleSet,
    pub(crate) facts: &'t Facts,
    pub(crate) state: &'t mut State,
    /// The rule that runs.
    pub(crate) rule: Option<&'t Rule>,
}

impl Context<'_> {
    /// The transaction as it is at this moment.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            rules: self.rules,
            facts: self.facts,
            state: self.state,
            rule: self.rule,
        }
    }

    /// The targets that `ctl` took from a rule; they are gone from every link of a chain.
    pub(super) fn removed_targets(&self, rule: &Rule) -> Vec<Arc<Target>> {
        let removed = self.state.control.removed_targets.iter();
        removed
            .filter(|(rules, target)| asks(rule, target.variable) && rules.selects(rule))
            .map(|(_, target)| Arc::clone(target))
            .collect()
    }

    fn is_removed(&self, rule: &Rule) -> bool {
        self.state
            .control
            .removed_rules
            .iter()
            .any(|rules| rules.selects(rule))
    }

    /// Whether the next rule of the phase runs.
    fn goes_on(&self, phase: Phase) -> bool {
        if self.state.control.engine == EngineMode::Off {
            return false;
        }
        let allowed = self.state.allowed.is_some_and(|scope| scope.reaches(phase));
        phase == Phase::Logging || (self.state.interruption.is_none() && !allowed)
    }
}

/// Runs the rules of one phase.
pub(super) fn run(phase: Phase, context: &mut Context<'_>) {
    let rules = context.rules;
    let steps = rules.steps(phase);
    context.state.candidates.begin_phase(rules.index());
    let (mut next, mut skip) = (0, 0);
    while let Some(step) = steps.get(next) {
        next += 1;
        let Step::Rule(rule) = step else { continue };
        if !context.goes_on(phase) {
            break;
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if context.is_removed(rule) || !chain::matches(rule, rules.asks(phase, next - 1), context) {
            continue;
        }
        let actions = &rule.head().actions;
        skip = actions.skip.unwrap_or(0);
        if actions.skip_after.is_some() {
            // A marker that stands nowhere ahead ends the phase, as in ModSecurity.
            next = rules.jump(phase, next - 1);
        }
    }
    context.state.hits.clear();
    context.rule = None;
    if context.state.allowed == Some(AllowScope::Phase) {
        context.state.allowed = None;
    }
}

/// Whether some link of the rule looks at the variable.
fn asks(rule: &Rule, variable: Variable) -> bool {
    let questions = rule.links.iter().filter_map(|link| link.question.as_ref());
    let mut targets = questions.flat_map(|question| &question.targets);
    targets.any(|target| target.variable == variable)
}
