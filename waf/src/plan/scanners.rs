//! The scanners of a rule set, shared with the rule sets that ask nothing else.
//!
//! Routes differ in exclusions and thresholds, not in what they ask. A scanner that looks for what a rule set does
//! not ask costs it next to nothing; scanners of its own would cost it a megabyte.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::operators::Operator;
use crate::prefilter::{Finder, FinderBuilder, Scanner, ScannerBuilder, Sought};
use crate::rule::{Link, Question, Rule};
use crate::transformations::Transformation;
use crate::variables::{Variable, changes_while_rules_run};

/// What values are of. Rules for responses look for other things in other places: requests are not to pay for
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The request.
    Request,
    /// The response.
    Response,
}

/// What is asked of a value, whatever it is a value of: the answer depends on the value alone. A bit stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    /// Its address; it is held as long as this is.
    operator: usize,
    transformations: Vec<Transformation>,
    negated: bool,
    multi_match: bool,
}

/// What rules ask.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// In the order of the rules, each once.
    asked: Vec<(Asked, Arc<Operator>)>,
    /// What is asked of variables that are [whole](Variable::is_whole).
    of_whole: HashSet<Asked>,
}

/// Scanners for values as they are and for what transformations made of them.
#[derive(Debug, Default)]
pub(crate) struct Scanners {
    slots: HashMap<Asked, usize>,
    of_whole: HashSet<Asked>,
    distinct: Vec<Scanner>,
    /// Which of them: by kind, then for parts and for whole variables, then by the transformation that changed a value
    /// last, none before all others.
    places: [[Vec<usize>; 2]; 2],
    /// Where matches may start, and, by kind and bit, what it tells of those of an operator.
    starts: Finder,
    sought: [Vec<Option<Sought>>; 2],
    /// Held, so that their addresses stay theirs.
    _operators: Vec<Arc<Operator>>,
}

impl Asked {
    /// What a link asks, if values need not be asked one by one.
    pub(super) fn of(link: &Link) -> Option<Self> {
        let question = link.question.as_ref()?;
        Some(Self {
            kind: kind_of(question)?,
            operator: Arc::as_ptr(&question.operator).addr(),
            transformations: question.transformations.clone(),
            negated: question.negated,
            multi_match: link.actions.multi_match,
        })
    }

    /// Whether values that this transformation has changed last are asked this. Without one: values as they are,
    /// which is what transformations make of most of them.
    fn is_behind(&self, change: Option<Transformation>) -> bool {
        change.is_none_or(|change| without_case(&self.transformations).contains(&change))
    }
}

impl Needs {
    pub(super) fn of<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let (mut needs, mut known) = (Self::default(), HashSet::new());
        for link in rules.into_iter().flat_map(|rule| &rule.links) {
            let (Some(asked), Some(question)) = (Asked::of(link), &link.question) else {
                continue;
            };
            if question.targets.iter().any(|target| target.variable.is_whole()) {
                needs.of_whole.insert(asked.clone());
            }
            if known.insert(asked.clone()) {
                needs.asked.push((asked, Arc::clone(&question.operator)));
            }
        }
        needs
    }
}

impl Scanners {
    pub(super) fn new(needs: Needs) -> Self {
        let mut scanners = Self {
            of_whole: needs.of_whole,
            ..Self::default()
        };
        for kind in [Kind::Request, Kind::Response] {
            let asked = needs.asked.iter().filter(|(asked, _)| asked.kind == kind);
            scanners.build(kind, asked);
        }
        scanners.look_for_starts(&needs.asked);
        let operators = needs.asked.into_iter().map(|(_, operator)| operator);
        scanners._operators = operators.collect();
        scanners
    }

    /// Whether they tell all that is asked for.
    pub(super) fn cover(&self, needs: &Needs) -> bool {
        needs.asked.iter().all(|(asked, _)| self.slot(asked).is_some())
            && needs.of_whole.is_subset(&self.of_whole)
    }

    /// The bit of what is asked.
    pub(super) fn slot(&self, asked: &Asked) -> Option<usize> {
        self.slots.get(asked).copied()
    }

    /// The scanner for values that this transformation has changed last; of whole variables, or of others.
    pub(crate) fn scanner(&self, kind: Kind, whole: bool, change: Option<Transformation>) -> &Scanner {
        &self.distinct[self.places[kind as usize][usize::from(whole)][place_of(change)]]
    }

    /// Where matches may start.
    pub(crate) fn starts(&self) -> &Finder {
        &self.starts
    }

    /// What that tells of an operator, if its matches are looked for.
    #[inline]
    pub(crate) fn sought(&self, kind: Kind, slot: usize) -> Option<Sought> {
        self.sought[kind as usize].get(slot).copied().flatten()
    }

    fn look_for_starts(&mut self, asked: &[(Asked, Arc<Operator>)]) {
        let mut builder = FinderBuilder::default();
        for (_, operator) in asked {
            if let (Some(starts), Some(requirement)) = (operator.starts(), operator.requirement()) {
                builder.add(starts, requirement.commonness());
            }
        }
        let (finder, known) = builder.build();
        self.starts = finder;
        for (asked, operator) in asked {
            let sought = &mut self.sought[asked.kind as usize];
            // In the order of the slots.
            sought.push(operator.starts().and_then(|starts| known.get(starts)).copied());
        }
    }

    fn build<'a>(&mut self, kind: Kind, needs: impl Iterator<Item = &'a (Asked, Arc<Operator>)>) {
        let (mut builder, mut slots) = (ScannerBuilder::default(), Vec::new());
        for (asked, operator) in needs {
            // What does not match may hold anything.
            let requirement = operator.requirement().filter(|_| !asked.negated);
            let slot = builder.add(requirement.unwrap_or_default());
            self.slots.insert(asked.clone(), slot);
            slots.push(asked);
        }
        let mut known: HashMap<BTreeSet<usize>, usize> = HashMap::new();
        for whole in [false, true] {
            let changes = Transformation::ALL.iter().copied().map(Some);
            for change in [None].into_iter().chain(changes) {
                let members = slots.iter().enumerate().filter(|(_, asked)| {
                    asked.is_behind(change) && (!whole || self.of_whole.contains(**asked))
                });
                let members = members.map(|(slot, _)| slot).collect();
                let distinct = &mut self.distinct;
                let place = known.entry(members).or_insert_with_key(|members| {
                    distinct.push(builder.build(members));
                    distinct.len() - 1
                });
                self.places[kind as usize][usize::from(whole)].push(*place);
            }
        }
    }
}

/// Which kind of scanner is to answer; `None` if values have to be asked one by one.
fn kind_of(question: &Question) -> Option<Kind> {
    let mut targets = question.targets.iter();
    let indexed = question.operator.requirement().is_some()
        && targets.all(|target| !target.count && !changes_while_rules_run(target.variable))
        // Answers that are remembered are worth it also where a scan tells nothing.
        && (!question.negated || question.targets.iter().any(|target| target.variable.may_last()));
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
