//! One rule: its links, one after another, each asking its question of each value.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::actions;
use crate::operators::Captures;
use crate::plan::{Ask, CandidateAsk};
use crate::prefilter::Places;
use crate::rule::{Link, Question, Rule, Selector, Target};
use crate::text::ShortBytes;
use crate::transformations::Transformation;
use crate::variables::{Variable, admits, changes_while_rules_run, is_removed, visit_fact_target};

use super::distinct::BufferId;
use super::values::Value;
use super::{Context, Evaluation, Hit, conclude};

/// Runs a rule. It matches if each of its links matches at least one value; the actions of a link run at
/// once for each of them.
pub(super) fn matches<'t>(rule: &'t Rule, asks: &[Ask], context: &mut Context<'t>) -> bool {
    context.state.hits.clear();
    context.rule = Some(rule);
    let removed = context.removed_targets(rule);
    let all = rule
        .links
        .iter()
        .enumerate()
        .all(|(position, link)| match &link.question {
            None => {
                matched(rule, link, None, context);
                true
            }
            Some(question) => Asking {
                rule,
                position,
                link,
                question,
                removed: &removed,
            }
            .ask(asks.get(position).copied().unwrap_or(Ask::Plain), context),
        });
    if all {
        conclude::matched(rule, context);
    }
    all
}

/// Lets a rule act that has matched, as its link needs not be asked to know. Only for rules that are
/// [quiet](crate::rule::Rule::is_quiet): of what made it match there is no trace.
pub(super) fn act<'t>(rule: &'t Rule, context: &mut Context<'t>) {
    context.rule = Some(rule);
    for effect in &rule.head().actions.effects {
        actions::run(effect, context);
    }
}

/// A link's question on its way through the values.
struct Asking<'a> {
    rule: &'a Rule,
    position: usize,
    link: &'a Link,
    question: &'a Question,
    removed: &'a [Arc<Target>],
}

impl Asking<'_> {
    fn ask(&self, ask: Ask, context: &mut Context<'_>) -> bool {
        match ask {
            Ask::Plain => self.ask_all(context),
            Ask::Number(_) | Ask::Count(_) => match context.state.evaluation {
                Evaluation::Checked => self.ask_and_check(ask, context),
                _ => self.ask_all(context),
            },
            Ask::Candidates(ask) => match context.state.evaluation {
                Evaluation::Plain => self.ask_all(context),
                Evaluation::Indexed => self.ask_candidates(&ask, context),
                Evaluation::Checked => {
                    self.check_candidates(&ask, context);
                    self.ask_all(context)
                }
            },
        }
    }

    /// Asks for a number, and holds the answer against the one that the index gives.
    fn ask_and_check(&self, ask: Ask, context: &mut Context<'_>) -> bool {
        let (index, facts) = (context.rules.index(), context.facts);
        let told = match ask {
            Ask::Number(ask) => Some(context.state.tx.holds(&ask, index)),
            Ask::Count(ask) => context.state.candidates.counts(&ask, index, facts, usize::MAX),
            Ask::Plain | Ask::Candidates(_) => None,
        };
        let matches = self.ask_all(context);
        if self.removed.is_empty() && told.is_some_and(|told| told != matches) {
            let text = format!("rule {}: a comparison with a number", self.rule.id);
            context.state.divergences.push(text);
        }
        matches
    }

    /// Asks each target; every value is asked, also after a match.
    fn ask_all(&self, context: &mut Context<'_>) -> bool {
        let mut any = false;
        for target in &self.question.targets {
            any |= self.ask_target(target, context);
        }
        any
    }

    /// Asks the values that may match.
    fn ask_candidates(&self, ask: &CandidateAsk, context: &mut Context<'_>) -> bool {
        let CandidateAsk { group, slot, .. } = *ask;
        let (index, facts) = (context.rules.index(), context.facts);
        let limit = context.rules.limits().buffered_bytes;
        if context.state.candidates.held() > limit {
            return self.ask_all(context);
        }
        if !context.state.candidates.any(ask, index, facts, limit) {
            return false;
        }
        let shape = index.group(group);
        let mut any = false;
        for (target, selection) in self.question.targets.iter().zip(index.list(shape.list)) {
            let meant = context.state.candidates.meant(ask, *selection, index, facts);
            let mut next = meant.iter().map(|place| *place as usize).peekable();
            let mut place = 0;
            let _ = visit_fact_target(facts, target, &[], &mut |key, value| {
                let Some(first) = next.peek() else {
                    return ControlFlow::Break(());
                };
                place += 1;
                if place <= *first {
                    return ControlFlow::Continue(());
                }
                next.next();
                if is_removed(target, self.removed, key) {
                    return ControlFlow::Continue(());
                }
                let known = context.state.candidates.value(*selection, place - 1);
                let matches = match known.filter(|_| !shape.multi_match) {
                    None => self.ask_value(target.variable, key, value, context),
                    Some(known) => self.ask_known(target.variable, key, ask, known, context),
                };
                if let Some(known) = known.filter(|_| !matches) {
                    context.state.candidates.deny(known, slot);
                }
                any |= matches;
                ControlFlow::Continue(())
            });
            context.state.candidates.give_back(meant);
        }
        any
    }

    /// Asks a value that was transformed before.
    fn ask_known(
        &self,
        variable: Variable,
        key: Option<&[u8]>,
        ask: &CandidateAsk,
        value: Value,
        context: &mut Context<'_>,
    ) -> bool {
        let (candidates, index) = (&mut context.state.candidates, context.rules.index());
        let value = candidates.transformed(ask.group, value, index);
        candidates.find_places(ask, value, index);
        let candidates = &context.state.candidates;
        let (bytes, places) = (candidates.bytes(value), candidates.places(ask, value, index));
        let Some(captures) = self.answer(bytes, places, context) else {
            return false;
        };
        let value = ShortBytes::from_slice(bytes);
        self.record(variable, key, value, captures, context);
        true
    }

    /// Holds what the index says against the answers of the operator.
    fn check_candidates(&self, ask: &CandidateAsk, context: &mut Context<'_>) {
        let CandidateAsk { group, slot, .. } = *ask;
        let (index, facts) = (context.rules.index(), context.facts);
        let any = context.state.candidates.any(ask, index, facts, usize::MAX);
        let shape = index.group(group);
        for (target, selection) in self.question.targets.iter().zip(index.list(shape.list)) {
            let meant = context.state.candidates.meant(ask, *selection, index, facts);
            let mut place = 0;
            let _ = visit_fact_target(facts, target, &[], &mut |_, value| {
                let candidates = &mut context.state.candidates;
                let known = candidates.value(*selection, place);
                place += 1;
                let told = any && meant.contains(&(place as u32 - 1));
                let seen = known.map(|known| candidates.transformed(group, known, index));
                let same = seen.is_some_and(|seen| {
                    *candidates.bytes(seen) == *transformed(&self.question.transformations, value)
                });
                let matches = self.would_match(value, context);
                let same = same && self.matches_from_its_places(ask, seen, context) != Some(!matches);
                if !same || (!told && matches) {
                    let text = format!("rule {}: \"{}\"", self.rule.id, value.escape_ascii());
                    context.state.divergences.push(text);
                }
                if let Some(known) = known.filter(|_| !matches) {
                    context.state.candidates.deny(known, slot);
                }
                ControlFlow::Continue(())
            });
            context.state.candidates.give_back(meant);
        }
    }

    /// Whether a value makes the link match that is looked at from the places where matches may start.
    fn matches_from_its_places(
        &self,
        ask: &CandidateAsk,
        value: Option<BufferId>,
        context: &mut Context<'_>,
    ) -> Option<bool> {
        let (value, index) = (
            value.filter(|_| !self.link.actions.multi_match)?,
            context.rules.index(),
        );
        context.state.candidates.find_places(ask, value, index);
        let candidates = &context.state.candidates;
        let (bytes, places) = (candidates.bytes(value), candidates.places(ask, value, index)?);
        let operator = &self.question.operator;
        Some(operator.matches_from(bytes, places, &context.view(), None) != self.question.negated)
    }

    /// Whether the value makes the link match, or with `multiMatch` anything on the way.
    fn would_match(&self, value: &[u8], context: &Context<'_>) -> bool {
        let transformations = &self.question.transformations;
        let first = if self.link.actions.multi_match {
            0
        } else {
            transformations.len()
        };
        (first..=transformations.len()).any(|count| {
            let value = transformed(&transformations[..count], value);
            self.question.operator.matches(&value, &context.view(), None) != self.question.negated
        })
    }

    fn ask_target(&self, target: &Target, context: &mut Context<'_>) -> bool {
        let variable = target.variable;
        let mut any = false;
        if target.count {
            let count = context.view().count(target, self.removed);
            any = self.ask_value(
                variable,
                None,
                itoa::Buffer::new().format(count).as_bytes(),
                context,
            );
        } else if let (Variable::Tx, Selector::Key(name), false) =
            (variable, &target.selector, self.link.actions.multi_match)
        {
            any = self.ask_tx(target, name, context);
        } else if changes_while_rules_run(variable) {
            for (key, value) in snapshot(target, self.removed, context) {
                any |= self.ask_value(variable, key.as_deref(), &value, context);
            }
        } else {
            let facts = context.facts;
            let _ = visit_fact_target(facts, target, self.removed, &mut |key, value| {
                any |= self.ask_value(variable, key, value, context);
                ControlFlow::Continue(())
            });
        }
        any
    }

    /// Asks a member of `TX`, which most of the rules do that steer others.
    fn ask_tx(&self, target: &Target, name: &[u8], context: &mut Context<'_>) -> bool {
        let Some((key, value)) = context.state.tx.named_value(name) else {
            return false;
        };
        if !admits(target, self.removed, Some(key)) {
            return false;
        }
        let value = transformed(&self.question.transformations, value);
        let Some(captures) = self.answer(&value, None, context) else {
            return false;
        };
        let (key, value) = (ShortBytes::from_slice(key), ShortBytes::from_slice(&value));
        self.record(Variable::Tx, Some(&key), value, captures, context);
        true
    }

    /// What the operator captures of a value, if the value makes the link match. With places: all those where the
    /// operator's matches may start.
    fn answer(
        &self,
        value: &[u8],
        places: Option<Places<'_>>,
        context: &Context<'_>,
    ) -> Option<Option<Captures>> {
        let Question {
            operator, negated, ..
        } = self.question;
        let mut captures = (self.link.actions.capture && !negated).then(Captures::new);
        let (view, asked) = (context.view(), captures.as_mut());
        let matches = match places {
            Some(places) => operator.matches_from(value, places, &view, asked),
            None => operator.matches(value, &view, asked),
        };
        (matches != *negated).then_some(captures)
    }

    /// Asks one value: transformed, or with `multiMatch` first as it is and then after each transformation
    /// that changes it.
    fn ask_value(
        &self,
        variable: Variable,
        key: Option<&[u8]>,
        value: &[u8],
        context: &mut Context<'_>,
    ) -> bool {
        let transformations = &self.question.transformations;
        if !self.link.actions.multi_match {
            return self.ask_operator(variable, key, &transformed(transformations, value), context);
        }
        let mut any = self.ask_operator(variable, key, value, context);
        let mut current = Cow::Borrowed(value);
        for transformation in transformations {
            let next = step(*transformation, current.clone());
            if next != current {
                any |= self.ask_operator(variable, key, &next, context);
            }
            current = next;
        }
        any
    }

    fn ask_operator(
        &self,
        variable: Variable,
        key: Option<&[u8]>,
        value: &[u8],
        context: &mut Context<'_>,
    ) -> bool {
        let Some(captures) = self.answer(value, None, context) else {
            return false;
        };
        self.record(variable, key, ShortBytes::from_slice(value), captures, context);
        true
    }

    fn record(
        &self,
        variable: Variable,
        key: Option<&[u8]>,
        value: ShortBytes,
        captures: Option<Captures>,
        context: &mut Context<'_>,
    ) {
        if let Some(captures) = captures {
            context.state.tx.capture(captures);
        }
        let hit = Hit {
            link: self.position,
            variable,
            key: key.map(ShortBytes::from_slice),
            value,
        };
        matched(self.rule, self.link, Some(hit), context);
    }
}

/// What a link does for one matching value, or once where it asks nothing.
fn matched(rule: &Rule, link: &Link, hit: Option<Hit>, context: &mut Context<'_>) {
    context.state.hits.extend(hit);
    for effect in &link.actions.effects {
        actions::run(effect, context);
    }
    if rule.links.len() == 1 {
        conclude::log_value(rule, context);
    }
}

/// The values of a variable that the rule's own actions may change, as they are now.
fn snapshot(
    target: &Target,
    removed: &[Arc<Target>],
    context: &Context<'_>,
) -> Vec<(Option<ShortBytes>, ShortBytes)> {
    let mut values = Vec::new();
    let _ = context.view().visit_target(target, removed, &mut |key, value| {
        values.push((key.map(ShortBytes::from_slice), ShortBytes::from_slice(value)));
        ControlFlow::Continue(())
    });
    values
}

fn transformed<'v>(transformations: &[Transformation], value: &'v [u8]) -> Cow<'v, [u8]> {
    transformations
        .iter()
        .fold(Cow::Borrowed(value), |value, transformation| {
            step(*transformation, value)
        })
}

/// One transformation; a value that it leaves alone is not copied.
fn step(transformation: Transformation, value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match value {
        Cow::Borrowed(bytes) => transformation.apply(bytes),
        Cow::Owned(bytes) => {
            let changed = match transformation.apply(&bytes) {
                Cow::Owned(changed) => Some(changed),
                Cow::Borrowed(same) if same.len() == bytes.len() => None,
                Cow::Borrowed(part) => Some(part.to_vec()),
            };
            Cow::Owned(changed.unwrap_or(bytes))
        }
    }
}
