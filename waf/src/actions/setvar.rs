//! `setvar`: sets, counts up or down, or removes a member of `TX` or of a persistent collection.
//!
//! Argument: `collection.name=value`, `collection.name=+number`, `=-number`, `!collection.name`; name and
//! value may hold macros. A number counts from 0 if the member is absent. A persistent collection that
//! `initcol` has not opened takes nothing.
//! Example: `setvar:'tx.anomaly_score=+%{tx.critical_anomaly_score}'`.
//! Source: ModSecurity Reference Manual, "setvar".

use crate::persistent::Terms;
use crate::rule::{Change, SetVar};
use crate::text::ShortBytes;
use crate::transaction::Context;
use crate::variables::Variable;

use super::atoi;

pub(super) fn run(set: &SetVar, context: &mut Context<'_>) {
    // Memory that the next one uses again.
    let mut scratch = std::mem::take(&mut context.state.scratch);
    let operand = operand(&set.change, context, &mut scratch);
    scratch.clear();
    let name = match set.key.as_literal() {
        Some(name) => name,
        None => {
            set.key.expand(&context.view(), &mut scratch);
            &scratch
        }
    };
    apply(set, name, operand, context);
    context.state.scratch = scratch;
}

fn apply(set: &SetVar, name: &[u8], operand: ShortBytes, context: &mut Context<'_>) {
    let change = |old: Option<&[u8]>| match set.change {
        Change::Assign(_) => Some(operand),
        Change::Add(_) => Some(sum(old, atoi(&operand))),
        Change::Subtract(_) => Some(sum(old, atoi(&operand).saturating_neg())),
        Change::Unset => None,
    };
    match set.collection {
        Variable::Tx => change_tx(name, context, change),
        collection => {
            if let Some(binding) = context.state.binding(collection) {
                let terms = Terms::of(context.rules, context.facts);
                let change = |old: Option<&[u8]>| change(old).map(ShortBytes::into_vec);
                context.rules.persistent().update(binding, name, terms, change);
            }
        }
    }
}

/// The value with its macros expanded. This comes first: a change of a persistent value holds a lock that
/// a macro may need.
fn operand(change: &Change, context: &Context<'_>, scratch: &mut Vec<u8>) -> ShortBytes {
    let (Change::Assign(value) | Change::Add(value) | Change::Subtract(value)) = change else {
        return ShortBytes::new();
    };
    if let Some(literal) = value.as_literal() {
        return ShortBytes::from_slice(literal);
    }
    scratch.clear();
    value.expand(&context.view(), scratch);
    ShortBytes::from_slice(scratch)
}

fn change_tx(
    name: &[u8],
    context: &mut Context<'_>,
    change: impl FnOnce(Option<&[u8]>) -> Option<ShortBytes>,
) {
    let limit = context.rules.limits().tx_entries;
    context.state.tx.update(name, limit, change);
}

fn sum(old: Option<&[u8]>, number: i64) -> ShortBytes {
    let sum = old.map_or(0, atoi).saturating_add(number);
    ShortBytes::from_slice(itoa::Buffer::new().format(sum).as_bytes())
}
