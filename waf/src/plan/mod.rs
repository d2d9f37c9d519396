//! The compiled, immutable, shared rule set.

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits::Limits;
use crate::persistent::PersistentCollections;
use crate::rule::{Phase, Rule, Settings, Step};

/// Rules ready to run, shared by all transactions.
#[derive(Debug, Clone)]
pub struct RuleSet {
    inner: Arc<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    steps: [Vec<Step>; 5],
    jumps: [HashMap<String, usize>; 5],
    rules: Vec<Arc<Rule>>,
    settings: Settings,
    limits: Limits,
    persistent: PersistentCollections,
}

impl RuleSet {
    /// The rules, in file order.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.inner.rules.iter()
    }

    /// The directives that are no rules.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The bounds of a transaction.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn steps(&self, phase: Phase) -> &[Step] {
        &self.inner.steps[phase.index()]
    }

    pub(crate) fn jump(&self, phase: Phase, marker: &str) -> Option<usize> {
        self.inner.jumps[phase.index()].get(marker).copied()
    }

    pub(crate) fn persistent(&self) -> &PersistentCollections {
        &self.inner.persistent
    }

    pub(crate) fn is_relevant(&self, _status: u16) -> bool {
        false
    }
}
