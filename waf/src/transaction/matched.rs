//! The record of what matched.

use std::fmt;

use crate::rule::{Location, Phase, RuleId, Severity};
use crate::text::readable;
use crate::variables::Variable;

/// A rule that matched and asked to be logged: one entry for each matching value, one for a whole chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedRule {
    /// The rule's `id`.
    pub id: RuleId,
    /// When it ran.
    pub phase: Phase,
    /// Where it stands.
    pub location: Location,
    /// `msg`, expanded.
    pub msg: String,
    /// `logdata`, expanded.
    pub logdata: String,
    /// `severity`.
    pub severity: Option<Severity>,
    /// `tag`s, expanded.
    pub tags: Vec<String>,
    /// `rev`.
    pub rev: Option<String>,
    /// `ver`.
    pub ver: Option<String>,
    /// The rule's action stops a request, or would if the engine were On.
    pub disruptive: bool,
    /// `log`.
    pub log: bool,
    /// `auditlog`.
    pub audit_log: bool,
    /// What matched, over all links of a chain; at most [`MatchedRule::VARIABLES_KEPT`].
    pub variables: Vec<MatchedVariable>,
}

impl MatchedRule {
    /// A chain over `MATCHED_VARS` can match thousands of values; a reader needs the first ones.
    pub const VARIABLES_KEPT: usize = 32;
}

/// A value that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedVariable {
    /// The link of the chain whose operator matched; 0 for the head.
    pub link: usize,
    /// The variable.
    pub variable: Variable,
    /// Which member of a collection.
    pub key: Option<Vec<u8>>,
    /// The value as the operator saw it, cut at `Limits::logged_value_bytes`.
    pub value: Vec<u8>,
}

impl fmt::Display for MatchedVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}:{}", self.variable, readable(key)),
            None => write!(f, "{}", self.variable),
        }
    }
}

/// The matches of a transaction, in order, up to a limit.
#[derive(Debug)]
pub(crate) struct MatchLog {
    records: Vec<MatchedRule>,
    limit: usize,
    /// How many more there were.
    pub(crate) dropped: usize,
}

impl MatchLog {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            records: Vec::new(),
            limit,
            dropped: 0,
        }
    }

    pub(crate) fn records(&self) -> &[MatchedRule] {
        &self.records
    }

    /// Whether one more match is kept. What stops a request always is.
    pub(crate) fn takes(&mut self, disruptive: bool) -> bool {
        let room = disruptive || self.records.len() < self.limit;
        self.dropped += usize::from(!room);
        room
    }

    pub(crate) fn push(&mut self, record: MatchedRule) {
        self.records.push(record);
    }
}
