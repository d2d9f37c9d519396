//! A phase's program: its rules in file order, with what skips and ends it.

use std::ops::Range;
use std::sync::Arc;

use crate::plan::{Ask, Head, Index, RuleSet};
use crate::rule::{AllowScope, EngineMode, Phase, Rule, Step, Target};
use crate::variables::{Origin, Variable, View};

use super::candidates::Opening;
use super::{Evaluation, Facts, State, chain};

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
        let removed = &self.state.control.removed_targets;
        if removed.is_empty() {
            return Vec::new();
        }
        let removed = removed.iter();
        removed
            .filter(|(rules, target)| asks(rule, target.variable) && rules.selects(rule))
            .map(|(_, target)| Arc::clone(target))
            .collect()
    }

    /// What is quickly known of the first link of a rule.
    #[inline]
    fn told(&mut self, head: &Ask, index: &Index, limit: usize) -> Told {
        match head {
            Ask::Candidates(ask) => match self.state.candidates.any(ask, index, self.facts, limit) {
                true => Told::Nothing,
                false => Told::Fails,
            },
            Ask::Number(_) if self.is_taken_from(Variable::Tx) => Told::Nothing,
            Ask::Number(ask) => Told::of(self.state.tx.holds(ask, index)),
            Ask::Count(ask) if self.is_taken_from(index.selection(ask.selection).variable) => Told::Nothing,
            Ask::Count(ask) => {
                let candidates = &mut self.state.candidates;
                let matches = candidates.counts(ask, index, self.facts, limit);
                matches.map_or(Told::Nothing, Told::of)
            }
            Ask::Plain => Told::Nothing,
        }
    }

    /// Whether `ctl` took values of the variable from some rule: there they are as good as absent, which may be
    /// what the rule asks for.
    fn is_taken_from(&self, variable: Variable) -> bool {
        let mut removed = self.state.control.removed_targets.iter();
        removed.any(|(_, target)| target.variable == variable)
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

/// What is known of a link before it asks.
enum Told {
    /// It does not match.
    Fails,
    /// It matches, once.
    Matches,
    Nothing,
}

impl Told {
    fn of(matches: bool) -> Self {
        match matches {
            true => Self::Matches,
            false => Self::Fails,
        }
    }
}

/// Runs the rules of one phase. `changed` is the earliest of the facts that have come since the phase before.
pub(super) fn run(phase: Phase, changed: Origin, context: &mut Context<'_>) {
    let rules = context.rules;
    context.state.candidates.begin_phase(changed, rules.index());
    let mut walk = Walk {
        phase,
        heads: rules.heads(phase),
        steps: rules.steps(phase),
        indexed: context.state.evaluation == Evaluation::Indexed,
        next: 0,
    };
    for (number, opening) in rules.openings(phase).iter().enumerate() {
        walk.until(opening.start, context);
        walk.open(number, opening, context);
    }
    walk.until(walk.heads.len(), context);
    context.state.hits.clear();
    context.rule = None;
    if context.state.allowed == Some(AllowScope::Phase) {
        context.state.allowed = None;
    }
}

/// The rules of a phase on their way.
struct Walk<'t> {
    phase: Phase,
    heads: &'t [Head],
    steps: &'t [Step],
    indexed: bool,
    /// Which of the heads is next.
    next: usize,
}

impl<'t> Walk<'t> {
    /// Runs the rules before the head `end`, as long as the phase goes on.
    fn until(&mut self, end: usize, context: &mut Context<'t>) {
        let rules = context.rules;
        let (index, limit) = (rules.index(), rules.limits().buffered_bytes);
        let heads = &self.heads[..end];
        let mut goes_on = context.goes_on(self.phase);
        while goes_on && let Some(head) = heads.get(self.next) {
            self.next += 1;
            let told = match self.indexed {
                true => context.told(&head.ask, index, limit),
                false => Told::Nothing,
            };
            if matches!(told, Told::Fails) {
                continue;
            }
            let Some(Step::Rule(rule)) = self.steps.get(head.step) else {
                continue;
            };
            let matched = if context.is_removed(rule) {
                false
            } else if head.quiet && matches!(told, Told::Matches) {
                chain::act(rule, context);
                true
            } else {
                chain::matches(rule, rules.asks(self.phase, head.step), context)
            };
            // Links act at once, also those of a chain that fails later.
            goes_on = context.goes_on(self.phase);
            if !matched {
                continue;
            }
            let actions = &rule.head().actions;
            if actions.skip_after.is_some() {
                // A marker that stands nowhere ahead ends the phase, as in ModSecurity.
                self.next = head.jump;
            }
            self.next = self.next.saturating_add(actions.skip.unwrap_or(0));
        }
    }

    /// Runs the rules of an opening. Where nothing but the openings before it has written to `TX` they come to what they
    /// came to the last time.
    fn open(&mut self, number: usize, heads: &Range<usize>, context: &mut Context<'t>) {
        let control = &context.state.control;
        let whole = control.removed_rules.is_empty() && control.removed_targets.is_empty();
        let begins = self.next == heads.start && context.goes_on(self.phase);
        if !(self.indexed && whole && begins && context.state.tx.is_opened(number)) {
            return;
        }
        if let Some(opening) = context.state.candidates.opening(number) {
            context.state.tx.become_like(&opening.tx, &opening.differences);
            self.next = opening.next;
            return;
        }
        let before = context.state.tx.copied();
        self.until(heads.end, context);
        context.state.tx.note_opened(number + 1);
        context.state.candidates.keep_opening(Opening {
            tx: context.state.tx.copied(),
            differences: context.state.tx.differences(&before),
            next: self.next,
        });
    }
}

/// Whether some link of the rule looks at the variable.
fn asks(rule: &Rule, variable: Variable) -> bool {
    let questions = rule.links.iter().filter_map(|link| link.question.as_ref());
    let mut targets = questions.flat_map(|question| &question.targets);
    targets.any(|target| target.variable == variable)
}
