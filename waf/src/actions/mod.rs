//! What matched rules do to a transaction. One action per file, with the SecLang name as the file's name.
//!
//! These are the actions that run at once for each matching value, also in a chain whose later links then
//! fail, as in ModSecurity v2 and Coraza. What ends a transaction, and what a rule logs, is decided once
//! the whole chain has matched: see [`crate::transaction`].

use crate::rule::SideEffect;
use crate::transaction::Context;

pub(crate) mod ctl;
mod expirevar;
mod initcol;
mod setenv;
mod setscalar;
mod setvar;

/// Runs one action.
pub(crate) fn run(effect: &SideEffect, context: &mut Context<'_>) {
    match effect {
        SideEffect::SetVar(set) => setvar::run(set, context),
        SideEffect::SetEnv(name, value) => setenv::run(name, value, context),
        SideEffect::Ctl(change) => ctl::run(change, context),
        SideEffect::InitCol(collection, key) => initcol::run(*collection, key, context),
        SideEffect::ExpireVar(collection, key, seconds) => expirevar::run(*collection, key, seconds, context),
        SideEffect::SetScalar(variable, value) => setscalar::run(*variable, value, context),
    }
}

/// A number as C's `atoi` reads it: blanks, a sign, digits; 0 if there are none.
fn atoi(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0_i64, |value, &digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::atoi;

    #[test]
    fn numbers_parse_like_c() {
        for (text, number) in [("5", 5), (" +7x", 7), ("-3.9", -3), ("x", 0), ("", 0), ("- 1", 0)] {
            assert_eq!(atoi(text.as_bytes()), number, "{text}");
        }
        assert_eq!(atoi(b"99999999999999999999"), i64::MAX);
    }
}
