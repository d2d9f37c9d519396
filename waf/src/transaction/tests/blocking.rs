//! What stops a request, and what does not. Trap 25.

use super::*;
use crate::rule::Phase;
use crate::{Interruption, InterruptionKind};

#[test]
fn deny_drop_and_redirect() {
    for (action, kind) in [
        ("deny", InterruptionKind::Deny { status: 403 }),
        ("deny,status:429", InterruptionKind::Deny { status: 429 }),
        ("drop", InterruptionKind::Drop),
        (
            "redirect:'https://login.test/?from=%{REQUEST_FILENAME}'",
            InterruptionKind::Redirect {
                status: 302,
                location: b"https://login.test/?from=/p".to_vec(),
            },
        ),
        (
            "status:307,redirect:https://login.test/",
            InterruptionKind::Redirect {
                status: 307,
                location: b"https://login.test/".to_vec(),
            },
        ),
    ] {
        let rules = rules(&format!(
            "SecRule ARGS:x \"@rx evil\" \"id:9,phase:2,{action},msg:'m'\""
        ));
        let transaction = get("/p?x=evil").to(&rules);
        let expected = Interruption {
            rule_id: 9,
            phase: Phase::RequestBody,
            kind,
        };
        assert_eq!(transaction.interruption(), Some(&expected), "{action}");
        assert!(transaction.matched_rules()[0].disruptive);
        assert_eq!(get("/p?x=good").to(&rules).interruption(), None);
    }
}

#[test]
fn block_is_what_the_default_action_of_the_phase_says() {
    let rules = rules(
        r#"SecDefaultAction "phase:1,log,deny,status:406"
           SecDefaultAction "phase:2,log,pass"
           SecRule ARGS:one "@rx ." "id:1,phase:1,block"
           SecRule ARGS:two "@rx ." "id:2,phase:2,block""#,
    );
    assert_eq!(status(&get("/?one=1").to(&rules)), Some(406));
    assert_eq!(status(&get("/?two=1").to(&rules)), None);
}

#[test]
fn a_stopped_transaction_gives_the_same_answer_and_runs_only_the_logging_phase() {
    let rules = rules(
        r#"SecRule ARGS:x "@rx evil" "id:1,phase:1,deny"
           SecAction "id:2,phase:1,pass,nolog,setvar:tx.later=1"
           SecAction "id:3,phase:2,pass,nolog,setvar:tx.body=1"
           SecAction "id:4,phase:5,pass,nolog,setvar:tx.logged=1""#,
    );
    let mut transaction = get("/?x=evil").open(&rules);
    let first = transaction.request_headers();
    assert!(matches!(first, Verdict::Interrupted(_)));
    assert_eq!(
        transaction.request_body(Bytes::new(), Completeness::Complete),
        first
    );
    assert_eq!(transaction.response_headers(), first);
    transaction.logging();
    assert_eq!(
        ["later", "body", "logged"].map(|name| tx(&transaction, name)),
        ["-", "-", "1"]
    );
}

#[test]
fn detection_only_stops_nothing_and_tells_what_it_would_have() {
    let text = "SecRuleEngine DetectionOnly\n\
                SecRule ARGS:x \"@rx evil\" \"id:1,phase:1,deny,msg:'m'\"\n\
                SecRule ARGS:x \"@rx evil\" \"id:2,phase:1,drop,msg:'m'\"";
    let transaction = get("/?x=evil").to(&rules(text));
    assert_eq!(transaction.interruption(), None);
    assert_eq!(
        transaction.detected_interruption().map(|would| would.rule_id),
        Some(1)
    );
    assert_eq!(ids(&transaction), [1, 2]);
}

#[test]
fn a_rule_can_turn_the_engine_down_for_one_request() {
    let rules = rules(
        r#"SecRule REMOTE_ADDR "@ipMatch 203.0.113.0/24" "id:1,phase:1,pass,nolog,ctl:ruleEngine=DetectionOnly"
           SecRule ARGS "@rx evil" "id:2,phase:2,deny,msg:'m'""#,
    );
    let ask = get("/?x=evil");
    let transaction = ask.to(&rules);
    assert_eq!((transaction.interruption(), ids(&transaction)), (None, vec![2]));

    let mut outsider = ask.open(&rules);
    outsider.connection("198.51.100.1:1".parse().unwrap(), "[::1]:443".parse().unwrap());
    let _ = outsider.request_headers();
    assert!(matches!(
        outsider.request_body(Bytes::new(), Completeness::Complete),
        Verdict::Interrupted(_)
    ));
}

#[test]
fn a_rule_can_turn_the_engine_off_for_the_rest() {
    let rules = rules(
        r#"SecRule ARGS:off "@rx ." "id:1,phase:1,pass,nolog,ctl:ruleEngine=Off"
           SecAction "id:2,phase:1,deny""#,
    );
    assert_eq!(get("/?off=1").to(&rules).interruption(), None);
    assert_eq!(status(&get("/").to(&rules)), Some(403));
}

#[test]
fn allow_reaches_as_far_as_it_says() {
    for (allow, phases) in [
        ("allow", "----5"),
        ("allow:request", "--345"),
        ("allow:phase", "-2345"),
    ] {
        let rules = rules(&format!(
            "SecAction \"id:1,phase:1,{allow},nolog\"\n\
             SecAction \"id:11,phase:1,pass,nolog,setvar:tx.p1=1\"\n\
             SecAction \"id:12,phase:2,pass,nolog,setvar:tx.p2=2\"\n\
             SecAction \"id:13,phase:3,pass,nolog,setvar:tx.p3=3\"\n\
             SecAction \"id:14,phase:4,pass,nolog,setvar:tx.p4=4\"\n\
             SecAction \"id:15,phase:5,pass,nolog,setvar:tx.p5=5\""
        ));
        let transaction = get("/").to_and_back(&rules, "text/html", "");
        let ran: String = ["p1", "p2", "p3", "p4", "p5"]
            .map(|name| tx(&transaction, name))
            .concat();
        assert_eq!(ran, phases, "{allow}");
    }
}

#[test]
fn a_body_that_no_rule_will_see_is_not_wanted() {
    for (allow, wanted) in [
        ("allow", [false, false]),
        ("allow:request", [false, true]),
        ("allow:phase", [true, true]),
    ] {
        let rules = rules(&format!("SecAction \"id:1,phase:1,{allow},nolog\""));
        let mut transaction = get("/").open(&rules);
        let _ = transaction.request_headers();
        let request = transaction.wants_request_body();
        transaction.response_line(200, b"HTTP/1.1");
        transaction.add_response_header(b"Content-Type", b"text/html");
        let _ = transaction.response_headers();
        assert_eq!([request, transaction.wants_response_body()], wanted, "{allow}");
    }
}

#[test]
fn a_redirect_cannot_be_split_in_two_headers() {
    let rules = rules(r#"SecAction "id:1,phase:1,redirect:'https://a.test/%{REQUEST_FILENAME}'""#);
    let transaction = get("/x%0d%0aSet-Cookie:%20a=1").to(&rules);
    let location = b"https://a.test//x%0D%0ASet-Cookie:%20a=1".to_vec();
    let kind = InterruptionKind::Redirect {
        status: 302,
        location,
    };
    assert_eq!(transaction.interruption().map(|stop| &stop.kind), Some(&kind));
}

#[test]
fn an_engine_that_only_detects_allows_nothing_either() {
    let rules = rules(
        "SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,allow,nolog\"\nSecAction \"id:2,phase:1,pass,log,msg:'m'\"",
    );
    assert_eq!(ids(&get("/").to(&rules)), [2]);
}

#[test]
fn an_anomaly_score_past_its_threshold_blocks() {
    let rules = rules(
        r#"SecRule ARGS "@rx (?i)union\s+select" "id:1,phase:2,pass,log,msg:'sqli',severity:CRITICAL,setvar:'tx.score=+5'"
           SecRule ARGS "@rx <script" "id:2,phase:2,pass,log,msg:'xss',setvar:'tx.score=+5'"
           SecRule TX:score "@ge 10" "id:3,phase:2,deny,log,msg:'Total %{tx.score}'""#,
    );
    assert_eq!(status(&get("/?a=union+select").to(&rules)), None);
    let attack = get("/?a=union+select&b=%3Cscript").to(&rules);
    assert_eq!((status(&attack), ids(&attack)), (Some(403), vec![1, 2, 3]));
    assert_eq!(attack.matched_rules()[2].msg, "Total 10");
}
