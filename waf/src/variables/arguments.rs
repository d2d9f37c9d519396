//! `ARGS` and its kin: the query's arguments, then the body's.

use std::ops::ControlFlow;

use crate::transaction::{Facts, Pair};

use super::Variable;
use super::view::{Visit, number, pairs};

pub(super) fn visit(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let get = facts.request.arguments.iter();
    let post = facts.body.arguments.iter();
    match variable {
        Variable::Args => pairs(get.chain(post).map(named), visit),
        Variable::ArgsGet => pairs(get.map(named), visit),
        Variable::ArgsPost => pairs(post.map(named), visit),
        Variable::ArgsNames => pairs(get.chain(post).map(name_only), visit),
        Variable::ArgsGetNames => pairs(get.map(name_only), visit),
        Variable::ArgsPostNames => pairs(post.map(name_only), visit),
        Variable::ArgsCombinedSize => number(
            get.chain(post)
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>(),
            visit,
        ),
        _ => None,
    }
}

pub(super) fn named((name, value): &Pair) -> (&[u8], &[u8]) {
    (name, value)
}

/// A name is its own key, so that `ARGS_NAMES:x` and `!ARGS_NAMES:x` mean something.
pub(super) fn name_only((name, _): &Pair) -> (&[u8], &[u8]) {
    (name, name)
}
