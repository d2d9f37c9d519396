//! Trap 7: `TX:0` to `TX:9`.

use super::*;

#[test]
fn groups_keep_their_numbers_and_an_unmatched_one_has_no_value() {
    let rules = rules(
        r#"SecRule ARGS:a "@rx ^(x)?(y)" "id:1,phase:2,pass,nolog,capture,chain"
             SecRule TX:2 "@streq y" "chain,setvar:tx.two=%{TX.2}"
               SecRule &TX:1 "@eq 0" "setvar:tx.none=1"
           SecRule TX:1 "!@streq z" "id:2,phase:2,pass,nolog,setvar:tx.ran=1""#,
    );
    let transaction = get("/?a=y").to(&rules);
    assert_eq!(
        (tx(&transaction, "two"), tx(&transaction, "none")),
        ("y".into(), "1".into())
    );
    assert_eq!(tx(&transaction, "ran"), "-");
}

#[test]
fn a_chained_link_reads_what_an_earlier_one_captured() {
    let rules = rules(
        r#"SecRule ARGS:a "@rx ^(\w+)=(\w+)$" "id:1,phase:2,pass,nolog,capture,chain"
             SecRule TX:1 "@streq key" "chain"
               SecRule TX:2 "@streq %{ARGS.b}" "setvar:tx.hit=%{TX.0}""#,
    );
    assert_eq!(tx(&get("/?a=key%3dv&b=v").to(&rules), "hit"), "key=v");
    assert_eq!(tx(&get("/?a=key%3dv&b=w").to(&rules), "hit"), "-");
}

#[test]
fn only_capture_captures_and_a_new_capture_replaces_the_old_one() {
    let rules = rules(
        r#"SecRule ARGS:a "@rx (b)" "id:1,phase:2,pass,nolog"
           SecRule &TX:0 "@eq 0" "id:2,phase:2,pass,nolog,setvar:tx.without=1"
           SecRule ARGS:a "@rx (b)(c)" "id:3,phase:2,pass,nolog,capture"
           SecRule ARGS:a "@rx (a)" "id:4,phase:2,pass,nolog,capture"
           SecRule &TX:2 "@eq 0" "id:5,phase:2,pass,nolog,setvar:tx.replaced=%{TX.1}""#,
    );
    let transaction = get("/?a=abc").to(&rules);
    assert_eq!(
        (tx(&transaction, "without"), tx(&transaction, "replaced")),
        ("1".into(), "a".into())
    );
}

#[test]
fn each_matching_value_has_its_own_captures_in_its_log() {
    let rules = rules(
        r#"SecRule ARGS "@rx (\d+)" "id:1,phase:2,pass,log,capture,msg:'m',logdata:'%{TX.1} in %{MATCHED_VAR_NAME}'""#,
    );
    assert_eq!(
        data(&get("/?a=x1&b=y&c=22z").to(&rules)),
        ["1 in ARGS:a", "22 in ARGS:c"]
    );
}

#[test]
fn a_phrase_match_captures_the_phrase() {
    let rules =
        rules(r#"SecRule ARGS "@pm select union" "id:1,phase:2,pass,log,capture,msg:'m',logdata:'%{TX.0}'""#);
    assert_eq!(data(&get("/?a=a+UNION+b").to(&rules)), ["UNION"]);
}

#[test]
fn a_chained_link_reads_the_captures_of_the_last_value_that_came_and_matched() {
    let rules = rules(
        r#"SecRule ARGS "@rx ^(\w)=(\w)$" "id:1,phase:2,pass,nolog,capture,chain"
             SecRule TX:1 "@streq %{TX.2}" "setvar:tx.hit=%{TX.0}""#,
    );
    let hit = |query: &str, body: &str| {
        let request = Ask {
            uri: format!("/?{query}"),
            ..form(body)
        };
        tx(&request.to(&rules), "hit")
    };
    assert_eq!(hit("a=1%3d2&b=1%3d1", ""), "1=1");
    assert_eq!(hit("b=1%3d2&a=1%3d1&z=none", ""), "1=1");
    assert_eq!(hit("a=1%3d2&b=1%3d1&l=1%3d2", ""), "-");
    assert_eq!(hit("b=1%3d2", "a=1%3d1"), "1=1");
    assert_eq!(hit("b=1%3d1", "a=1%3d2"), "-");
}
