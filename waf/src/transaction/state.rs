//! What changes while rules run.

use std::sync::Arc;

use crate::persistent::Binding;
use crate::rule::{
    AllowScope, AuditEngine, BodyProcessor, EngineMode, RuleSelector, Settings, Severity, Target,
};
use crate::text::ShortBytes;
use crate::variables::Variable;

use super::named::{Named, Tx};
use super::{Candidates, Evaluation, Interruption, MatchLog};

/// Everything that rules write to.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tx: Tx,
    pub(crate) env: Named,
    /// `SESSIONID` and the like.
    scalars: Vec<(Variable, Vec<u8>)>,
    bindings: Vec<Binding>,
    /// What matched in the rule that runs, over all links of its chain.
    pub(crate) hits: Vec<Hit>,
    pub(crate) highest_severity: Option<Severity>,
    pub(crate) control: Control,
    pub(crate) log: MatchLog,
    pub(crate) allowed: Option<AllowScope>,
    /// What stopped the transaction.
    pub(crate) interruption: Option<Interruption>,
    /// What would have stopped it, had the engine been On.
    pub(crate) detected: Option<Interruption>,
    /// Room for a text that is made while a rule runs.
    pub(crate) scratch: Vec<u8>,
    pub(super) evaluation: Evaluation,
    pub(super) candidates: Candidates,
    pub(super) divergences: Vec<String>,
}

/// One value that an operator matched, as the operator saw it.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// The link of the chain that asked; 0 for the head.
    pub(crate) link: usize,
    pub(crate) variable: Variable,
    pub(crate) key: Option<ShortBytes>,
    pub(crate) value: ShortBytes,
}

impl Hit {
    /// `ARGS:q`.
    pub(crate) fn name(&self) -> Vec<u8> {
        let mut name = self.variable.name().as_bytes().to_vec();
        if let Some(key) = &self.key {
            name.push(b':');
            name.extend_from_slice(key);
        }
        name
    }
}

/// The settings of this transaction: those of the rule set, changed by `ctl`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Control {
    pub(crate) engine: EngineMode,
    pub(crate) audit_engine: AuditEngine,
    pub(crate) request_body_access: bool,
    pub(crate) response_body_access: bool,
    pub(crate) request_body_limit: usize,
    pub(crate) response_body_limit: usize,
    pub(crate) force_request_body: bool,
    pub(crate) force_response_body: bool,
    pub(crate) processor: Option<BodyProcessor>,
    pub(crate) response_processor: Option<BodyProcessor>,
    pub(crate) removed_rules: Vec<RuleSelector>,
    pub(crate) removed_targets: Vec<(RuleSelector, Arc<Target>)>,
}

impl State {
    pub(crate) fn new(settings: &Settings, log: MatchLog, evaluation: Evaluation, tx: Tx) -> Self {
        Self {
            tx,
            env: Named::default(),
            scalars: Vec::new(),
            bindings: Vec::new(),
            hits: Vec::new(),
            highest_severity: None,
            control: Control::new(settings),
            log,
            allowed: None,
            interruption: None,
            detected: None,
            scratch: Vec::new(),
            evaluation,
            candidates: Candidates::default(),
            divergences: Vec::new(),
        }
    }

    pub(crate) fn scalar(&self, variable: Variable) -> Option<&[u8]> {
        let found = self.scalars.iter().find(|(name, _)| *name == variable);
        found.map(|(_, value)| value.as_slice())
    }

    pub(crate) fn set_scalar(&mut self, variable: Variable, value: Vec<u8>) {
        self.scalars.retain(|(name, _)| *name != variable);
        self.scalars.push((variable, value));
    }

    /// The record that a persistent collection stands for in this transaction.
    pub(crate) fn binding(&self, collection: Variable) -> Option<&Binding> {
        self.bindings
            .iter()
            .find(|binding| binding.collection == collection)
    }

    /// Whether rules have left nothing that anybody could find but members of `TX` and what `ctl` has set.
    pub(super) fn is_calm(&self) -> bool {
        let unheard = self.log.records().is_empty() && self.log.dropped == 0;
        let undecided = self.interruption.is_none() && self.detected.is_none() && self.allowed.is_none();
        let own = self.scalars.is_empty() && self.bindings.is_empty() && self.env.iter().next().is_none();
        unheard && undecided && own && self.divergences.is_empty()
    }

    pub(crate) fn bind(&mut self, binding: Binding) {
        self.bindings.retain(|old| old.collection != binding.collection);
        self.bindings.push(binding);
    }
}

impl Control {
    fn new(settings: &Settings) -> Self {
        Self {
            engine: settings.engine,
            audit_engine: settings.audit_engine,
            request_body_access: settings.request_body_access,
            response_body_access: settings.response_body_access,
            request_body_limit: settings.request_body_limit,
            response_body_limit: settings.response_body_limit,
            force_request_body: false,
            force_response_body: false,
            processor: None,
            response_processor: None,
            removed_rules: Vec::new(),
            removed_targets: Vec::new(),
        }
    }
}
