//! Collections that outlive a transaction.

use super::*;

const RATE: &str = r#"SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1,expirevar:ip.hits=60"
                      SecRule IP:hits "@gt 2" "id:2,phase:1,deny,status:429,msg:'%{ip.hits} hits'""#;

#[test]
fn a_counter_counts_over_requests_until_it_expires() {
    let rules = rules(RATE);
    let answers: Vec<_> = (0..4)
        .map(|second| {
            let mut transaction = get("/").open_at(NOON + second * 1_000_000, &rules);
            let _ = transaction.request_headers();
            status(&transaction)
        })
        .collect();
    assert_eq!(answers, [None, None, Some(429), Some(429)]);
    let mut later = get("/").open_at(NOON + 100 * 1_000_000, &rules);
    let _ = later.request_headers();
    assert_eq!(status(&later), None);
}

#[test]
fn each_client_has_its_own_record() {
    let rules = rules(RATE);
    for client in 1..=5 {
        let mut transaction = get("/").open(&rules);
        transaction.connection(
            format!("192.0.2.{client}:1").parse().unwrap(),
            "[::1]:443".parse().unwrap(),
        );
        let _ = transaction.request_headers();
        assert_eq!(status(&transaction), None);
    }
}

#[test]
fn a_collection_that_is_not_open_holds_and_takes_nothing() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,setvar:global.x=1"
           SecRule &GLOBAL "@eq 0" "id:2,phase:1,pass,nolog,setvar:tx.empty=1"
           SecAction "id:3,phase:1,pass,nolog,initcol:global=all,setvar:global.x=1"
           SecRule &GLOBAL:X "@eq 1" "id:4,phase:1,pass,nolog,setvar:tx.open=1,setvar:!global.x"
           SecRule &GLOBAL "@eq 0" "id:5,phase:1,pass,nolog,setvar:tx.removed=1""#,
    );
    let transaction = get("/").to(&rules);
    assert_eq!(
        ["empty", "open", "removed"].map(|name| tx(&transaction, name)),
        ["1", "1", "1"]
    );
}

#[test]
fn sessions_users_and_applications_keep_apart() {
    let text = r#"SecAction "id:1,phase:1,pass,nolog,setsid:%{REQUEST_COOKIES.sid},setvar:session.hits=+1,setvar:tx.hits=%{session.hits},setvar:tx.sid=%{SESSIONID}"
                  SecAction "id:2,phase:1,pass,nolog,setuid:%{ARGS.user},setvar:user.hits=+1,setvar:tx.user=%{userid}:%{user.hits}""#;
    let rules = rules(text);
    let visit = |sid: &str| {
        let transaction = get("/?user=ann")
            .header("Cookie", &format!("sid={sid}"))
            .to(&rules);
        [
            tx(&transaction, "sid"),
            tx(&transaction, "hits"),
            tx(&transaction, "user"),
        ]
    };
    assert_eq!(visit("a"), ["a", "1", "ann:1"]);
    assert_eq!(visit("a"), ["a", "2", "ann:2"]);
    assert_eq!(visit("b"), ["b", "1", "ann:3"]);
}
