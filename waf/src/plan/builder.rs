//! Text and files in their order -> a rule set.

use std::sync::Arc;

use super::{OperatorCache, Plan, RuleSet};
use crate::limits::Limits;
use crate::operators::Build;
use crate::persistent::PersistentCollections;
use crate::seclang::{Compiler, LoadErrors, Unsupported};
use crate::source::RuleSource;

/// Gathers what a rule set is made of.
#[derive(Debug, Clone, Default)]
pub struct RuleSetBuilder {
    pieces: Vec<Piece>,
    operators: OperatorCache,
    limits: Limits,
    persistent: PersistentCollections,
    unsupported: Unsupported,
}

#[derive(Debug, Clone)]
enum Piece {
    File(String),
    Text { name: String, text: String },
}

impl RuleSetBuilder {
    /// Shares operators with the rule sets that are built with the same cache.
    #[must_use]
    pub fn operators(mut self, cache: &OperatorCache) -> Self {
        self.operators = cache.clone();
        self
    }

    /// Shares the persistent collections (`initcol`) with other rule sets: a reload forgets nothing.
    #[must_use]
    pub fn persistent(mut self, collections: &PersistentCollections) -> Self {
        self.persistent = collections.clone();
        self
    }

    /// The bounds of a transaction. Directives of the text count where both say something.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Leaves out rules whose operator is left out of this engine on purpose, or whose pattern only a
    /// backtracking engine can match, with a remark for each. Without it they are mistakes.
    ///
    /// For rule sets of others that are better than none: the CRS 3.3 of a distribution has seven such
    /// rules. Protection that was written and does not run must be somebody's decision.
    #[must_use]
    pub fn leave_out_unsupported(mut self) -> Self {
        self.unsupported = Unsupported::LeaveOut;
        self
    }

    /// A rule file of the source, wildcards allowed, behind what was given before.
    #[must_use]
    pub fn include(mut self, path: impl Into<String>) -> Self {
        self.pieces.push(Piece::File(path.into()));
        self
    }

    /// SecLang text, behind what was given before. `name` is its file name in messages; what it
    /// includes is looked for in the folder of `name`.
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.pieces.push(Piece::Text {
            name: name.into(),
            text: text.into(),
        });
        self
    }

    /// The rule set, or everything that is wrong with its text.
    pub fn build(self, source: &dyn RuleSource) -> Result<RuleSet, LoadErrors> {
        let make =
            |name: &str, argument: &str, build: &Build<'_>| self.operators.operator(name, argument, build);
        let mut compiler = Compiler::new(source, &make, self.unsupported);
        for piece in &self.pieces {
            match piece {
                Piece::File(path) => compiler.file(path),
                Piece::Text { name, text } => compiler.text(name, text.as_bytes()),
            }
        }
        let compiled = compiler.finish();
        self.operators.sweep();
        Ok(RuleSet {
            inner: Arc::new(Plan::new(
                compiled?,
                self.limits,
                self.persistent,
                &self.operators,
            )),
        })
    }
}
