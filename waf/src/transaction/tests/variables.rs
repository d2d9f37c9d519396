//! Traps 4, 5, 6, 9, 20: what a variable is, and when it is nothing.

use super::*;

#[test]
fn an_absent_value_is_no_value_even_for_a_negated_operator() {
    let rules = rules(
        r#"SecRule REQUEST_HEADERS:Accept "!@streq x" "id:1,phase:1,deny"
           SecRule ARGS:nothing "!@rx x" "id:2,phase:1,deny"
           SecRule TX:nothing "!@rx x" "id:3,phase:1,deny"
           SecRule RESPONSE_STATUS "!@rx x" "id:4,phase:1,deny""#,
    );
    assert_eq!(get("/").to(&rules).interruption(), None);
    assert_eq!(status(&get("/").header("Accept", "").to(&rules)), Some(403));
}

#[test]
fn a_count_of_nothing_is_zero() {
    let rules = rules(
        r#"SecRule &ARGS "@eq 0" "id:1,phase:1,pass,nolog,setvar:tx.args=none"
           SecRule &TX:nothing "@eq 0" "id:2,phase:1,pass,nolog,setvar:tx.tx=none"
           SecRule &REQUEST_HEADERS:host "@eq 1" "id:3,phase:1,pass,nolog,setvar:tx.host=one"
           SecRule &ARGS|&REQUEST_HEADERS "@gt 5" "id:4,phase:1,deny""#,
    );
    let transaction = get("/").to(&rules);
    assert_eq!(
        [
            tx(&transaction, "args"),
            tx(&transaction, "tx"),
            tx(&transaction, "host")
        ],
        ["none", "none", "one"]
    );
    assert_eq!(status(&get("/?a&b&c&d&e&f").to(&rules)), Some(403));
}

#[test]
fn names_are_compared_without_case_everywhere() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,setvar:tx.My_Name=%{request_headers.USER-AGENT}"
           SecRule tx:MY_NAME "@streq curl" "id:2,phase:1,pass,nolog,setvar:TX.found=%{Tx.my_name}"
           SecRule REQUEST_HEADERS:uSeR-aGeNt "@streq curl" "id:3,phase:1,pass,nolog,setvar:tx.header=1"
           SecRule ARGS:Q "@streq 1" "id:4,phase:1,pass,nolog,setvar:tx.arg=1""#,
    );
    let transaction = get("/?q=1").header("User-Agent", "curl").to(&rules);
    assert_eq!(
        [
            tx(&transaction, "FOUND"),
            tx(&transaction, "header"),
            tx(&transaction, "arg")
        ],
        ["curl", "1", "1"]
    );
}

#[test]
fn a_pattern_selects_among_names_made_at_run_time() {
    let rules = rules(
        r#"SecRule ARGS_NAMES "@rx ." "id:1,phase:2,pass,nolog,setvar:'tx.count_%{MATCHED_VAR_NAME}=+1'"
           SecRule TX:/^COUNT_.*/ "@gt 1" "id:2,phase:2,pass,log,msg:'%{MATCHED_VAR_NAME}',logdata:'%{MATCHED_VAR}'""#,
    );
    let transaction = get("/?a=1&Twice=1&Twice=2").to(&rules);
    let [matched] = transaction.matched_rules() else {
        panic!()
    };
    assert_eq!(matched.msg, "TX:count_ARGS_NAMES:Twice");
    assert_eq!(matched.logdata, "2");
}

#[test]
fn selections_and_exclusions_by_name_and_pattern() {
    let ask = get("/?id_a=1&id_b=2&other=3");
    assert_eq!(values(&ask, "ARGS:/^id_/"), ["id_a=1", "id_b=2"]);
    assert_eq!(values(&ask, "ARGS|!ARGS:id_a"), ["id_b=2", "other=3"]);
    assert_eq!(values(&ask, "ARGS|!ARGS:/^id_/"), ["other=3"]);
    assert_eq!(values(&ask, "ARGS:other|ARGS:ID_A"), ["other=3", "id_a=1"]);
}

#[test]
fn the_uri_is_raw_and_the_file_name_decoded() {
    let ask = get("/a%20b/c%2ephp?q=%41%20#frag");
    assert_eq!(values(&ask, "REQUEST_FILENAME"), ["/a b/c.php"]);
    assert_eq!(values(&ask, "REQUEST_BASENAME"), ["c.php"]);
    assert_eq!(values(&ask, "REQUEST_URI"), ["/a%20b/c%2ephp?q=%41%20"]);
    assert_eq!(values(&ask, "REQUEST_URI_RAW"), ["/a%20b/c%2ephp?q=%41%20#frag"]);
    assert_eq!(
        values(&ask, "REQUEST_LINE"),
        ["GET /a%20b/c%2ephp?q=%41%20#frag HTTP/1.1"]
    );
    assert_eq!(values(&ask, "QUERY_STRING"), ["q=%41%20"]);
    assert_eq!(values(&ask, "ARGS"), ["q=A "]);
}

#[test]
fn a_proxy_style_uri_has_its_host_only_in_the_raw_form() {
    let ask = get("http://other.test/p/q.php?x=1");
    assert_eq!(values(&ask, "REQUEST_URI"), ["/p/q.php?x=1"]);
    assert_eq!(values(&ask, "REQUEST_FILENAME"), ["/p/q.php"]);
    assert_eq!(values(&ask, "REQUEST_URI_RAW"), ["http://other.test/p/q.php?x=1"]);
}

#[test]
fn the_connection_and_the_time() {
    let ask = get("/");
    for (variable, value) in [
        ("REMOTE_ADDR", "203.0.113.9"),
        ("REMOTE_PORT", "4711"),
        ("SERVER_ADDR", "2001:db8::1"),
        ("SERVER_PORT", "443"),
        ("SERVER_NAME", "app.test"),
        ("UNIQUE_ID", "id-1"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_PROTOCOL", "HTTP/1.1"),
        ("TIME", "13:34:56"),
        ("TIME_EPOCH", "1709210096"),
        ("TIME_YEAR", "2024"),
        ("TIME_MON", "2"),
        ("TIME_DAY", "29"),
        ("TIME_HOUR", "13"),
        ("TIME_MIN", "34"),
        ("TIME_SEC", "56"),
        ("TIME_WDAY", "4"),
        ("DURATION", "0"),
        ("HIGHEST_SEVERITY", "255"),
        ("REQBODY_PROCESSOR", ""),
        ("REQBODY_ERROR", "0"),
        ("URLENCODED_ERROR", "0"),
        ("FILES_COMBINED_SIZE", "0"),
        ("FULL_REQUEST", "GET / HTTP/1.1\nHost: app.test:8443\n\n"),
        ("FULL_REQUEST_LENGTH", "36"),
    ] {
        assert_eq!(values(&ask, variable), [value], "{variable}");
    }
    assert!(values(&ask, "GEO").is_empty());
    assert!(
        values(&ask, "ENV").is_empty(),
        "the process environment is none of a rule's business"
    );
}

#[test]
fn an_ipv4_client_on_an_ipv6_socket_is_an_ipv4_client() {
    let rules = rules(r#"SecRule REMOTE_ADDR "@ipMatch 192.0.2.0/24" "id:1,phase:1,deny""#);
    let mut transaction = get("/").open(&rules);
    transaction.connection(
        "[::ffff:192.0.2.7]:9".parse().unwrap(),
        "[::1]:443".parse().unwrap(),
    );
    let _ = transaction.request_headers();
    assert_eq!(status(&transaction), Some(403));
}

#[test]
fn cookies_and_credentials() {
    let ask = get("/")
        .header("Cookie", "a=1; B=x=y; flag")
        .header("Authorization", "Basic dXNlcjpzZWNyZXQ=");
    assert_eq!(values(&ask, "REQUEST_COOKIES:b"), ["B=x=y"]);
    assert_eq!(values(&ask, "REQUEST_COOKIES_NAMES"), ["a=a", "B=B", "flag=flag"]);
    assert_eq!(values(&ask, "AUTH_TYPE"), ["Basic"]);
    assert_eq!(values(&ask, "REMOTE_USER"), ["user"]);
    assert!(values(&get("/"), "REMOTE_USER").is_empty());
}

#[test]
fn a_rule_knows_itself() {
    let rules = rules(
        r#"SecRule ARGS:a "@rx ." "id:77,phase:2,pass,nolog,rev:'2',severity:'ERROR',msg:'about %{MATCHED_VAR}',\
             setvar:'tx.id=%{rule.id}',setvar:'tx.msg=%{RULE.msg}',setvar:'tx.sev=%{rule.severity}',setvar:'tx.rev=%{rule.rev}'"
           SecRule ARGS:a "@rx ." "id:78,phase:2,pass,log,msg:'me: %{rule.msg}'"
           SecRule HIGHEST_SEVERITY "@eq 3" "id:79,phase:2,pass,nolog,setvar:tx.highest=1""#,
    );
    let transaction = get("/?a=it").to(&rules);
    assert_eq!(
        ["id", "msg", "sev", "rev"].map(|name| tx(&transaction, name)),
        ["77", "about it", "3", "2"]
    );
    assert_eq!(transaction.matched_rules()[0].msg, "me: me: ");
    assert_eq!(tx(&transaction, "highest"), "1");
}
