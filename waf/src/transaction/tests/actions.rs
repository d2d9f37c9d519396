//! Traps 1 and 13: what `setvar` and its kin do.

use super::*;

#[test]
fn setvar_runs_for_each_matching_value() {
    let rules =
        rules(r#"SecRule ARGS|REQUEST_HEADERS:X "@rx bad" "id:1,phase:2,pass,nolog,setvar:tx.score=+5""#);
    let transaction = get("/?a=bad&b=good&c=bad").header("X", "bad").to(&rules);
    assert_eq!(tx(&transaction, "score"), "15");
}

#[test]
fn numbers_start_at_zero_and_parse_like_atoi() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,setvar:tx.up=+3,setvar:tx.down=-4,setvar:tx.text=abc,setvar:tx.text=+2,setvar:tx.tail=7x,setvar:tx.tail=+1,setvar:tx.flag"
           SecAction "id:2,phase:1,pass,nolog,setvar:'tx.sum=%{tx.up}',setvar:'tx.sum=+%{tx.tail}',setvar:'tx.sum=-%{tx.nothing}'""#,
    );
    let transaction = get("/").to(&rules);
    assert_eq!(
        ["up", "down", "text", "tail", "flag", "sum"].map(|name| tx(&transaction, name)),
        ["3", "-4", "2", "8", "1", "11"]
    );
}

#[test]
fn a_removed_value_is_absent() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,setvar:tx.a=1,setvar:!tx.a"
           SecRule &TX:a "@eq 0" "id:2,phase:1,pass,nolog,setvar:tx.gone=1""#,
    );
    assert_eq!(tx(&get("/").to(&rules), "gone"), "1");
}

#[test]
fn names_and_values_hold_macros() {
    let rules = rules(
        r#"SecRule ARGS "@rx ." "id:1,phase:2,pass,nolog,setvar:'tx.%{MATCHED_VAR_NAME}_%{REQUEST_METHOD}=<%{MATCHED_VAR}>'""#,
    );
    assert_eq!(tx(&get("/?k=v").to(&rules), "args:K_get"), "<v>");
}

#[test]
fn a_later_value_sees_what_an_earlier_one_set() {
    let rules =
        rules(r#"SecRule ARGS "@gt %{tx.max}" "id:1,phase:2,pass,nolog,setvar:tx.max=%{MATCHED_VAR}""#);
    assert_eq!(tx(&get("/?a=3&b=1&c=9&d=5").to(&rules), "max"), "9");
}

#[test]
fn setenv_is_read_back_and_reaches_no_process() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,setenv:'PALISADE_TEST=%{REQUEST_METHOD}'"
           SecRule ENV:palisade_test "@streq GET" "id:2,phase:1,pass,nolog,setvar:tx.env=1""#,
    );
    assert_eq!(tx(&get("/").to(&rules), "env"), "1");
    assert!(std::env::var_os("PALISADE_TEST").is_none());
}

#[test]
fn multi_match_asks_the_original_and_each_changed_value() {
    let rules = rules(
        r#"SecRule ARGS "@rx a" "id:1,phase:2,pass,log,multiMatch,t:none,t:lowercase,t:lowercase,t:removeWhitespace,msg:'m',logdata:'%{MATCHED_VAR}',setvar:tx.hits=+1""#,
    );
    let transaction = get("/?q=aB+a").to(&rules);
    assert_eq!(data(&transaction), ["aB a", "ab a", "aba"]);
    assert_eq!(tx(&transaction, "hits"), "3");
    assert_eq!(tx(&get("/?q=abc").to(&rules), "hits"), "1");
}

#[test]
fn too_many_names_are_left_out_and_that_shows() {
    let limits = Limits {
        tx_entries: 3,
        ..Limits::default()
    };
    let rules = rules_within(
        limits,
        r#"SecRule ARGS_NAMES "@rx ." "id:1,phase:2,pass,nolog,setvar:'tx.n_%{MATCHED_VAR}=1'"
           SecRule REQBODY_ERROR "@eq 1" "id:2,phase:2,deny,msg:'%{REQBODY_ERROR_MSG}'""#,
    );
    assert_eq!(status(&get("/?a&b&c").to(&rules)), None);
    assert_eq!(status(&get("/?a&b&c&d").to(&rules)), Some(403));
}
