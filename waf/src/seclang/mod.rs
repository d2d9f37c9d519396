//! SecLang: text -> syntax tree -> typed rules. Every error carries the file, the line and what was
//! expected; all errors of a rule set are reported at once.
//!
//! What is understood is what ModSecurity v3 and Coraza document, as far as it has a meaning in an
//! embedded engine. Three answers exist for a directive, an action or an operator, and none of them is
//! a silent skip:
//!
//! - it works;
//! - it has no meaning here and leaving it out weakens nothing (`SecDebugLog`): it is accepted and the
//!   rule set keeps a [`Remark`] that says so;
//! - it is unknown, or leaving it out would weaken the protection (`SecRuleScript`): a load error.
//!
//! # Where the engines differ
//!
//! - Text must be UTF-8, but for comments: there any byte may stand. Other bytes in patterns are
//!   written `\xHH`.
//! - A line that ends in `\` goes on in the next; both are trimmed, comment lines between them are left
//!   out, an empty line ends the directive.
//! - Inside `"..."` the only escape is `\"`, inside `'...'` it is `\'`: patterns need no second layer of
//!   backslashes (Coraza, ModSecurity v3).
//! - `SecDefaultAction` holds for the rules behind it and may be given again (ModSecurity v2); without
//!   one a phase has `log,auditlog,pass`.
//! - `SecRuleRemove*` and `SecRuleUpdate*` act on the rules in front of them. One that meets no rule
//!   leaves a remark.
//! - Tags and messages are compared as whole texts (ModSecurity v3, Coraza); between slashes they are
//!   a pattern: `SecRuleRemoveByTag "/^attack-/"`.
//! - `!ARGS:x` acts on the targets `ARGS` of its rule, wherever in the list it stands, and on no other
//!   variable: `ARGS_GET` goes on to see `x`. From `SecRuleUpdateTarget*` it reaches the links of a chain
//!   too, while a target that is added goes to the head alone.
//! - `skipAfter` to a name that no marker (and no rule) has skips to the end of the phase.

mod actions;
pub mod ast;
mod compile;
mod error;
mod lexer;
mod operator;
mod parser;
mod remark;
mod targets;
#[cfg(test)]
mod tests;

pub(crate) use compile::{Compiled, Compiler, Entry, Unsupported};
pub use error::{LoadError, LoadErrors, Problem};
pub use remark::Remark;
