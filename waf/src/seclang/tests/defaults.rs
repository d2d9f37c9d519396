//! `SecDefaultAction`.

use super::*;
use crate::rule::Disruptive;

#[test]
fn block_means_what_the_phase_says() {
    let set = rules(
        "SecAction \"id:1,phase:2,block\"
SecDefaultAction \"phase:2,deny,status:406,nolog\"
SecAction \"id:2,phase:2,block\"
SecAction \"id:3,phase:2,pass,log\"
SecAction \"id:4,phase:2,t:none\"
SecAction \"id:5,phase:1,block\"
SecDefaultAction \"phase:2,drop\"
SecAction \"id:6,phase:2,block\"",
    );
    let of = |id| set.rule(id).unwrap().head().actions.clone();
    // In front of it, in another phase, behind another one.
    assert_eq!(
        [1, 5, 6].map(|id| of(id).disruptive),
        [Disruptive::Pass, Disruptive::Pass, Disruptive::Drop]
    );
    assert_eq!(
        (of(2).disruptive, of(2).status, of(2).log),
        (Disruptive::Deny, Some(406), false)
    );
    assert_eq!((of(3).disruptive, of(3).log), (Disruptive::Pass, true));
    // A rule that says nothing inherits.
    assert_eq!(of(4).disruptive, Disruptive::Deny);
}

#[test]
fn transformations_are_inherited_until_none() {
    let set = rules(
        "SecDefaultAction \"phase:1,pass,t:lowercase,t:trim\"
SecRule ARGS \"@rx a\" \"id:1,phase:1\"
SecRule ARGS \"@rx a\" \"id:2,phase:1,t:urlDecode\"
SecRule ARGS \"@rx a\" \"id:3,phase:1,t:urlDecode,t:none,t:length\"
SecRule ARGS \"@rx a\" \"id:4,phase:2,t:urlDecode\"",
    );
    let of = |id| transformations(set.rule(id).unwrap(), 0);
    assert_eq!(of(1), ["lowercase", "trim"]);
    assert_eq!(of(2), ["lowercase", "trim", "urlDecode"]);
    assert_eq!(of(3), ["length"]);
    assert_eq!(of(4), ["urlDecode"]);
}

#[test]
fn it_must_say_a_phase_and_what_to_do() {
    let table = [
        ("deny", "SecDefaultAction: expected a phase"),
        (
            "phase:1,log",
            "SecDefaultAction: expected a disruptive action (pass, deny, drop, allow, redirect)",
        ),
        ("phase:1,block", "SecDefaultAction: block does not belong here"),
        ("phase:1,deny,id:1", "SecDefaultAction: id does not belong here"),
        (
            "phase:1,deny,msg:'x'",
            "SecDefaultAction: msg does not belong here",
        ),
        (
            "phase:1,deny,chain",
            "SecDefaultAction: chain does not belong here",
        ),
        (
            "phase:1,deny,t:none",
            "SecDefaultAction: expected transformations to inherit, not t:none",
        ),
        ("phase:5,deny", "deny in phase 5: nothing can be stopped any more"),
    ];
    for (list, expected) in table {
        let shown = mistakes(&format!("SecDefaultAction \"{list}\""));
        assert_eq!(
            shown.lines().next().unwrap(),
            format!("main.conf:1: {expected}"),
            "{list}"
        );
    }
}
