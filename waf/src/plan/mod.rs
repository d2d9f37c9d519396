//! The compiled, immutable, shared rule set.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::limits::Limits;
use crate::persistent::PersistentCollections;
use crate::rule::{Phase, Rule, RuleId, Settings, Step};
use crate::seclang::{Compiled, Entry, Remark};

mod builder;
mod cache;
mod index;
mod indexing;
mod scanners;

pub use builder::RuleSetBuilder;
pub use cache::OperatorCache;
pub(crate) use index::{
    Ask, ByOrigin, CandidateAsk, CountAsk, GroupId, Index, ListId, NodeId, NumberAsk, SelectionId, Union,
    UnionId,
};
use indexing::IndexBuilder;
pub(crate) use scanners::Kind;
use scanners::Needs;

/// Rules ready to run, shared by all transactions.
#[derive(Debug, Clone)]
pub struct RuleSet {
    inner: Arc<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    /// What each phase runs, in the order of the text.
    programs: [Program; 5],
    rules: Vec<Arc<Rule>>,
    by_id: HashMap<RuleId, Arc<Rule>>,
    settings: Settings,
    limits: Limits,
    remarks: Vec<Remark>,
    persistent: PersistentCollections,
    index: Index,
    /// Held by nobody else: whoever keeps something for the rule set sees by it that it is gone.
    life: Arc<()>,
}

/// A rule's place in the program of its phase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// How its first link asks.
    pub(crate) ask: Ask,
    /// [`Rule::is_quiet`].
    pub(crate) quiet: bool,
    /// Its step.
    pub(crate) step: usize,
    /// Which of the heads `skipAfter` goes on with.
    pub(crate) jump: usize,
}

/// Openings of a phase: what each comes to is kept by each thread. The CRS has nine.
const OPENINGS: usize = 32;

/// One phase.
#[derive(Debug, Default)]
struct Program {
    steps: Vec<Step>,
    /// The steps that are rules.
    heads: Vec<Head>,
    /// How the links of each step ask.
    asks: Vec<Box<[Ask]>>,
    /// Where `skipAfter` of each step lands.
    jumps: Vec<usize>,
    /// Where `skipAfter` may land: the places of a name, ascending.
    landings: HashMap<String, Vec<usize>>,
    /// Heads side by side that only make members of `TX` out of others.
    openings: Vec<Range<usize>>,
}

impl RuleSet {
    /// Begins a rule set.
    pub fn builder() -> RuleSetBuilder {
        RuleSetBuilder::default()
    }

    /// The rules, in the order of the text.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.inner.rules.iter()
    }

    /// The rule with this id.
    pub fn rule(&self, id: RuleId) -> Option<&Arc<Rule>> {
        self.inner.by_id.get(&id)
    }

    /// The directives that are no rules.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The bounds of a transaction.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What in the text has no effect, and why.
    pub fn remarks(&self) -> &[Remark] {
        &self.inner.remarks
    }

    /// What a phase runs, in the order of the text. Markers stand in every phase.
    pub fn steps(&self, phase: Phase) -> &[Step] {
        &self.inner.programs[phase.index()].steps
    }

    /// The rules of a phase, as far as most requests need them.
    pub(crate) fn heads(&self, phase: Phase) -> &[Head] {
        &self.inner.programs[phase.index()].heads
    }

    /// Heads side by side whose rules look at nothing but `TX`, and do nothing but write to it: what they come to where
    /// a request begins depends on nothing else.
    pub(crate) fn openings(&self, phase: Phase) -> &[Range<usize>] {
        &self.inner.programs[phase.index()].openings
    }

    /// How the links of a step ask.
    pub(crate) fn asks(&self, phase: Phase, step: usize) -> &[Ask] {
        &self.inner.programs[phase.index()].asks[step]
    }

    /// What links share.
    pub(crate) fn index(&self) -> &Index {
        &self.inner.index
    }

    /// What is gone once the rule set is.
    pub(crate) fn life(&self) -> &Arc<()> {
        &self.inner.life
    }

    /// Where `skipAfter` of a step goes on: behind the next marker of that name (or the next rule with that
    /// id); at the end of the phase if there is none.
    #[cfg(test)]
    pub(crate) fn jump(&self, phase: Phase, step: usize) -> usize {
        self.inner.programs[phase.index()].jumps[step]
    }

    pub(crate) fn persistent(&self) -> &PersistentCollections {
        &self.inner.persistent
    }

    /// Whether `SecAuditLogRelevantStatus` names the status.
    pub(crate) fn is_relevant(&self, status: u16) -> bool {
        let relevant = self.inner.settings.audit_relevant_status.as_ref();
        relevant.is_some_and(|relevant| relevant.contains(status))
    }
}

impl Plan {
    fn new(
        compiled: Compiled,
        limits: Limits,
        persistent: PersistentCollections,
        operators: &OperatorCache,
    ) -> Self {
        let mut plan = Self {
            settings: compiled.settings,
            remarks: compiled.remarks,
            limits,
            persistent,
            ..Self::default()
        };
        let rules = compiled.entries.iter().filter_map(|entry| match entry {
            Entry::Rule(rule) => Some(rule),
            Entry::Marker(_) => None,
        });
        let mut index = IndexBuilder::new(operators.scanners(Needs::of(rules)));
        for entry in compiled.entries {
            plan.add(entry, &mut index, operators);
        }
        for program in &mut plan.programs {
            program.steps.shrink_to_fit();
            program.find_jumps();
        }
        // Phase 1 begins with `TX` empty, the others with what came before.
        plan.programs[Phase::RequestHeaders.index()].find_openings();
        plan.index = index.finish();
        plan.remark_on_missing_markers();
        plan
    }

    fn add(&mut self, entry: Entry, index: &mut IndexBuilder, shared: &OperatorCache) {
        match entry {
            Entry::Marker(name) => {
                for program in &mut self.programs {
                    program.steps.push(Step::Marker(name.clone()));
                    program.asks.push(Box::default());
                    program.land(name.clone());
                }
            }
            Entry::Rule(rule) => {
                let rule = shared.rule(rule);
                let program = &mut self.programs[rule.phase.index()];
                let asks = index.add(&rule);
                program.heads.push(Head {
                    ask: asks.first().copied().unwrap_or(Ask::Plain),
                    quiet: rule.is_quiet(),
                    step: program.steps.len(),
                    jump: usize::MAX,
                });
                program.asks.push(asks);
                program.steps.push(Step::Rule(Arc::clone(&rule)));
                program.land(rule.id.to_string());
                self.by_id.insert(rule.id, Arc::clone(&rule));
                self.rules.push(rule);
            }
        }
    }

    fn remark_on_missing_markers(&mut self) {
        for program in &self.programs {
            for (place, step) in program.steps.iter().enumerate() {
                let Step::Rule(rule) = step else { continue };
                let Some(marker) = &rule.head().actions.skip_after else {
                    continue;
                };
                if program.landing(marker, place + 1).is_none() {
                    self.remarks.push(Remark::NoSuchMarker {
                        location: rule.head().location.clone(),
                        rule: rule.id,
                        marker: marker.clone(),
                    });
                }
            }
        }
    }
}

impl Program {
    /// Names the place behind the step that was pushed last.
    fn land(&mut self, name: String) {
        self.landings.entry(name).or_default().push(self.steps.len());
    }

    fn find_jumps(&mut self) {
        let marker = |step: &Step| match step {
            Step::Rule(rule) => rule.head().actions.skip_after.clone(),
            Step::Marker(_) => None,
        };
        let steps = self.steps.iter().enumerate();
        let jumps = steps.map(|(place, step)| {
            let landing = marker(step).and_then(|marker| self.landing(&marker, place + 1));
            landing.unwrap_or(self.steps.len())
        });
        self.jumps = jumps.collect();
        for place in 0..self.heads.len() {
            let landing = self.jumps[self.heads[place].step];
            self.heads[place].jump = self.heads.partition_point(|head| head.step < landing);
        }
    }

    fn find_openings(&mut self) {
        let opens = |head: &Head| match self.steps.get(head.step) {
            Some(Step::Rule(rule)) => {
                rule.is_quiet()
                    && rule.writes_to_tx_alone()
                    && (rule.head().question.is_none() || matches!(head.ask, Ask::Number(_)))
            }
            _ => false,
        };
        let mut from = 0;
        for heads in self.heads.chunk_by(|one, next| opens(one) == opens(next)) {
            if heads.first().is_some_and(opens) && self.openings.len() < OPENINGS {
                self.openings.push(from..from + heads.len());
            }
            from += heads.len();
        }
    }

    fn landing(&self, name: &str, from: usize) -> Option<usize> {
        let places = self.landings.get(name)?;
        places
            .get(places.partition_point(|place| *place <= from))
            .copied()
    }
}
