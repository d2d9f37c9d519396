//! Requests that bring the same values one after another: what is remembered of values changes no answer.

use super::*;

/// What the same operators say of the same header with different ways to it.
const RULES: &str = r#"
    SecRule REQUEST_HEADERS:User-Agent "@rx bot" "id:1,phase:1,pass,log,msg:'x'"
    SecRule REQUEST_HEADERS:User-Agent "@rx bot" "id:2,phase:1,pass,log,t:lowercase,msg:'x'"
    SecRule REQUEST_HEADERS:User-Agent "@rx bot" "id:3,phase:1,pass,log,t:urlDecode,multiMatch,msg:'x'"
    SecRule REQUEST_HEADERS:User-Agent "@rx bot" "id:4,phase:1,pass,log,t:urlDecode,msg:'x'"
    SecRule REQUEST_HEADERS:User-Agent "!@rx bot" "id:5,phase:1,pass,log,msg:'x'"
    SecRule REQUEST_HEADERS:User-Agent "!@rx bot" "id:6,phase:1,pass,log,t:lowercase,msg:'x'"
    SecRule REQUEST_HEADERS:User-Agent "@contains %{ARGS.find}" "id:7,phase:1,pass,log,msg:'x'"
    SecRule &REQUEST_HEADERS:User-Agent "@gt 1" "id:8,phase:1,pass,log,msg:'x'"
    SecRule REQUEST_HEADERS|ARGS "@rx (?i)b(o)t" "id:9,phase:1,pass,log,capture,msg:'x',logdata:'%{TX.1}'"
"#;

#[test]
fn a_header_that_comes_again_has_the_same_answer() {
    let rules = rules(RULES);
    let agent = |agent: &str| get("/?find=x").header("User-Agent", agent);
    for round in 0..4 {
        for (ask, expected) in [
            (agent("a robot"), &[1, 2, 3, 4, 9][..]),
            (agent("a ROBOT"), &[2, 5, 9]),
            (agent("a ro%62ot"), &[3, 4, 5, 6]),
            (agent("a fox"), &[5, 6, 7]),
            (
                agent("a fox").header("User-Agent", "bot"),
                &[1, 2, 3, 4, 5, 6, 7, 8, 9],
            ),
            (get("/?find=x"), &[]),
            (get("/?find=robot"), &[9]),
        ] {
            assert_eq!(ids(&ask.to(&rules)), expected, "{:?}, round {round}", ask.headers);
        }
    }
}

#[test]
fn what_is_taken_from_a_rule_for_one_request_is_there_for_the_next() {
    let rules = rules(
        r#"SecRule ARGS:a "@streq 1" "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;REQUEST_HEADERS:Accept,ctl:ruleRemoveTargetById=3;REQUEST_HEADERS:Accept"
           SecRule REQUEST_HEADERS "@rx evil" "id:2,phase:1,pass,log,msg:'x'"
           SecRule &REQUEST_HEADERS:Accept "@eq 0" "id:3,phase:1,pass,log,msg:'x'""#,
    );
    for _ in 0..3 {
        let evil = |uri: &str| ids(&get(uri).header("Accept", "evil").to(&rules));
        assert_eq!(evil("/?a=1"), [3]);
        assert_eq!(evil("/?a=2"), [2]);
    }
}

#[test]
fn transactions_that_wait_for_one_another_do_not_see_each_other() {
    let rules = rules(
        r#"SecRule REQUEST_HEADERS:X|ARGS "@rx evil" "id:1,phase:1,pass,log,msg:'x'"
           SecRule REQUEST_HEADERS:X|ARGS "@rx evil" "id:2,phase:2,pass,log,msg:'x'"
           SecRule REQUEST_HEADERS:X|ARGS "@rx evil" "id:3,phase:5,pass,log,msg:'x'"
           SecRule REQUEST_HEADERS:X "!@rx good" "id:4,phase:5,pass,log,msg:'x'""#,
    );
    let asks = [
        (get("/?a=evil"), &[1, 2, 3][..]),
        (get("/?a=fine").header("X", "good"), &[]),
        (form("a=evil"), &[2, 3]),
        (get("/").header("X", "evil"), &[1, 2, 3, 4]),
    ];
    let mut open: Vec<_> = asks.iter().map(|(ask, _)| ask.open(&rules)).collect();
    for transaction in &mut open {
        let _ = transaction.request_headers();
    }
    for (transaction, (ask, _)) in open.iter_mut().zip(&asks).rev() {
        let _ = transaction.request_body(Bytes::from(ask.body.clone()), Completeness::Complete);
    }
    // One that goes to another thread finds other memory there.
    let last = open.pop().unwrap();
    let mut last = std::thread::spawn(move || {
        let mut last = last;
        last.logging();
        last
    })
    .join()
    .unwrap();
    last.logging();
    open.iter_mut().for_each(Transaction::logging);
    open.push(last);
    for (transaction, (ask, expected)) in open.iter().zip(&asks) {
        assert_eq!(ids(transaction), *expected, "{}", ask.uri);
    }
}

#[test]
fn the_same_bytes_as_a_whole_body_and_as_a_part_of_it_are_asked_by_the_rules_of_each() {
    let rules = rules(
        r#"SecRule REQUEST_BODY "@rx ^union$" "id:1,phase:2,pass,log,msg:'x'"
           SecRule ARGS_NAMES "@rx select|union" "id:2,phase:2,pass,log,msg:'x'"
           SecRule ARGS_NAMES|REQUEST_BODY "@rx ni" "id:3,phase:2,pass,log,t:lowercase,msg:'x'"
           SecRule REQUEST_BODY "@rx union" "id:4,phase:2,pass,log,t:urlDecodeUni,t:removeNulls,msg:'x'"
           SecRule ARGS_NAMES "@rx drop" "id:5,phase:2,pass,log,t:urlDecodeUni,t:removeNulls,msg:'x'"
           SecRule QUERY_STRING "@rx drop" "id:6,phase:2,pass,log,t:urlDecodeUni,msg:'x'""#,
    );
    for _ in 0..2 {
        assert_eq!(ids(&form("union").to(&rules)), [1, 2, 3, 3, 4]);
        assert_eq!(ids(&form("un%00ion").to(&rules)), [4]);
        assert_eq!(ids(&get("/?dr%6Fp").to(&rules)), [5, 6]);
        assert_eq!(ids(&form("drop").to(&rules)), [5]);
    }
}
