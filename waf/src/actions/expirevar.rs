//! `expirevar`: lets a member of a persistent collection disappear after some seconds. Members of `TX`
//! end with the transaction anyway.
//!
//! Argument: `collection.name=seconds`. Example: `expirevar:'ip.blocked=600'`.
//! Source: ModSecurity Reference Manual, "expirevar".

use crate::macros::Macro;
use crate::persistent::Terms;
use crate::transaction::Context;
use crate::variables::Variable;

use super::atoi;

pub(super) fn run(collection: Variable, key: &Macro, seconds: &Macro, context: &mut Context<'_>) {
    let (name, seconds) = (
        key.to_bytes(&context.view()),
        atoi(&seconds.to_bytes(&context.view())),
    );
    if let Some(binding) = context.state.binding(collection) {
        let now = Terms::of(context.rules, context.facts).now;
        let at = now.saturating_add(u64::try_from(seconds).unwrap_or(0));
        context.rules.persistent().expire(binding, &name, at);
    }
}
