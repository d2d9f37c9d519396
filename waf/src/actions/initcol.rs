//! `initcol`: opens a record of a persistent collection for this transaction.
//!
//! Argument: `collection=key`; the key may hold macros. Example: `initcol:ip=%{REMOTE_ADDR}`.
//! Source: ModSecurity Reference Manual, "initcol".

use crate::macros::Macro;
use crate::persistent::{Binding, Terms};
use crate::transaction::Context;
use crate::variables::Variable;

pub(super) fn run(collection: Variable, key: &Macro, context: &mut Context<'_>) {
    let key = key.to_bytes(&context.view());
    bind(collection, key, context);
}

/// Opens the record. Applications with different `SecWebAppId` do not see each other's records.
pub(super) fn bind(collection: Variable, key: Vec<u8>, context: &mut Context<'_>) {
    let app = context.facts.web_app_id.as_deref().unwrap_or_default();
    let key = [app.as_bytes(), &key].join(&0);
    let binding = Binding { collection, key };
    context
        .rules
        .persistent()
        .open(&binding, Terms::of(context.rules, context.facts));
    context.state.bind(binding);
}
