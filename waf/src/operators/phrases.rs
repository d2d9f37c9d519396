//! Many phrases looked for at once, without regard to ASCII case.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use super::argument::refuse;
use super::{Captures, OperatorError};
use crate::prefilter::Requirement;

/// The automaton behind `@pm` and `@pmFromFile`.
#[derive(Debug)]
pub(super) struct Phrases {
    automaton: AhoCorasick,
    requirement: Arc<Requirement>,
}

impl Phrases {
    pub(super) fn new(name: &'static str, phrases: &[Vec<u8>]) -> Result<Self, OperatorError> {
        if phrases.is_empty() {
            return Err(refuse(name, "no phrase to look for"));
        }
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(phrases)
            .map(|automaton| Self {
                automaton,
                requirement: Arc::new(Requirement::any_text(phrases)),
            })
            .map_err(|error| refuse(name, error))
    }

    /// One of the phrases.
    pub(super) fn requirement(&self) -> Arc<Requirement> {
        Arc::clone(&self.requirement)
    }

    /// Slot 0 is the first phrase found, as the input has it; the next ones follow, as in Coraza.
    pub(super) fn matches(&self, input: &[u8], captures: Option<&mut Captures>) -> bool {
        let Some(captures) = captures else {
            return self.automaton.is_match(input);
        };
        let mut found = 0;
        for phrase in self.automaton.find_iter(input).take(10) {
            captures.set(found, &input[phrase.range()]);
            found += 1;
        }
        found > 0
    }
}
