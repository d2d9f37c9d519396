//! How rules look at a transaction: every variable's values, without copies.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::macros::Lookup;
use crate::plan::RuleSet;
use crate::rule::{Rule, Selector, Target};
use crate::transaction::{Facts, State};

use super::{Variable, arguments, body, collections, connection, request, response, time};

/// Takes one value with its key; says whether to go on.
pub(crate) type Visit<'v> = dyn FnMut(Option<&[u8]>, &[u8]) -> ControlFlow<()> + 'v;

/// A transaction as it is at this moment.
#[derive(Clone, Copy)]
pub(crate) struct View<'t> {
    pub(crate) rules: &'t RuleSet,
    pub(crate) facts: &'t Facts,
    pub(crate) state: &'t State,
    /// The rule that runs.
    pub(crate) rule: Option<&'t Rule>,
}

impl View<'_> {
    /// Shows the values of a whole variable, in their order.
    pub(crate) fn visit(&self, variable: Variable, visit: &mut Visit<'_>) -> ControlFlow<()> {
        if collections::changes_while_rules_run(variable) {
            return collections::visit(self, variable, visit);
        }
        visit_fact(self.facts, variable, visit)
    }

    /// Shows the values a target means. `removed` are targets that this rule is not to see.
    pub(crate) fn visit_target(
        &self,
        target: &Target,
        removed: &[Arc<Target>],
        visit: &mut Visit<'_>,
    ) -> ControlFlow<()> {
        if let (Variable::Tx, Selector::Key(name)) = (target.variable, &target.selector) {
            return match self.state.tx.named_value(name) {
                Some((key, value)) if admits(target, removed, Some(key)) => visit(Some(key), value),
                _ => ControlFlow::Continue(()),
            };
        }
        if target.variable == Variable::Tx {
            let mut members = self
                .state
                .tx
                .iter()
                .filter(|(key, _)| admits(target, removed, Some(key)));
            return members.try_for_each(|(key, value)| visit(Some(key), value));
        }
        if !collections::changes_while_rules_run(target.variable) {
            return visit_fact_target(self.facts, target, removed, visit);
        }
        self.visit(
            target.variable,
            &mut |key, value| match admits(target, removed, key) {
                true => visit(key, value),
                false => ControlFlow::Continue(()),
            },
        )
    }

    /// How many values a target means: `&VAR`, 0 for an absent variable.
    pub(crate) fn count(&self, target: &Target, removed: &[Arc<Target>]) -> usize {
        let mut count = 0;
        let _ = self.visit_target(target, removed, &mut |_, _| {
            count += 1;
            ControlFlow::Continue(())
        });
        count
    }
}

/// Shows the values of a variable that does not change while rules run.
pub(crate) fn visit_fact(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> ControlFlow<()> {
    if variable.is_unrepeatable() {
        facts.note_unrepeatable();
    }
    for family in [
        arguments::visit,
        request::visit,
        body::visit,
        connection::visit,
        response::visit,
        time::visit,
    ] {
        match family(facts, variable, visit) {
            Some(flow) => return flow,
            None => continue,
        }
    }
    ControlFlow::Continue(())
}

/// Shows the values of such a variable that a target means.
pub(crate) fn visit_fact_target(
    facts: &Facts,
    target: &Target,
    removed: &[Arc<Target>],
    visit: &mut Visit<'_>,
) -> ControlFlow<()> {
    if let (Variable::RequestHeaders, Selector::Key(name)) = (target.variable, &target.selector) {
        return visit_header(facts, name, target, removed, visit);
    }
    visit_fact(
        facts,
        target.variable,
        &mut |key, value| match admits(target, removed, key) {
            true => visit(key, value),
            false => ControlFlow::Continue(()),
        },
    )
}

/// The same for the headers of one name, which every second rule about headers means.
fn visit_header(
    facts: &Facts,
    name: &[u8],
    target: &Target,
    removed: &[Arc<Target>],
    visit: &mut Visit<'_>,
) -> ControlFlow<()> {
    for (key, value) in &facts.request.headers {
        let is_meant = key.len() == name.len() && key.eq_ignore_ascii_case(name);
        if is_meant && admits(target, removed, Some(key)) {
            visit(Some(key), value)?;
        }
    }
    ControlFlow::Continue(())
}

/// Whether a target means the member of that name.
#[inline]
pub(crate) fn admits(target: &Target, removed: &[Arc<Target>], key: Option<&[u8]>) -> bool {
    selects(&target.selector, key)
        && !target.exclusions.iter().any(|exclusion| selects(exclusion, key))
        && !is_removed(target, removed, key)
}

/// Whether the member of that name was taken from a target.
pub(crate) fn is_removed(target: &Target, removed: &[Arc<Target>], key: Option<&[u8]>) -> bool {
    removed
        .iter()
        .any(|gone| gone.variable == target.variable && selects(&gone.selector, key))
}

#[inline]
fn selects(selector: &Selector, key: Option<&[u8]>) -> bool {
    match (selector, key) {
        (Selector::All, _) => true,
        (_, None) => false,
        (Selector::Key(name), Some(key)) => name.len() == key.len() && name.eq_ignore_ascii_case(key),
        (Selector::Pattern(pattern), Some(key)) => pattern.is_match(key),
        (Selector::XPath(path), Some(key)) => path.as_bytes() == key,
    }
}

impl Lookup for View<'_> {
    fn tx(&self, name: &[u8]) -> Option<&[u8]> {
        self.state.tx.named_value(name).map(|(_, value)| value)
    }

    fn append(&self, variable: Variable, key: Option<&[u8]>, out: &mut Vec<u8>) {
        if let (Variable::Tx, Some(name)) = (variable, key) {
            out.extend_from_slice(
                self.state
                    .tx
                    .named_value(name)
                    .map_or(&[][..], |(_, value)| value),
            );
            return;
        }
        let _ = self.visit(variable, &mut |name, value| {
            let asked = key.is_none_or(|key| name.is_some_and(|name| name.eq_ignore_ascii_case(key)));
            if !asked {
                return ControlFlow::Continue(());
            }
            out.extend_from_slice(value);
            ControlFlow::Break(())
        });
    }
}

/// Shows one value that has no key.
pub(super) fn one(value: &[u8], visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    Some(visit(None, value))
}

/// Shows a number.
pub(super) fn number(value: impl itoa::Integer, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    one(itoa::Buffer::new().format(value).as_bytes(), visit)
}

/// Shows `0` or `1`.
pub(super) fn flag(value: bool, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    one(if value { b"1" } else { b"0" }, visit)
}

/// Shows a value if there is one.
pub(super) fn maybe(value: Option<&[u8]>, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    Some(value.map_or(ControlFlow::Continue(()), |value| visit(None, value)))
}

/// Shows keys with values.
pub(super) fn pairs<'a>(
    pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    visit: &mut Visit<'_>,
) -> Option<ControlFlow<()>> {
    Some(
        pairs
            .into_iter()
            .try_for_each(|(key, value)| visit(Some(key), value)),
    )
}
