//! Requests that come again to the byte: harmless ones are recalled, and nobody can tell but by the time it takes.

use super::*;
use crate::audit::AuditRecord;

fn recalling(text: &str) -> RuleSet {
    let limits = Limits {
        recalled_requests: 100,
        ..Limits::default()
    };
    rules_within(limits, text)
}

/// What ordinary rule sets do to a harmless request: they count, note, and steer.
const RULES: &str = r#"
    SecAction "id:1,phase:1,pass,nolog,setvar:tx.level=1,setvar:tx.score=0"
    SecRule REQUEST_FILENAME "@rx \.([a-z]+)$" "id:2,phase:1,pass,nolog,capture,setvar:tx.extension=%{TX.1}"
    SecRule ARGS|REQUEST_HEADERS "@contains evil" "id:3,phase:2,deny,log,msg:'x',setvar:tx.score=+5"
    SecRule ARGS:own "@streq 1" "id:4,phase:1,pass,nolog,ctl:ruleRemoveById=3"
    SecRule REQUEST_BODY "@contains evil" "id:5,phase:2,deny,log,msg:'x'"
    SecRule RESPONSE_STATUS "@eq 500" "id:6,phase:3,pass,log,msg:'x'"
    SecRule RESPONSE_BODY "@contains leak" "id:7,phase:4,deny,log,msg:'x'"
    SecRule TX:score "@eq 0" "id:8,phase:5,pass,nolog,setvar:tx.calm=1"
    SecRule RESPONSE_STATUS "@eq 418" "id:9,phase:1,deny,log,msg:'x'"
    SecRule RESPONSE_STATUS "@eq 418" "id:10,phase:2,deny,log,msg:'x'"
    SecRule RESPONSE_STATUS "@eq 418" "id:11,phase:5,pass,log,msg:'x'"
    SecRule ARGS:blind "@streq 1" "id:12,phase:1,pass,nolog,ctl:requestBodyAccess=Off,ctl:forceResponseBodyVariable=On"
    SecRule ARGS:raw "@streq 1" "id:13,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON,ctl:forceRequestBodyVariable=On"
    SecRule ARGS:free "@streq 1" "id:14,phase:1,allow:phase,nolog"
    SecRule REQUEST_FILENAME "@contains evil" "id:17,phase:2,pass,log,msg:'x'"
    SecAction "id:15,phase:1,pass,nolog,setvar:tx.late=1"
    SecRule ARGS:quiet "@streq 1" "id:16,phase:1,pass,nolog,ctl:auditEngine=On,ctl:responseBodyAccess=Off"
"#;

/// Everything that can be asked of a transaction.
#[derive(Debug, PartialEq)]
struct Seen {
    ids: Vec<u64>,
    tx: Vec<Option<Vec<u8>>>,
    wants: (bool, bool, usize, usize, bool),
    engine: crate::rule::EngineMode,
    stopped: Option<u16>,
    detected: bool,
    audit: AuditRecord,
}

fn seen(transaction: &Transaction) -> Seen {
    let tx = ["level", "Score", "extension", "calm", "late", "absent", "0", "1"];
    Seen {
        ids: ids(transaction),
        tx: tx.iter().map(|name| transaction.tx_variable(name)).collect(),
        wants: (
            transaction.wants_request_body(),
            transaction.wants_response_body(),
            transaction.request_body_limit(),
            transaction.response_body_limit(),
            transaction.wants_audit(),
        ),
        engine: transaction.engine_mode(),
        detected: transaction.detected_interruption().is_some(),
        stopped: transaction.interruption().and_then(|stop| stop.status()),
        audit: transaction.audit_record(),
    }
}

/// A step on the way of a transaction.
#[derive(Debug, Clone, Copy)]
enum Step {
    Head,
    Body(&'static str),
    PartOfBody,
    Answer(u16),
    Status(u16),
    AnswerBody(&'static str),
    LateHeader,
    Path,
    Logging,
}

fn take(step: Step, transaction: &mut Transaction) {
    let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
    match step {
        Step::Head => drop(transaction.request_headers()),
        Step::Body(text) => drop(transaction.request_body(bytes(text), Completeness::Complete)),
        Step::PartOfBody => drop(transaction.request_body(Bytes::new(), Completeness::Partial)),
        Step::Answer(status) => {
            transaction.response_line(status, b"HTTP/1.1");
            transaction.add_response_header(b"Content-Type", b"text/html");
            drop(transaction.response_headers());
        }
        Step::Status(status) => transaction.response_line(status, b"HTTP/1.1"),
        Step::AnswerBody(text) => drop(transaction.response_body(bytes(text), Completeness::Complete)),
        Step::Path => transaction.request_path(b"/evil.exe"),
        Step::LateHeader => transaction.add_request_header(b"X-Late", b"evil"),
        Step::Logging => transaction.logging(),
    }
}

/// The steps after a harmless request came often enough; what was seen after each.
fn along(ask: &Ask, rules: &RuleSet, steps: &[Step]) -> Vec<Seen> {
    let mut transaction = ask.open(rules);
    let seen = steps.iter().map(|step| {
        take(*step, &mut transaction);
        seen(&transaction)
    });
    seen.collect()
}

fn whole(ask: &Ask, rules: &RuleSet) -> Transaction {
    let mut transaction = ask.to(rules);
    transaction.logging();
    transaction
}

#[test]
fn what_is_recalled_is_what_would_have_been_found() {
    use Step::*;
    let plain = rules(RULES);
    let ways: &[&[Step]] = &[
        &[Head, Body(""), Logging],
        &[Head, Body(""), Logging, Logging, Head, Body("evil")],
        &[Head, Body("a=evil"), Logging],
        &[Head, Body("a=1"), Logging],
        &[Head, PartOfBody, Logging],
        &[Head, Logging],
        &[Head, Answer(500), Logging],
        &[Head, Body(""), Answer(200), AnswerBody("fine"), Logging],
        &[Head, Body(""), Answer(500), AnswerBody("a leak"), Logging],
        &[Head, LateHeader, Body(""), Logging],
        &[Head, Body(""), LateHeader, Logging],
        &[Body(""), Logging],
        &[Logging],
        &[Answer(500), Logging],
        &[LateHeader, Head, Body(""), Logging],
        &[Path, Head, Body(""), Logging],
        &[Path, LateHeader, Head, Body(""), Logging],
        &[Head, Path, Body(""), Logging],
        &[Status(418), Head, Body(""), Logging],
        &[Head, Status(418), Body(""), Logging],
        &[Head, Body(""), Status(418), Logging],
        &[Head, Body(""), Logging, Status(418), Head, Answer(500)],
    ];
    for ask in [
        get("/page.html?q=1"),
        get("/"),
        get("/?own=1&q=evil"),
        get("/?blind=1"),
        get("/?raw=1"),
        get("/?free=1"),
        get("/?quiet=1"),
        get("/").header("Content-Type", "application/x-www-form-urlencoded"),
    ] {
        for way in ways {
            let recalling = recalling(RULES);
            for _ in 0..2 {
                whole(&ask, &recalling);
            }
            assert!(whole(&ask, &recalling).is_recalled(), "{}", ask.uri);
            let (expected, found) = (along(&ask, &plain, way), along(&ask, &recalling, way));
            assert_eq!(found, expected, "{} {way:?}", ask.uri);
        }
    }
}

#[test]
fn requests_with_a_body_recall_none() {
    let rules = recalling(RULES);
    for _ in 0..4 {
        assert!(!whole(&form("a=1"), &rules).is_recalled());
        assert_eq!(ids(&whole(&form("a=evil"), &rules)), [3]);
    }
}

#[test]
fn only_what_comes_the_third_time_is_recalled() {
    let rules = recalling(RULES);
    let ask = get("/a.css");
    let recalled = [(); 4].map(|()| whole(&ask, &rules).is_recalled());
    assert_eq!(recalled, [false, false, true, true]);
    for other in [
        get("/a.css?"),
        get("/a.css").header("A", "b"),
        get("/A.css"),
        Ask {
            method: "HEAD".into(),
            ..get("/a.css")
        },
    ] {
        assert!(!whole(&other, &rules).is_recalled());
    }
    // Another client, another rule set.
    let mut other = ask.open(&rules);
    other.connection(
        "203.0.113.10:4711".parse().unwrap(),
        "[2001:db8::1]:443".parse().unwrap(),
    );
    let _ = other.request_headers();
    assert!(!other.is_recalled());
    assert!(!whole(&ask, &recalling(RULES)).is_recalled());
}

#[test]
fn what_was_found_in_a_request_is_found_each_time() {
    for rule in [
        r#"SecRule ARGS "@streq evil" "id:1,phase:2,deny,nolog""#,
        r#"SecRule ARGS "@streq evil" "id:1,phase:1,deny,log,msg:'x'""#,
        r#"SecRule ARGS "@streq evil" "id:1,phase:2,pass,log,msg:'x'""#,
        r#"SecRule ARGS "@streq evil" "id:1,phase:2,pass,nolog,auditlog,msg:'x'""#,
        r#"SecRule ARGS "@streq evil" "id:1,phase:1,allow,nolog""#,
        "SecRuleEngine DetectionOnly\nSecRule ARGS \"@streq evil\" \"id:1,phase:2,deny,nolog\"",
        r#"SecRule ARGS "@streq evil" "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1""#,
        r#"SecRule ARGS "@streq evil" "id:1,phase:1,pass,nolog,setenv:a=b""#,
        r#"SecRule ARGS "@streq evil" "id:1,phase:1,pass,nolog,setsid:%{ARGS.q}""#,
        r#"SecRule TIME_HOUR "@ge 0" "id:1,phase:1,pass,nolog""#,
        r#"SecRule ARGS "@streq evil" "id:1,phase:2,pass,nolog,setvar:tx.when=%{TIME_EPOCH}""#,
        r#"SecRule REMOTE_PORT "@eq 1" "id:1,phase:2,pass,nolog""#,
        r#"SecRule UNIQUE_ID "@streq id-2" "id:1,phase:2,deny,nolog""#,
    ] {
        let rules = recalling(rule);
        for round in 0..4 {
            assert!(
                !whole(&get("/?q=evil"), &rules).is_recalled(),
                "{rule}, round {round}"
            );
        }
    }
}

#[test]
fn what_differs_between_requests_that_are_the_same_is_known() {
    use crate::variables::Variable;
    for variable in Variable::ALL {
        let text = format!("SecRule {variable} \"@unconditionalMatch\" \"id:1,phase:2,pass,log,msg:'x'\"");
        let rules = rules(&text);
        let values = |id: &str, unix_micros, client: &str| {
            let mut transaction = rules.transaction(RequestOrigin {
                id: id.into(),
                unix_micros,
                utc_offset_seconds: 0,
            });
            transaction.connection(client.parse().unwrap(), "192.0.2.1:443".parse().unwrap());
            transaction.request_line(b"GET", b"/a?b=c", b"HTTP/1.1");
            transaction.add_request_header(b"Host", b"app.test");
            let _ = transaction.request_headers();
            let _ = transaction.request_body(Bytes::new(), Completeness::Complete);
            shown(&transaction)
        };
        let one = values("id-1", NOON, "203.0.113.9:4711");
        // Another second, minute, hour, weekday, day, month and year.
        let year = 365 * 24 * 3600 * 1_000_000;
        let other = values("id-2", NOON + year + 62 * 24 * 3_661_000_000, "203.0.113.9:4712");
        assert_eq!(
            one != other,
            variable.is_unrepeatable(),
            "{variable}: {one:?} {other:?}"
        );
        // And who looks at it is seen doing so.
        let harmless = format!("SecRule {variable} \"@streq nobody\" \"id:1,phase:2,pass,nolog\"");
        let rules = recalling(&harmless);
        let recalled = [(); 3].map(|()| whole(&get("/a?b=c"), &rules).is_recalled());
        assert_eq!(recalled[2], !variable.is_unrepeatable(), "{variable}");
    }
}

#[test]
fn a_counter_counts_each_request() {
    let rules = recalling(
        r#"SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1"
           SecRule IP:hits "@gt 3" "id:2,phase:1,deny,nolog""#,
    );
    let stopped = [(); 5].map(|()| whole(&get("/"), &rules).interruption().is_some());
    assert_eq!(stopped, [false, false, false, true, true]);
}

#[test]
fn a_flood_of_requests_that_all_differ_drives_out_none_that_is_known() {
    let rules = recalling(RULES);
    for _ in 0..3 {
        whole(&get("/known"), &rules);
    }
    for place in 0..5000 {
        whole(&get(&format!("/{place}")), &rules);
    }
    assert!(whole(&get("/known"), &rules).is_recalled());
}

#[test]
fn what_requests_come_to_is_kept_within_bounds_and_learnt_anew() {
    let page = |name: &str| get("/a").header("X-Name", name);
    let rules = recalling(
        r#"SecRule REQUEST_HEADERS:X-Name "@rx ." "id:1,phase:1,pass,nolog,setvar:tx.name=%{MATCHED_VAR}""#,
    );
    let seen = |name: &str| {
        let transaction = whole(&page(name), &rules);
        assert_eq!(transaction.tx_variable("name").unwrap(), name.as_bytes());
        transaction.is_recalled()
    };
    // Each comes to something of its own: megabytes in all.
    let names: Vec<String> = (0..400).map(|place| format!("{place:04000}")).collect();
    for name in names.iter().flat_map(|name| [name, name]) {
        assert!(!seen(name));
    }
    assert!(seen(&names[399]));
    let known = names.iter().filter(|name| seen(name)).count();
    assert!((1..200).contains(&known), "{known}");
    // What comes to more than is ever kept is evaluated each time.
    let long = "x".repeat(20_000);
    assert!(!(0..4).any(|_| seen(&long)));
}

#[test]
fn a_rule_set_that_is_gone_leaves_nothing() {
    let life = {
        let rules = recalling(RULES);
        for _ in 0..3 {
            whole(&get("/"), &rules);
        }
        std::sync::Arc::downgrade(rules.life())
    };
    assert_eq!(life.strong_count(), 0);
    // More of them than a thread has memories for, one after another.
    for _ in 0..100 {
        let rules = recalling(RULES);
        let recalled = [(); 3].map(|()| whole(&get("/"), &rules).is_recalled());
        assert_eq!(recalled, [false, false, true]);
    }
}

#[test]
fn a_transaction_may_change_threads_between_its_phases() {
    let rules = recalling(RULES);
    let elsewhere = |mut transaction: Transaction| {
        std::thread::spawn(move || {
            let _ = transaction.request_body(Bytes::new(), Completeness::Complete);
            transaction.logging();
            (transaction.is_recalled(), ids(&transaction))
        })
        .join()
        .unwrap()
    };
    for _ in 0..3 {
        whole(&get("/"), &rules);
    }
    for (ask, recalled) in [(get("/"), true), (get("/new"), false)] {
        for _ in 0..3 {
            let mut transaction = ask.open(&rules);
            let _ = transaction.request_headers();
            assert_eq!(elsewhere(transaction), (recalled, vec![]));
        }
    }
}

#[test]
fn a_counter_of_the_last_phase_counts_each_request() {
    let rules = recalling(
        r#"SecAction "id:1,phase:5,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1"
           SecRule IP:hits "@gt 0" "id:2,phase:5,pass,nolog,setvar:tx.hits=%{IP.hits}""#,
    );
    let hits = [(); 4].map(|()| tx(&whole(&get("/"), &rules), "hits"));
    assert_eq!(hits, ["1", "2", "3", "4"]);
}
