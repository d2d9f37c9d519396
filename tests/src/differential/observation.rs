//! What an engine made of a request.

use std::collections::{BTreeMap, BTreeSet};

/// How a request was stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stop {
    /// The answer's status; 0 if the request passes.
    pub status: u32,
    /// The rule that stopped it; 0 if unknown.
    pub rule: u64,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Observation {
    /// The rules that were logged, at the highest paranoia level.
    pub logged: BTreeSet<u64>,
    /// What the probes wrote down; absent where an engine has no such value.
    pub views: BTreeMap<String, Vec<u8>>,
    /// The verdict, at the lowest paranoia level.
    pub stop: Stop,
    /// The engine died.
    pub crashed: bool,
}
