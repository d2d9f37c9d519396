//! `setenv`: sets a value that rules read as `ENV:name`. The process environment is neither read nor
//! changed: what a rule can name must not depend on how the edge was started.
//!
//! Argument: `name=value`; the value may hold macros. Example: `setenv:'suspicious=%{RULE.id}'`.
//! Source: ModSecurity Reference Manual, "setenv".

use crate::macros::Macro;
use crate::transaction::Context;

pub(super) fn run(name: &str, value: &Macro, context: &mut Context<'_>) {
    let value = value.to_bytes(&context.view());
    context
        .state
        .env
        .set(name.as_bytes(), value.into(), context.rules.limits().tx_entries);
}
