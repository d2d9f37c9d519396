//! The parts of an exclusion. They become SecLang, so what they may hold is exactly what cannot end a
//! SecLang argument early: no quote, comma, semicolon, bar, backslash outside a pattern, or control byte.

use std::ops::RangeInclusive;

use palisade_waf::variables::{Kind, Variable};
use toml::de::DeValue;

use crate::config::decode::{Fault, Node};
use crate::config::errors::nearest;

/// What [`parse_target`] reads.
pub(in crate::config) const TARGET: &str =
    "a SecLang target such as \"ARGS:comment\" or \"REQUEST_COOKIES:/^id_/\"";
/// What [`parse_tag`] reads.
pub(in crate::config) const TAG: &str = "a rule tag such as \"attack-sqli\"";
/// What [`parse_method`] reads.
pub(in crate::config) const METHOD: &str = "a method such as \"POST\"";
/// What [`parse_reason`] reads.
pub(in crate::config) const REASON: &str = "a sentence for whoever reads this next";

const RULES: &str = "a rule id such as 942100, or a range such as \"942000-942999\"";
const RULE_IDS: RangeInclusive<u64> = 1..=999_999_999;

/// One rule id, or a range of them, as inclusive bounds.
pub(in crate::config) fn rule_range(node: Node<'_>) -> Option<(u64, u64)> {
    let DeValue::Integer(number) = node.value() else {
        if node.value().is_str() {
            return node.parse(RULES, parse_rule_range);
        }
        node.wrong_type(RULES, None);
        return None;
    };
    let id = u64::from_str_radix(number.as_str(), number.radix())
        .map_err(|_| not_an_id())
        .and_then(rule_id);
    id.map(|id| (id, id))
        .map_err(|fault| node.bad_value(RULES, fault))
        .ok()
}

/// `942100` or `942000-942999`.
fn parse_rule_range(text: &str) -> Result<(u64, u64), Fault> {
    let bound = |text: &str| text.trim().parse().map_err(|_| not_an_id()).and_then(rule_id);
    let Some((first, last)) = text.split_once('-') else {
        let id = bound(text)?;
        return Ok((id, id));
    };
    let (first, last) = (bound(first)?, bound(last)?);
    if first > last {
        return Err(Fault::new("the range runs backwards").suggesting(format!("{last}-{first}")));
    }
    Ok((first, last))
}

fn rule_id(id: u64) -> Result<u64, Fault> {
    if RULE_IDS.contains(&id) {
        Ok(id)
    } else {
        Err(not_an_id())
    }
}

fn not_an_id() -> Fault {
    Fault::new("not a rule id (1 to 999999999)")
}

/// A variable, and for a collection perhaps a name or a `/pattern/`. Returns the variable's own spelling.
pub(in crate::config) fn parse_target(text: &str) -> Result<String, Fault> {
    let (name, selector) = match text.split_once(':') {
        Some((name, selector)) => (name, Some(selector)),
        None => (text, None),
    };
    let variable = Variable::from_name(name).ok_or_else(|| unknown_variable(name, selector))?;
    let Some(selector) = selector else {
        return Ok(variable.name().to_owned());
    };
    if variable.kind() == Kind::Scalar {
        return Err(Fault::new("a single value has no members").suggesting(variable.name()));
    }
    check_selector(variable, selector)?;
    Ok(format!("{variable}:{selector}"))
}

fn unknown_variable(name: &str, selector: Option<&str>) -> Fault {
    if let Some(plain) = name.strip_prefix(['!', '&']) {
        let likely = selector.map_or_else(|| plain.to_owned(), |selector| format!("{plain}:{selector}"));
        return Fault::new("a target of an exclusion has neither `!` nor `&`").suggesting(likely);
    }
    if name.contains(['|', ',']) {
        return Fault::new("one target per string");
    }
    let names = Variable::ALL.iter().map(|variable| variable.name());
    let near = nearest(name, names);
    let likely =
        near.map(|near| selector.map_or_else(|| near.to_owned(), |selector| format!("{near}:{selector}")));
    Fault {
        reason: format!("`{name}` is not a SecLang variable"),
        suggestion: likely,
    }
}

fn check_selector(variable: Variable, selector: &str) -> Result<(), Fault> {
    let xpath = matches!(variable, Variable::Xml | Variable::ResponseXml);
    let pattern = match selector.strip_prefix('/') {
        Some(rest) if !xpath => match rest.strip_suffix('/') {
            Some(pattern) if !pattern.is_empty() => Some(pattern),
            _ => return Err(Fault::new("a pattern stands between two `/`")),
        },
        _ => None,
    };
    if selector.trim().is_empty() || selector.trim() != selector {
        return Err(Fault::new("a name that is empty, or has space around it"));
    }
    if selector.contains("%{") {
        return Err(Fault::new("a macro has no value here"));
    }
    let forbidden = |c: char| c.is_control() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '|');
    let stray = |c: char| forbidden(c) || (c == '\\' && pattern.is_none());
    match selector.chars().find(|c| stray(*c)) {
        Some(c) => Err(Fault::new(format!(
            "`{}` cannot be part of a name",
            c.escape_default()
        ))),
        None if pattern.is_some_and(|pattern| pattern.ends_with('\\')) => {
            Err(Fault::new("a pattern stands between two `/`"))
        }
        None => Ok(()),
    }
}

/// A tag, in the letters that rule sets use for tags.
pub(in crate::config) fn parse_tag(text: &str) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    if text.is_empty() || !text.bytes().all(fits) {
        return Err(Fault::new(
            "a tag holds letters, digits and `-`, `_`, `.`, `/`, `:`",
        ));
    }
    Ok(text.to_owned())
}

/// A method: they are case-sensitive (RFC 9110, section 9.1), and all that are in use are capitals.
pub(in crate::config) fn parse_method(text: &str) -> Result<String, Fault> {
    if text.is_empty()
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
    {
        return Err(Fault::new("not a method"));
    }
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(Fault::new("methods are capitals").suggesting(text.to_ascii_uppercase()));
    }
    Ok(text.to_owned())
}

/// Why the exclusion is there.
pub(in crate::config) fn parse_reason(text: &str) -> Result<String, Fault> {
    match text.trim() {
        "" => Err(Fault::new("an exclusion without a reason is never removed again")),
        reason => Ok(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_seclang_and_nothing_more() {
        for (text, expected) in [
            ("ARGS", Ok("ARGS")),
            ("args:comment", Ok("ARGS:comment")),
            ("ARGS:First Name", Ok("ARGS:First Name")),
            ("ARGS:json.items.0", Ok("ARGS:json.items.0")),
            ("ARGS:a[b]", Ok("ARGS:a[b]")),
            ("ARGS:a:b", Ok("ARGS:a:b")),
            ("REQUEST_COOKIES:/^id_\\d+$/", Ok("REQUEST_COOKIES:/^id_\\d+$/")),
            ("XML:/*", Ok("XML:/*")),
            ("XML://@*", Ok("XML://@*")),
            ("REQUEST_URI", Ok("REQUEST_URI")),
            ("REQUEST_URI:x", Err(Some("REQUEST_URI"))),
            ("AGRS:x", Err(Some("ARGS:x"))),
            ("!ARGS:x", Err(Some("ARGS:x"))),
            ("&ARGS", Err(Some("ARGS"))),
            ("ARGS|REQUEST_BODY", Err(None)),
            ("ARGS:", Err(None)),
            ("ARGS: x", Err(None)),
            ("ARGS:/", Err(None)),
            ("ARGS://", Err(None)),
            ("ARGS:/x", Err(None)),
            ("ARGS:/x\\/", Err(None)),
            ("ARGS:x\"", Err(None)),
            ("ARGS:x',deny", Err(None)),
            ("ARGS:x,id:1", Err(None)),
            ("ARGS:x;y", Err(None)),
            ("ARGS:x|y", Err(None)),
            ("ARGS:x\\", Err(None)),
            ("ARGS:x\ny", Err(None)),
            ("ARGS:x\u{85}y", Err(None)),
            ("ARGS:%{tx.x}", Err(None)),
            ("", Err(None)),
        ] {
            let expected = expected
                .map(str::to_owned)
                .map_err(|hint: Option<&str>| hint.map(str::to_owned));
            assert_eq!(
                parse_target(text).map_err(|fault| fault.suggestion),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn rule_ranges() {
        for (text, expected) in [
            ("942100", Ok((942_100, 942_100))),
            ("942000-942999", Ok((942_000, 942_999))),
            ("942000 - 942999", Ok((942_000, 942_999))),
            ("942999-942000", Err(Some("942000-942999"))),
            ("0", Err(None)),
            ("1000000000", Err(None)),
            ("942xxx", Err(None)),
            ("942100,942110", Err(None)),
            ("-1", Err(None)),
            ("", Err(None)),
        ] {
            let expected = expected.map_err(|hint: Option<&str>| hint.map(str::to_owned));
            assert_eq!(
                parse_rule_range(text).map_err(|fault| fault.suggestion),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn tags_methods_and_reasons() {
        assert!(parse_tag("OWASP_CRS/ATTACK-SQLI").is_ok());
        assert!(parse_tag("attack sqli\"").is_err());
        assert_eq!(parse_method("POST"), Ok("POST".to_owned()));
        assert_eq!(
            parse_method("post").map_err(|fault| fault.suggestion),
            Err(Some("POST".to_owned()))
        );
        assert!(parse_method("PO ST").is_err());
        assert!(parse_reason("  \n").is_err());
    }
}
