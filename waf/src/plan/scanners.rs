//! The scanners of a rule set, shared with the rule sets that ask nothing else.
//!
//! Routes differ in exclusions and thresholds, not in operators. A scanner that looks for an operator that a rule
//! set does not ask costs it next to nothing; scanners of its own would cost it a megabyte.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::operators::Operator;
use crate::prefilter::{Scanner, ScannerBuilder};
use crate::rule::{Question, Rule};
use crate::transformations::Transformation;
use crate::variables::{Variable, changes_while_rules_run};

/// What values are of. Rules for responses look for other things in other places: requests are not to pay for
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// The request.
    Request,
    /// The response.
    Response,
}

/// The operators of rules and what they are asked with.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// In the order of the rules.
    operators: Vec<(Kind, Arc<Operator>)>,
    /// Which operators are asked behind which transformations.
    behind: BTreeSet<Member>,
}

/// An operator, by its address, and a transformation that may have changed what it is asked with; none: the value
/// as it is.
type Member = (Kind, Option<Transformation>, usize);

/// Scanners for values as they are and for what transformations made of them.
#[derive(Debug, Default)]
pub(crate) struct Scanners {
    /// The bits of operators.
    slots: HashMap<(Kind, usize), usize>,
    behind: BTreeSet<Member>,
    distinct: Vec<Scanner>,
    /// Which of them: by kind, then by the transformation that changed a value last, none before all others.
    places: [Vec<usize>; 2],
    /// Held, so that their addresses stay theirs.
    _operators: Vec<(Kind, Arc<Operator>)>,
}

impl Needs {
    pub(super) fn of<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let mut needs = Self::default();
        let mut known = BTreeSet::new();
        let links = rules.into_iter().flat_map(|rule| &rule.links);
        for question in links.filter_map(|link| link.question.as_ref()) {
            let Some(kind) = kind_of(question) else { continue };
            let address = address(&question.operator);
            if known.insert((kind, address)) {
                needs.operators.push((kind, Arc::clone(&question.operator)));
            }
            let changes = without_case(&question.transformations).iter().copied().map(Some);
            let changes = changes.chain([None]);
            needs.behind.extend(changes.map(|change| (kind, change, address)));
        }
        needs
    }
}

impl Scanners {
    pub(super) fn new(needs: Needs) -> Self {
        let mut scanners = Self {
            behind: needs.behind,
            ..Self::default()
        };
        for kind in [Kind::Request, Kind::Response] {
            let operators = needs.operators.iter().filter(|(its_kind, _)| *its_kind == kind);
            scanners.build(kind, operators.map(|(_, operator)| operator));
        }
        scanners._operators = needs.operators;
        scanners
    }

    /// Whether they tell all that is asked for.
    pub(super) fn cover(&self, needs: &Needs) -> bool {
        needs.behind.is_subset(&self.behind)
    }

    /// The operator's bit.
    pub(super) fn slot(&self, kind: Kind, operator: &Arc<Operator>) -> Option<usize> {
        self.slots.get(&(kind, address(operator))).copied()
    }

    /// The scanner for values that this transformation has changed last.
    pub(crate) fn scanner(&self, kind: Kind, change: Option<Transformation>) -> &Scanner {
        &self.distinct[self.places[kind as usize][place_of(change)]]
    }

    fn build<'o>(&mut self, kind: Kind, operators: impl Iterator<Item = &'o Arc<Operator>>) {
        let mut builder = ScannerBuilder::default();
        for operator in operators {
            let slot = builder.add(operator.requirement().unwrap_or_default());
            self.slots.insert((kind, address(operator)), slot);
        }
        let mut known: HashMap<BTreeSet<usize>, usize> = HashMap::new();
        let changes = [None]
            .into_iter()
            .chain(Transformation::ALL.iter().copied().map(Some));
        for change in changes {
            let members = self.members(kind, change);
            let distinct = &mut self.distinct;
            let place = known.entry(members).or_insert_with_key(|members| {
                distinct.push(builder.build(members));
                distinct.len() - 1
            });
            self.places[kind as usize].push(*place);
        }
    }

    /// The bits of the operators that are asked behind a transformation.
    fn members(&self, kind: Kind, change: Option<Transformation>) -> BTreeSet<usize> {
        let members = self.behind.range((kind, change, 0)..=(kind, change, usize::MAX));
        let slots = members.filter_map(|(_, _, address)| self.slots.get(&(kind, *address)));
        slots.copied().collect()
    }
}

/// Which kind of scanner is to answer; `None` if values have to be asked one by one.
pub(super) fn kind_of(question: &Question) -> Option<Kind> {
    let mut targets = question.targets.iter();
    let indexed = !question.negated
        && targets.all(|target| !target.count && !changes_while_rules_run(target.variable))
        && question.operator.requirement().is_some();
    let mut kinds = question
        .targets
        .iter()
        .map(|target| kind_of_variable(target.variable));
    let first = kinds.next().unwrap_or(Kind::Request);
    (indexed && kinds.all(|kind| kind == first)).then_some(first)
}

/// Scanning does not tell capitals from small letters: what is lower case at its end is scanned as it was before.
pub(super) fn without_case(transformations: &[Transformation]) -> &[Transformation] {
    let end = transformations
        .iter()
        .rposition(|step| *step != Transformation::Lowercase);
    &transformations[..end.map_or(0, |end| end + 1)]
}

fn kind_of_variable(variable: Variable) -> Kind {
    match variable.name().starts_with("RESPONSE_") || variable == Variable::StatusLine {
        true => Kind::Response,
        false => Kind::Request,
    }
}

fn place_of(change: Option<Transformation>) -> usize {
    change.map_or(0, |change| 1 + change as usize)
}

fn address(operator: &Arc<Operator>) -> usize {
    Arc::as_ptr(operator).addr()
}
