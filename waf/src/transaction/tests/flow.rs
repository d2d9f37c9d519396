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

#[test]
fn requests_and_rule_sets_share_a_thread_and_nothing_else() {
    let one = rules(r#"SecRule REQUEST_HEADERS:User-Agent "@rx bad" "id:1,phase:1,t:lowercase,deny""#);
    let other = rules(r#"SecRule REQUEST_HEADERS:User-Agent|ARGS "@rx B[A]D|worse" "id:2,phase:1,deny""#);
    let agent = |name: &str| get("/?q=1").header("User-Agent", name);
    for _ in 0..3 {
        for (name, by_one, by_other) in [
            ("bad/1", Some(403), None),
            ("good/1", None, None),
            ("BAD/1", Some(403), Some(403)),
            ("worse/1", None, Some(403)),
        ] {
            assert_eq!(status(&agent(name).to(&one)), by_one, "{name}");
            assert_eq!(status(&agent(name).to(&other)), by_other, "{name}");
        }
    }
}

#[test]
fn what_a_phase_learns_of_the_request_is_seen_by_the_next() {
    let rules = rules(
        r#"SecRule ARGS|ARGS_NAMES "@rx evil" "id:1,phase:1,pass,nolog,setvar:tx.early=1"
           SecRule ARGS|ARGS_NAMES "@rx evil" "id:2,phase:2,deny"
           SecRule RESPONSE_HEADERS|ARGS "@rx leak" "id:3,phase:3,deny,status:502""#,
    );
    assert_eq!(status(&form("x=evil").to(&rules)), Some(403));
    assert_eq!(tx(&form("x=evil").to(&rules), "early"), "-");
    assert_eq!(status(&form("x=kind").to(&rules)), None);
    assert_eq!(status(&form("evil=x").to(&rules)), Some(403));
}
