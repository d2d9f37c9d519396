//! `SecRuleRemove*` and `SecRuleUpdate*`.

use super::*;
use crate::rule::Disruptive;

const RULES: &str = "
SecRule ARGS|REQUEST_COOKIES \"@rx a\" \"id:10,phase:2,deny,msg:'One %{tx.x}',tag:'attack-sqli',tag:'OWASP_CRS',chain\"
    SecRule MATCHED_VARS|ARGS \"@rx b\" \"t:none\"
SecRule ARGS|ARGS_GET \"@rx c\" \"id:20,phase:2,deny,msg:'Two',tag:'attack-xss'\"
SecRule REQUEST_HEADERS|&ARGS \"@rx d\" \"id:30,phase:1,deny,msg:'Three'\"
SecAction \"id:40,phase:1,pass\"
";

fn after(directives: &str) -> RuleSet {
    rules(&format!("{RULES}\n{directives}"))
}

#[test]
fn rules_are_removed_by_id_tag_and_message() {
    let table: [(&str, &[u64]); 11] = [
        ("SecRuleRemoveById 20", &[10, 30, 40]),
        ("SecRuleRemoveById 10-20 40", &[30]),
        ("SecRuleRemoveById \"10 20\"", &[30, 40]),
        ("SecRuleRemoveById 10,30-40", &[20]),
        ("SecRuleRemoveByTag attack-sqli", &[20, 30, 40]),
        ("SecRuleRemoveByTag attack", &[10, 20, 30, 40]),
        ("SecRuleRemoveByTag \"/^attack-/\"", &[30, 40]),
        ("SecRuleRemoveByMsg \"Two\"", &[10, 30, 40]),
        ("SecRuleRemoveByMsg \"One %{TX.X}\"", &[20, 30, 40]),
        ("SecRuleRemoveByMsg '/^T/'", &[10, 40]),
        ("SecRuleRemoveById 11-19", &[10, 20, 30, 40]),
    ];
    for (directive, expected) in table {
        assert_eq!(ids(&after(directive)), expected, "{directive}");
    }
}

#[test]
fn a_removed_id_is_free_again() {
    let set = after("SecRuleRemoveById 20\nSecRule ARGS \"@rx new\" \"id:20,pass\"");
    assert_eq!(ids(&set), [10, 30, 40, 20]);
}

#[test]
fn rules_behind_the_directive_are_not_reached_and_that_is_remarked_on() {
    let set = rules("SecRuleRemoveById 1\nSecAction \"id:1,pass\"\nSecRuleUpdateTargetByTag x \"!ARGS:y\"");
    assert_eq!(ids(&set), [1]);
    assert_eq!(
        remarks(&set),
        [
            "main.conf:1: SecRuleRemoveById 1: no rule in front of it matches",
            "main.conf:3: SecRuleUpdateTargetByTag x: no rule in front of it matches",
        ]
    );
}

#[test]
fn exclusions_reach_the_links_and_no_other_variable() {
    let set = after("SecRuleUpdateTargetById 10-20 \"!ARGS:foo\"");
    let of = |id, link| targets(set.rule(id).unwrap(), link);
    assert_eq!(of(10, 0), "ARGS!foo|REQUEST_COOKIES");
    assert_eq!(of(10, 1), "MATCHED_VARS|ARGS!foo");
    assert_eq!(of(20, 0), "ARGS!foo|ARGS_GET");
    assert_eq!(of(30, 0), "REQUEST_HEADERS|&ARGS");
}

#[test]
fn targets_are_updated_in_every_notation() {
    let table = [
        (
            "SecRuleUpdateTargetById 20 \"!ARGS:/^_ga(?:_\\w+)?$/\"",
            "ARGS!/^_ga(?:_\\w+)?$/|ARGS_GET",
        ),
        (
            "SecRuleUpdateTargetById 20 !ARGS:a,!ARGS:b|!ARGS_GET:c",
            "ARGS!a!b|ARGS_GET!c",
        ),
        ("SecRuleUpdateTargetById 20 \"!ARGS\"", "ARGS_GET"),
        (
            "SecRuleUpdateTargetById 20 \"REQUEST_URI|!ARGS:x\"",
            "ARGS!x|ARGS_GET|REQUEST_URI",
        ),
        ("SecRuleUpdateTargetById 20 \"ARGS\"", "ARGS|ARGS_GET"),
        ("SecRuleUpdateTargetById 10 20-30 \"!ARGS:x\"", "ARGS!x|ARGS_GET"),
        (
            "SecRuleUpdateTargetByTag attack-xss \"!ARGS:x\"",
            "ARGS!x|ARGS_GET",
        ),
        ("SecRuleUpdateTargetByMsg Two \"!ARGS:x\"", "ARGS!x|ARGS_GET"),
    ];
    for (directive, expected) in table {
        assert_eq!(
            targets(after(directive).rule(20).unwrap(), 0),
            expected,
            "{directive}"
        );
    }
}

#[test]
fn what_is_added_is_added_to_the_head() {
    let set = after("SecRuleUpdateTargetById 10 \"REQUEST_URI\"");
    assert_eq!(
        targets(set.rule(10).unwrap(), 0),
        "ARGS|REQUEST_COOKIES|REQUEST_URI"
    );
    assert_eq!(targets(set.rule(10).unwrap(), 1), "MATCHED_VARS|ARGS");
}

#[test]
fn a_rule_with_nothing_left_to_look_at_stays() {
    let set = after("SecRuleUpdateTargetById 30 \"!REQUEST_HEADERS|!ARGS\"");
    assert_eq!(targets(set.rule(30).unwrap(), 0), "");
}

#[test]
fn actions_are_updated() {
    let set = after(
        "SecDefaultAction \"phase:2,deny,status:418\"
SecRuleUpdateActionById 20 \"pass,t:none,t:trim,nolog,tag:'new',severity:3\"
SecRuleUpdateActionById 10:1 \"capture,setvar:tx.y=1\"
SecRuleUpdateActionById 10 \"block,msg:'Uno'\"",
    );
    let rule = set.rule(20).unwrap();
    let actions = &rule.head().actions;
    assert_eq!((&actions.disruptive, actions.log), (&Disruptive::Pass, false));
    assert_eq!(actions.msg.as_ref().unwrap().to_string(), "Two");
    assert_eq!(transformations(rule, 0), ["trim"]);
    assert_eq!(rule.tags, ["attack-xss", "new"]);
    let chain = set.rule(10).unwrap();
    assert_eq!(chain.head().actions.disruptive, Disruptive::Deny);
    assert_eq!(chain.head().actions.msg.as_ref().unwrap().to_string(), "Uno");
    assert!(chain.links[1].actions.capture && !chain.head().actions.capture);
    assert_eq!(chain.links[1].actions.effects.len(), 1);
}

#[test]
fn mistakes_of_updates() {
    let table = [
        (
            "SecRuleRemoveById",
            "SecRuleRemoveById: expected rule ids or ranges, found 0 argument(s)",
        ),
        (
            "SecRuleRemoveById x",
            "SecRuleRemoveById: expected rule ids or ranges, found `x`",
        ),
        (
            "SecRuleRemoveById 9-1",
            "SecRuleRemoveById: expected rule ids or ranges, found `9-1`",
        ),
        (
            "SecRuleRemoveByTag a b",
            "SecRuleRemoveByTag: expected a tag, found 2 argument(s)",
        ),
        (
            "SecRuleRemoveByTag \"/(/\"",
            "`/(/`: a missing closing parenthesis at offset 1",
        ),
        (
            "SecRuleUpdateTargetById 20",
            "SecRuleUpdateTargetById: expected rule ids or ranges, then variables, found 1 argument(s)",
        ),
        (
            "SecRuleUpdateTargetById ARGS ARGS",
            "SecRuleUpdateTargetById: expected rule ids or ranges, found `ARGS`",
        ),
        (
            "SecRuleUpdateTargetById 20 !ARG:x",
            "unknown variable `ARG`; did you mean `ARGS`?",
        ),
        (
            "SecRuleUpdateActionById 20 id:5",
            "SecRuleUpdateActionById: id does not belong here",
        ),
        (
            "SecRuleUpdateActionById 10:1 deny",
            "SecRuleUpdateActionById: deny does not belong here",
        ),
        (
            "SecRuleUpdateActionById 10:x deny",
            "SecRuleUpdateActionById: expected id:link, the link counted from 0, found `10:x`",
        ),
    ];
    for (directive, expected) in table {
        assert_eq!(
            mistakes(&format!("{RULES}{directive}")),
            format!("main.conf:7: {expected}"),
            "{directive}"
        );
    }
}
