//! Traps 1 and 25: what is logged.

use super::*;

#[test]
fn each_matching_value_has_its_own_entry() {
    let rules = rules(
        r#"SecRule ARGS "@rx bad" "id:1,phase:2,pass,log,auditlog,msg:'Bad %{MATCHED_VAR_NAME}',logdata:'%{MATCHED_VAR}',tag:'t/%{REQUEST_METHOD}',severity:2,ver:'v1',rev:'7'""#,
    );
    let transaction = get("/?a=bad1&b=good&c=bad2").to(&rules);
    let entries: Vec<_> = transaction
        .matched_rules()
        .iter()
        .map(|rule| (rule.msg.as_str(), rule.logdata.as_str()))
        .collect();
    assert_eq!(entries, [("Bad ARGS:a", "bad1"), ("Bad ARGS:c", "bad2")]);
    let first = &transaction.matched_rules()[0];
    assert_eq!(first.tags, ["t/GET"]);
    assert_eq!(first.severity.map(|severity| severity.name()), Some("CRITICAL"));
    assert_eq!(
        (first.ver.as_deref(), first.rev.as_deref()),
        (Some("v1"), Some("7"))
    );
    assert_eq!(first.location.to_string(), "t.conf:1");
    assert_eq!(first.variables[0].to_string(), "ARGS:a");
    assert!(!first.disruptive);
}

#[test]
fn the_two_logs_are_asked_for_separately() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,log,noauditlog,msg:'m'"
           SecAction "id:2,phase:1,pass,nolog,auditlog,msg:'m'"
           SecAction "id:3,phase:1,pass,nolog,noauditlog,msg:'m'"
           SecAction "id:4,phase:1,pass,log,auditlog,msg:'m'""#,
    );
    let transaction = get("/").to(&rules);
    let entries: Vec<_> = transaction
        .matched_rules()
        .iter()
        .map(|rule| (rule.id, rule.log, rule.audit_log))
        .collect();
    assert_eq!(entries, [(1, true, false), (2, false, true), (4, true, true)]);
}

#[test]
fn a_silent_rule_that_stops_a_request_can_still_be_found() {
    let rules = rules(r#"SecAction "id:1,phase:1,deny,nolog,noauditlog""#);
    let transaction = get("/").to(&rules);
    let [matched] = transaction.matched_rules() else {
        panic!()
    };
    assert_eq!((matched.id, matched.log, matched.disruptive), (1, false, true));
}

#[test]
fn long_values_and_strange_bytes_fit_a_log() {
    let limits = Limits {
        logged_value_bytes: 8,
        ..Limits::default()
    };
    let rules = rules_within(
        limits,
        r#"SecRule ARGS "@rx ." "id:1,phase:2,pass,log,msg:'m',logdata:'<%{MATCHED_VAR}> in %{MATCHED_VAR_NAME}'""#,
    );
    let transaction = get("/?aaaaaaaaaaaa=%ff01234567890").to(&rules);
    assert_eq!(data(&transaction), ["<\\xff0123456> in ARGS:aaa"]);
    assert_eq!(transaction.matched_rules()[0].variables[0].value, b"\xff0123456");
}

#[test]
fn matches_past_the_limit_are_counted_and_the_one_that_stops_is_kept() {
    let limits = Limits {
        matched_rules: 3,
        ..Limits::default()
    };
    let rules = rules_within(
        limits,
        r#"SecRule ARGS "@rx x" "id:1,phase:2,pass,log,msg:'m',setvar:tx.n=+1"
           SecRule TX:n "@gt 4" "id:2,phase:2,deny,msg:'m'""#,
    );
    let transaction = get("/?a=x&b=x&c=x&d=x&e=x").to(&rules);
    assert_eq!(
        (ids(&transaction), status(&transaction)),
        (vec![1, 1, 1, 2], Some(403))
    );
    assert_eq!(transaction.audit_record().rules_dropped, 2);
}
