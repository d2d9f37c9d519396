//! Traps 10, 11 and the rest of the way through a phase.

use super::*;

#[test]
fn skip_after_lands_on_the_marker_of_the_same_phase() {
    let rules = rules(
        r#"SecRule ARGS:go "@streq 1" "id:1,phase:1,pass,nolog,skipAfter:END"
           SecAction "id:2,phase:1,pass,nolog,setvar:tx.one=1"
           SecAction "id:3,phase:2,pass,nolog,setvar:tx.two=1"
           SecMarker END
           SecAction "id:4,phase:1,pass,nolog,setvar:tx.after=1""#,
    );
    let skipped = get("/?go=1").to(&rules);
    assert_eq!(
        ["one", "two", "after"].map(|name| tx(&skipped, name)),
        ["-", "1", "1"]
    );
    assert_eq!(tx(&get("/").to(&rules), "one"), "1");
}

#[test]
fn skip_after_a_marker_behind_ends_the_phase() {
    let rules = rules(
        r#"SecMarker BEHIND
           SecAction "id:1,phase:1,pass,nolog,setvar:tx.runs=+1,skipAfter:BEHIND"
           SecAction "id:2,phase:1,pass,nolog,setvar:tx.never=1"
           SecAction "id:3,phase:2,pass,nolog,setvar:tx.next=1""#,
    );
    let transaction = get("/").to(&rules);
    assert_eq!(
        ["runs", "never", "next"].map(|name| tx(&transaction, name)),
        ["1", "-", "1"]
    );
}

#[test]
fn skip_leaves_out_rules_and_a_chain_is_one_rule() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,skip:2"
           SecRule ARGS "@rx ." "id:2,phase:1,pass,nolog,chain,setvar:tx.two=1"
             SecAction "setvar:tx.two=2"
           SecAction "id:3,phase:1,pass,nolog,setvar:tx.three=1"
           SecAction "id:4,phase:1,pass,nolog,setvar:tx.four=1""#,
    );
    let transaction = get("/?a=1").to(&rules);
    assert_eq!(
        ["two", "three", "four"].map(|name| tx(&transaction, name)),
        ["-", "-", "1"]
    );
}

#[test]
fn an_inherited_transformation_ends_at_t_none() {
    let rules = rules(
        r#"SecDefaultAction "phase:2,pass,nolog,t:lowercase"
           SecRule ARGS "@streq abc" "id:1,phase:2,setvar:tx.inherited=1"
           SecRule ARGS "@streq abc" "id:2,phase:2,t:none,setvar:tx.none=1""#,
    );
    let transaction = get("/?a=ABC").to(&rules);
    assert_eq!(
        (tx(&transaction, "inherited"), tx(&transaction, "none")),
        ("1".into(), "-".into())
    );
}

#[test]
fn a_phase_runs_once_and_none_runs_after_a_later_one() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,setvar:tx.one=+1"
           SecAction "id:2,phase:2,pass,nolog,setvar:tx.two=+1"
           SecAction "id:5,phase:5,pass,nolog,setvar:tx.five=+1""#,
    );
    let mut transaction = get("/").to(&rules);
    let _ = transaction.request_headers();
    transaction.logging();
    transaction.logging();
    let _ = transaction.request_body(Bytes::new(), Completeness::Complete);
    assert_eq!(
        ["one", "two", "five"].map(|name| tx(&transaction, name)),
        ["1", "1", "1"]
    );
}

#[test]
fn an_engine_that_is_off_looks_at_nothing() {
    let rules = rules("SecRuleEngine Off\nSecAction \"id:1,phase:1,deny\"");
    let transaction = get("/").to(&rules);
    assert_eq!((transaction.interruption(), ids(&transaction)), (None, vec![]));
    assert!(!transaction.wants_request_body());
}
