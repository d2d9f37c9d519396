//! `ARGS` and its kin: the query's arguments, then the body's.

use std::ops::ControlFlow;

use crate::transaction::{Facts, Pair};

use super::Variable;
use super::view::{Visit, number, pairs};

pub(super) fn visit(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let get = facts.request.arguments.iter();
    let post = facts.body.arguments.iter();
    let containers = facts
        .body
        .container_names
        .iter()
        .map(|name| (&name[..], &name[..]));
    match variable {
        Variable::Args => pairs(get.chain(post).map(named), visit),
        Variable::ArgsGet => pairs(get.map(named), visit),
        Variable::ArgsPost => pairs(post.map(named), visit),
        Variable::ArgsNames => pairs(get.chain(post).map(name_only).chain(containers), visit),
        Variable::ArgsGetNames => pairs(get.map(name_only), visit),
        Variable::ArgsPostNames => pairs(post.map(name_only).chain(containers), visit),
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::{Completeness, MemorySource, RequestOrigin, RuleSet};

    /// The ids of the rules that match a JSON body.
    fn matched(rules: &str, json: &'static str) -> Vec<u64> {
        let settings = "SecRuleEngine On\nSecRequestBodyAccess On\n\
                        SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n";
        let rules = RuleSet::builder()
            .text("test.conf", format!("{settings}{rules}"))
            .build(&MemorySource::new())
            .unwrap();
        let mut transaction = rules.transaction(RequestOrigin {
            id: String::new(),
            unix_micros: 0,
            utc_offset_seconds: 0,
        });
        transaction.request_line(b"POST", b"/", b"HTTP/1.1");
        let _ = transaction.request_headers();
        let _ = transaction.request_body(Bytes::from_static(json.as_bytes()), Completeness::Complete);
        transaction.matched_rules().iter().map(|rule| rule.id).collect()
    }

    #[test]
    fn a_name_that_leads_to_a_list_or_an_object_is_a_name() {
        let rules = "SecRule ARGS_NAMES \"@rx __in$\" \"id:2,phase:2,pass\"\n\
                     SecRule ARGS_POST_NAMES \"@rx __in$\" \"id:3,phase:2,pass\"\n\
                     SecRule ARGS \"@rx ^$\" \"id:4,phase:2,pass\"\n";
        assert_eq!(matched(rules, r#"{"role__in": ["a"]}"#), [2, 3]);
        assert_eq!(matched(rules, r#"{"role__in": {"a": 1}}"#), [2, 3]);
        assert_eq!(matched(rules, r#"{"role": ["__in"]}"#), [] as [u64; 0]);
    }
}
