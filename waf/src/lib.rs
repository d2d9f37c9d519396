//! Palisade's rule engine: SecLang in, verdicts out.
//!
//! Pure and synchronous. It reads no clock, opens no socket and no file: rule text arrives through a
//! [`RuleSource`], the time and the randomness of a request through [`RequestOrigin`].
//!
//! The door is small: a [`RuleSet`] is compiled once and shared; a [`Transaction`] is one request's way
//! through its five phases; each phase answers with a [`Verdict`]; [`audit::AuditRecord`] says why.

pub mod actions;
pub mod audit;
pub mod body;
mod hash;
#[cfg(test)]
mod hostile_bytes;
pub mod libinjection;
pub mod limits;
pub mod macros;
mod nearest;
pub mod operators;
pub mod persistent;
pub mod plan;
pub mod prefilter;
pub mod rule;
pub mod seclang;
pub mod source;
mod text;
pub mod transaction;
pub mod transformations;
pub mod variables;

pub use limits::Limits;
pub use persistent::PersistentCollections;
pub use plan::{OperatorCache, RuleSet, RuleSetBuilder};
pub use seclang::{LoadError, LoadErrors, Remark};
pub use source::{MemorySource, RuleSource, SourceError};
pub use transaction::{
    Completeness, Evaluation, Interruption, InterruptionKind, MatchedRule, MatchedVariable, RequestOrigin,
    Transaction, Verdict,
};
