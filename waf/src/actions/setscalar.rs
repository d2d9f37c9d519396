//! `setsid`, `setuid`, `setrsc`: name the session, the user or the resource of a request, and open its
//! persistent collection.
//!
//! Argument: the name; may hold macros. Example: `setsid:%{REQUEST_COOKIES.PHPSESSID}`.
//! Source: ModSecurity Reference Manual, "setsid", "setuid", "setrsc".

use crate::macros::Macro;
use crate::transaction::Context;
use crate::variables::Variable;

use super::initcol::bind;

pub(super) fn run(variable: Variable, value: &Macro, context: &mut Context<'_>) {
    let value = value.to_bytes(&context.view());
    let collection = match variable {
        Variable::SessionId => Variable::Session,
        Variable::UserId => Variable::User,
        other => other,
    };
    bind(collection, value.clone(), context);
    context.state.set_scalar(variable, value);
}
