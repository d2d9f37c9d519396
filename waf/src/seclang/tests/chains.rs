//! Rules that only count together.

use super::*;
use crate::rule::{Disruptive, Phase};

const CHAIN: &str = "SecDefaultAction \"phase:1,deny,status:406,log\"
SecRule ARGS \"@rx a\" \"id:1,phase:1,block,t:lowercase,chain,msg:'m'\"
    SecRule MATCHED_VARS \"@rx b\" \"t:none,t:trim,chain,setvar:'tx.x=1'\"
    SecRule REQUEST_URI \"@rx c\" \"capture\"
SecRule ARGS \"@rx d\" \"id:2,phase:2,pass\"";

#[test]
fn links_belong_to_their_head() {
    let set = rules(CHAIN);
    assert_eq!(ids(&set), [1, 2]);
    let rule = set.rule(1).unwrap();
    assert_eq!(rule.phase, Phase::RequestHeaders);
    assert_eq!(rule.links.len(), 3);
    assert_eq!(targets(rule, 1), "MATCHED_VARS");
    assert_eq!(transformations(rule, 0), ["lowercase"]);
    assert_eq!(transformations(rule, 1), ["trim"]);
    assert_eq!(rule.links[2].location.to_string(), "main.conf:4");
}

#[test]
fn only_the_head_stops_anything() {
    let set = rules(CHAIN);
    let rule = set.rule(1).unwrap();
    assert_eq!(rule.head().actions.disruptive, Disruptive::Deny);
    assert_eq!(rule.head().actions.status, Some(406));
    assert_eq!(rule.links[1].actions.disruptive, Disruptive::Pass);
}

#[test]
fn an_action_may_be_a_link_and_repeat_the_phase() {
    let set =
        rules("SecRule ARGS \"@rx a\" \"id:1,phase:1,deny,chain\"\nSecAction \"phase:1,setvar:tx.x=1\"");
    assert!(set.rule(1).unwrap().links[1].question.is_none());
}

#[test]
fn what_is_the_chains_stands_on_its_head() {
    let table = [
        ("deny", "deny"),
        ("block", "block"),
        ("id:2", "id"),
        ("id:1", "id"),
        ("skip:1", "skip"),
        ("skipAfter:X", "skipAfter"),
        ("phase:2", "another phase"),
    ];
    for (action, named) in table {
        let text = format!(
            "SecRule ARGS \"@rx a\" \"id:1,phase:1,pass,chain\"\nSecRule ARGS \"@rx b\" \"{action}\""
        );
        assert_eq!(
            mistakes(&text),
            format!(
                "main.conf:2: {named} stands on a chained rule; it belongs on the first rule of the chain, \
                 main.conf:1"
            ),
            "{action}"
        );
    }
}

#[test]
fn a_chain_needs_a_next_rule() {
    let chain = "SecRule ARGS \"@rx a\" \"id:1,pass,chain\"";
    let expected = |found: &str| {
        format!("main.conf:1: expected the next rule of the chain that begins at main.conf:1, found {found}")
    };
    assert_eq!(mistakes(chain), expected("the end of the file"));
    assert_eq!(
        mistakes(&format!("{chain}\nSecMarker X")),
        expected("`SecMarker`")
    );
    assert_eq!(
        mistakes(&format!("{chain}\nSecRuleEngine On")),
        expected("`SecRuleEngine`")
    );
}

#[test]
fn a_chain_does_not_reach_into_the_next_text() {
    let errors = RuleSet::builder()
        .text("a.conf", "SecRule ARGS \"@rx a\" \"id:1,pass,chain\"")
        .text("b.conf", "SecRule ARGS \"@rx a\" \"id:2,pass\"")
        .build(&MemorySource::new())
        .unwrap_err();
    assert_eq!(errors.errors().len(), 1, "{errors}");
    assert_eq!(errors.errors()[0].location.to_string(), "a.conf:1");
}

#[test]
fn one_mistake_in_a_chain_is_one_error() {
    let table = [
        "SecRule ARGS \"@rx a\" \"id:1,pass,t:nosuch,chain\"\nSecRule ARGS \"@rx b\" \"t:none\"",
        "SecRule ARGS \"@rx a\" \"id:1,pass,chain\"\nSecRule NOSUCH \"@rx b\" \"t:none\"",
        "SecRule ARGS \"@rx a\" \"id:1,pass,chain\nSecRule ARGS \"@rx b\" \"t:none\"",
        "SecRule ARGS\nSecRule ARGS \"@rx b\" \"t:none\"",
    ];
    for text in table {
        assert_eq!(mistakes(text).lines().count(), 1, "{text}: {}", mistakes(text));
    }
}

#[test]
fn rules_that_need_what_is_left_out_may_be_left_out_on_demand() {
    let text = "SecRule ARGS \"@rx a(?=b)\" \"id:1,pass,msg:'x'\"
SecRule ARGS \"@rx a\" \"id:2,pass,chain\"
    SecRule ARGS \"@rbl example.org\"
SecRule ARGS \"@rx a\" \"id:3,pass\"";
    assert_eq!(mistakes(text).lines().count(), 2);
    let builder = || RuleSet::builder().leave_out_unsupported();
    let set = builder()
        .text("main.conf", text)
        .build(&MemorySource::new())
        .unwrap();
    assert_eq!(ids(&set), [3]);
    let remarks = remarks(&set);
    assert_eq!(remarks.len(), 2);
    assert!(
        remarks[0].starts_with("main.conf:1: rule 1 is left out: @rx: a lookahead at offset 1"),
        "{remarks:?}"
    );
    assert!(
        remarks[1].starts_with("main.conf:2: rule 2 is left out: @rbl is not supported"),
        "{remarks:?}"
    );
    // What is wrong stays wrong.
    for wrong in [
        "SecRule ARGS \"@rx (\" \"id:1,pass\"",
        "SecRule ARGS \"@nope x\" \"id:1,pass\"",
    ] {
        assert!(
            builder()
                .text("main.conf", wrong)
                .build(&MemorySource::new())
                .is_err(),
            "{wrong}"
        );
    }
}
