//! Traps 2, 3, 8: what a chain does, and when.

use super::*;

#[test]
fn a_starter_counts_even_if_its_chain_fails_but_stops_nothing() {
    let rules = rules(
        r#"SecRule ARGS:a "@streq 1" "id:1,phase:2,deny,chain,setvar:tx.seen=+1"
             SecRule ARGS:b "@streq 2" "setvar:tx.both=1""#,
    );
    let half = get("/?a=1").to(&rules);
    assert_eq!((tx(&half, "seen"), tx(&half, "both")), ("1".into(), "-".into()));
    assert_eq!((half.interruption(), ids(&half)), (None, vec![]));

    let whole = get("/?a=1&b=2").to(&rules);
    assert_eq!((tx(&whole, "seen"), tx(&whole, "both")), ("1".into(), "1".into()));
    assert_eq!((status(&whole), ids(&whole)), (Some(403), vec![1]));
}

#[test]
fn what_a_chain_says_is_expanded_after_its_last_link() {
    let rules = rules(
        r#"SecRule ARGS:a "@rx (.*)" "id:1,phase:2,pass,capture,log,msg:'%{MATCHED_VAR_NAME}',logdata:'%{TX.0} in %{MATCHED_VAR}',chain"
             SecRule ARGS:b "@rx ^b(.)" "capture,setvar:tx.last=%{TX.1}""#,
    );
    let transaction = get("/?a=first&b=b2").to(&rules);
    let [matched] = transaction.matched_rules() else {
        panic!()
    };
    assert_eq!(
        (matched.msg.as_str(), matched.logdata.as_str()),
        ("ARGS:b", "b2 in b2")
    );
    assert_eq!(shown(&transaction), ["a=first", "b=b2"]);
    assert_eq!(tx(&transaction, "last"), "2");
}

#[test]
fn a_later_link_runs_its_actions_for_each_value_it_matches() {
    let rules = rules(
        r#"SecRule REQUEST_METHOD "@streq GET" "id:1,phase:2,pass,log,chain"
             SecRule ARGS "@rx x" "setvar:tx.score=+5""#,
    );
    let transaction = get("/?a=x&b=y&c=x").to(&rules);
    assert_eq!(tx(&transaction, "score"), "10");
    assert_eq!(ids(&transaction), [1]);
}

#[test]
fn matched_values_are_kept_along_a_chain_and_forgotten_after_it() {
    let rules = rules(
        r#"SecRule ARGS "@rx ^x" "id:1,phase:2,pass,nolog,chain"
             SecRule MATCHED_VARS "@rx 1$" "chain,setvar:tx.one=%{MATCHED_VAR_NAME}"
               SecRule MATCHED_VARS_NAMES "@rx c$" "setvar:tx.names=+1"
           SecAction "id:2,phase:2,pass,nolog,chain"
             SecRule &MATCHED_VARS "@eq 0" "setvar:tx.clean=1""#,
    );
    let transaction = get("/?a=x1&b=y1&c=x2").to(&rules);
    assert_eq!(tx(&transaction, "one"), "MATCHED_VARS:ARGS:a");
    assert_eq!(tx(&transaction, "names"), "1");
    assert_eq!(tx(&transaction, "clean"), "1");
}

#[test]
fn matched_var_is_the_last_match_and_nothing_before_one() {
    let rules = rules(
        r#"SecRule ARGS:a "@rx ." "id:1,phase:2,pass,nolog"
           SecRule MATCHED_VAR "!@streq nothing" "id:2,phase:2,pass,nolog,setvar:tx.stale=1"
           SecRule ARGS "@rx ." "id:3,phase:2,pass,nolog,chain"
             SecRule MATCHED_VAR "@streq two" "setvar:tx.last=1""#,
    );
    let transaction = get("/?a=one&b=two").to(&rules);
    assert_eq!(
        (tx(&transaction, "stale"), tx(&transaction, "last")),
        ("-".into(), "1".into())
    );
}

#[test]
fn a_chain_of_five_needs_all_five() {
    let rules = rules(
        r#"SecRule ARGS:a "@eq 1" "id:1,phase:2,deny,status:418,chain"
             SecRule ARGS:b "@eq 1" "chain"
               SecRule ARGS:c "@eq 1" "chain"
                 SecRule ARGS:d "@eq 1" "chain"
                   SecRule ARGS:e "@eq 1" "t:none""#,
    );
    assert_eq!(status(&get("/?a=1&b=1&c=1&d=1&e=0").to(&rules)), None);
    assert_eq!(status(&get("/?a=1&b=1&c=1&d=1&e=1").to(&rules)), Some(418));
}
