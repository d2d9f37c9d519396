//! Rules at the beginning that make members of `TX` out of others: what they come to is kept for the next request.

use super::*;

const RULES: &str = r#"
    SecRule ARGS:before "@rx ." "id:1,phase:1,pass,nolog,setvar:tx.level=9"
    SecRule ARGS:without "@streq 5" "id:2,phase:1,pass,nolog,ctl:ruleRemoveById=5"
    SecRule ARGS:skip "@streq 1" "id:3,phase:1,pass,nolog,skipAfter:MIDDLE"
    SecAction "id:4,phase:1,pass,nolog,setvar:tx.score=5,setvar:tx.Long-name-that-needs-memory-of-its-own=%{tx.score}"
    SecRule &TX:level "@eq 0" "id:5,phase:1,pass,nolog,setvar:tx.level=1"
    SecRule TX:level "@ge 9" "id:6,phase:1,pass,nolog,skipAfter:END"
    SecMarker MIDDLE
    SecRule &TX:score "@eq 0" "id:7,phase:1,pass,nolog,setvar:tx.score=7"
    SecRule TX:score "@eq 5" "id:8,phase:1,pass,nolog,setvar:tx.score=+1,setvar:!tx.Long-name-that-needs-memory-of-its-own"
    SecRule ARGS:between "@rx (.)" "id:9,phase:1,pass,nolog,capture,setvar:tx.score=%{tx.1}"
    SecAction "id:10,phase:1,pass,nolog,setvar:tx.sum=%{tx.score}%{tx.level}"
    SecMarker END
    SecAction "id:11,phase:1,pass,nolog,setvar:tx.last=%{tx.sum},setvar:tx.sum=+1"
"#;

#[test]
fn whatever_request_came_before_they_come_to_the_same() {
    let rules = rules(RULES);
    let uris = [
        "/",
        "/?between=3",
        "/?without=5",
        "/?before=1",
        "/?skip=1",
        "/?skip=1&between=4&without=5",
        "/?before=1&between=2",
    ];
    let members = |uri: &str, evaluation: Evaluation| {
        let ask = get(uri);
        let mut transaction = ask.open_evaluated(&rules, evaluation);
        let _ = transaction.request_headers();
        [
            "level",
            "score",
            "sum",
            "last",
            "1",
            "long-name-that-needs-memory-of-its-own",
        ]
        .map(|name| {
            transaction
                .tx_variable(name)
                .map(|value| String::from_utf8(value).unwrap())
        })
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        members("/", Evaluation::Plain),
        [text("1"), text("6"), text("62"), text("61"), None, None]
    );
    for first in uris {
        for second in uris {
            for uri in [first, second, second, first] {
                assert_eq!(
                    members(uri, Evaluation::Indexed),
                    members(uri, Evaluation::Plain),
                    "{uri} among {first} and {second}"
                );
            }
        }
    }
}

#[test]
fn a_request_that_came_to_an_end_before_leaves_nothing_for_the_next() {
    let rules = rules(
        r#"SecRule ARGS:a "@streq bad" "id:1,phase:1,deny,status:403,log,msg:'x'"
           SecAction "id:2,phase:1,pass,nolog,setvar:tx.a=1"
           SecRule TX:a "@eq 1" "id:3,phase:1,pass,log,msg:'x'""#,
    );
    for _ in 0..3 {
        assert_eq!(ids(&get("/?a=bad").to(&rules)), [1]);
        assert_eq!(ids(&get("/").to(&rules)), [3]);
    }
}

#[test]
fn what_outlives_a_request_is_written_by_each() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}"
           SecAction "id:2,phase:1,pass,nolog,setvar:ip.hits=+1"
           SecRule IP:hits "@gt 2" "id:3,phase:1,deny,status:429,log,msg:'x'""#,
    );
    let answers = [0; 4].map(|_| ids(&get("/").to(&rules)).len());
    assert_eq!(answers, [0, 0, 1, 1]);
}

#[test]
fn a_rule_may_skip_as_many_as_it_says() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,skip:18446744073709551615"
           SecAction "id:2,phase:1,pass,log,msg:'x'""#,
    );
    assert_eq!(ids(&get("/").to(&rules)), [] as [u64; 0]);
}
