//! Actions that write: `setvar`, `setenv`, `initcol`, `expirevar`, `setsid`, `setuid`, `setrsc`.

use super::super::error::Problem;
use super::value::Value;
use crate::macros::Macro;
use crate::rule::{Change, SetVar, SideEffect};
use crate::variables::Variable;

/// Collections that outlive a transaction.
const PERSISTENT: [Variable; 5] = [
    Variable::Global,
    Variable::Ip,
    Variable::Resource,
    Variable::Session,
    Variable::User,
];

/// `collection.name=value`, `=+value`, `=-value`, `!collection.name`; without a value it is 1.
pub(super) fn setvar(value: Value<'_>) -> Result<SideEffect, Problem> {
    const EXPECTED: &str = "tx.name=value (or ip, global, session, user, resource)";
    let text = value.some(EXPECTED)?;
    let (unset, text) = match text.strip_prefix('!') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (name, change) = match split_outside_macros(text, '=') {
        Some(_) if unset => return Err(value.wrong("!tx.name without a value")),
        Some((name, assigned)) => (name, change(assigned)?),
        None if unset => (text, Change::Unset),
        None => (text, Change::Assign(Macro::parse("1")?)),
    };
    let (collection, key) = member(name, true).ok_or_else(|| value.wrong(EXPECTED))?;
    Ok(SideEffect::SetVar(SetVar {
        collection,
        key: Macro::parse(key)?,
        change,
    }))
}

/// `name=value`.
pub(super) fn setenv(value: Value<'_>) -> Result<SideEffect, Problem> {
    const EXPECTED: &str = "name=value";
    match value.some(EXPECTED)?.split_once('=') {
        Some((name, text)) if !name.trim_ascii().is_empty() => Ok(SideEffect::SetEnv(
            name.trim_ascii().to_owned(),
            Macro::parse(text)?,
        )),
        _ => Err(value.wrong(EXPECTED)),
    }
}

/// `collection=key`.
pub(super) fn initcol(value: Value<'_>) -> Result<SideEffect, Problem> {
    const EXPECTED: &str = "ip=key (or global, session, user, resource)";
    let (name, key) = value
        .some(EXPECTED)?
        .split_once('=')
        .ok_or_else(|| value.wrong(EXPECTED))?;
    let collection = collection(name, false).ok_or_else(|| value.wrong(EXPECTED))?;
    if key.is_empty() {
        return Err(value.wrong(EXPECTED));
    }
    Ok(SideEffect::InitCol(collection, Macro::parse(key)?))
}

/// `collection.name=seconds`.
pub(super) fn expirevar(value: Value<'_>) -> Result<SideEffect, Problem> {
    const EXPECTED: &str = "ip.name=seconds (or global, session, user, resource, tx)";
    let (name, seconds) =
        split_outside_macros(value.some(EXPECTED)?, '=').ok_or_else(|| value.wrong(EXPECTED))?;
    let (collection, key) = member(name, true).ok_or_else(|| value.wrong(EXPECTED))?;
    let seconds = Macro::parse(seconds)?;
    // Digits, or a macro that becomes some.
    let literal = seconds.as_literal();
    if literal.is_some_and(|text| text.is_empty() || !text.iter().all(u8::is_ascii_digit)) {
        return Err(value.wrong(EXPECTED));
    }
    Ok(SideEffect::ExpireVar(collection, Macro::parse(key)?, seconds))
}

/// `setsid`, `setuid` and `setrsc`: a text.
pub(super) fn set_scalar(value: Value<'_>) -> Result<SideEffect, Problem> {
    let variable = match value.action {
        "setsid" => Variable::SessionId,
        "setuid" => Variable::UserId,
        _ => Variable::Resource,
    };
    Ok(SideEffect::SetScalar(variable, value.expanded("a name")?))
}

fn change(text: &str) -> Result<Change, Problem> {
    Ok(match text.as_bytes() {
        [b'+', ..] => Change::Add(Macro::parse(&text[1..])?),
        [b'-', ..] => Change::Subtract(Macro::parse(&text[1..])?),
        _ => Change::Assign(Macro::parse(text)?),
    })
}

/// `collection.name`.
fn member(text: &str, transient: bool) -> Option<(Variable, &str)> {
    let (name, key) = text.split_once('.')?;
    let key = key.trim_ascii();
    (!key.is_empty()).then_some((collection(name, transient)?, key))
}

fn collection(name: &str, transient: bool) -> Option<Variable> {
    let variable = Variable::from_name(name.trim_ascii())?;
    let known = PERSISTENT.contains(&variable) || (transient && variable == Variable::Tx);
    known.then_some(variable)
}

/// Splits at the first `at` that no `%{...}` holds.
fn split_outside_macros(text: &str, at: char) -> Option<(&str, &str)> {
    let mut inside = false;
    for (offset, next) in text.char_indices() {
        match next {
            '{' if text.get(..offset).is_some_and(|before| before.ends_with('%')) => inside = true,
            '}' => inside = false,
            _ if next == at && !inside => {
                return Some((text.get(..offset)?, text.get(offset + at.len_utf8()..)?));
            }
            _ => {}
        }
    }
    None
}
