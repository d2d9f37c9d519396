//! Traps 16, 17, 18 and 24: what rules see of bodies.

use super::*;

const JSON: &str = r#"SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" "id:90,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
"#;
const XML: &str = r#"SecRule REQUEST_HEADERS:Content-Type "@rx ^text/xml" "id:91,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"
"#;

fn seen(ask: &Ask, before: &str, variable: &str) -> Vec<String> {
    let rule = format!("SecRule {variable} \"@unconditionalMatch\" \"id:1,phase:2,pass,log,msg:'x'\"");
    shown(&ask.to(&rules(&[before, &rule].concat())))
}

fn upload() -> Ask {
    let body = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n\
                --b\r\nContent-Disposition: form-data; name=\"doc\"; filename=\"a.php\"\r\n\
                Content-Type: text/plain\r\n\r\n<?php ?>\r\n--b--\r\n";
    post("multipart/form-data; boundary=b", body)
}

#[test]
fn a_multipart_form_is_arguments_and_files() {
    let ask = upload();
    for (variable, expected) in [
        ("ARGS_POST", vec!["note=hello"]),
        ("FILES", vec!["doc=a.php"]),
        ("FILES_NAMES", vec!["doc=doc"]),
        ("FILES_SIZES", vec!["doc=8"]),
        ("FILES_COMBINED_SIZE", vec!["8"]),
        ("FILES_TMP_CONTENT", vec!["doc=<?php ?>"]),
        ("MULTIPART_NAME", vec!["note=note", "doc=doc"]),
        ("MULTIPART_FILENAME", vec!["a.php=a.php"]),
        (
            "MULTIPART_PART_HEADERS:doc",
            vec![
                "doc=Content-Disposition: form-data; name=\"doc\"; filename=\"a.php\"",
                "doc=Content-Type: text/plain",
            ],
        ),
        ("REQBODY_PROCESSOR", vec!["MULTIPART"]),
        ("REQBODY_ERROR", vec!["0"]),
        ("MULTIPART_STRICT_ERROR", vec!["0"]),
        ("REQUEST_BODY", vec![""]),
    ] {
        assert_eq!(values(&ask, variable), expected, "{variable}");
    }
}

#[test]
fn a_broken_multipart_form_is_flagged_in_modsecuritys_words() {
    let ask = post(
        "multipart/form-data; boundary=b",
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n",
    );
    assert_eq!(values(&ask, "REQBODY_ERROR"), ["1"]);
    assert_eq!(values(&ask, "REQBODY_PROCESSOR_ERROR"), ["1"]);
    assert_eq!(
        values(&ask, "REQBODY_ERROR_MSG"),
        ["Multipart parsing error: Multipart: Final boundary missing."]
    );
    assert_eq!(values(&ask, "MULTIPART_STRICT_ERROR"), ["1"]);
}

#[test]
fn a_raw_body_shows_only_where_a_rule_forces_it() {
    let force = "SecAction \"id:92,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On\"\n";
    let plain = post("text/plain", "a=1&b=2");
    assert_eq!(seen(&plain, "", "REQUEST_BODY"), [""]);
    assert_eq!(seen(&plain, force, "REQUEST_BODY"), ["a=1&b=2"]);
    assert!(seen(&plain, force, "ARGS").is_empty());
    assert_eq!(seen(&upload(), "", "REQUEST_BODY"), [""]);
    assert_eq!(
        seen(&upload(), force, "REQUEST_BODY")[0].len(),
        upload().body.len()
    );
    let json = post("application/json", r#"{"a":1}"#);
    assert_eq!(seen(&json, JSON, "REQUEST_BODY"), [""]);
    assert_eq!(
        seen(&json, &[JSON, force].concat(), "REQUEST_BODY"),
        [r#"{"a":1}"#]
    );
}

#[test]
fn json_becomes_arguments_where_a_rule_asks_for_it() {
    let ask = post("application/json", r#"{"a":[1,{"b":"x"}],"c":true}"#).uri("/?q=1");
    assert!(seen(&ask, "", "ARGS_POST").is_empty());
    assert_eq!(
        seen(&ask, JSON, "ARGS"),
        ["q=1", "json.a.0=1", "json.a.1.b=x", "json.c=true"]
    );
    assert_eq!(seen(&ask, JSON, "REQBODY_PROCESSOR"), ["JSON"]);
}

#[test]
fn broken_json_is_flagged_and_what_stood_before_is_seen() {
    let ask = post("application/json", r#"{"a":"evil","b":"#);
    assert_eq!(seen(&ask, JSON, "REQBODY_ERROR"), ["1"]);
    assert!(seen(&ask, JSON, "REQBODY_ERROR_MSG")[0].starts_with("JSON parsing error: "));
    assert_eq!(seen(&ask, JSON, "ARGS"), ["json.a=evil"]);
}

#[test]
fn xml_shows_its_texts_and_its_attributes() {
    let ask = post(
        "text/xml",
        r#"<?xml version="1.0"?><a x="1"><b>two</b><c y="3">four</c></a>"#,
    );
    assert_eq!(seen(&ask, XML, "XML:/*").join(" "), "/*=two /*=four");
    assert_eq!(seen(&ask, XML, "XML://@*"), ["//@*=1", "//@*=3"]);
    assert_eq!(seen(&ask, XML, "REQUEST_BODY"), [""]);
    assert!(seen(&ask, XML, "ARGS").is_empty());
}

#[test]
fn broken_xml_is_flagged() {
    let ask = post("text/xml", "<a><b>evil");
    assert_eq!(seen(&ask, XML, "REQBODY_ERROR"), ["1"]);
    assert!(seen(&ask, XML, "REQBODY_PROCESSOR_ERROR_MSG")[0].starts_with("XML parsing error: "));
}

#[test]
fn a_form_can_be_forced_upon_any_type() {
    let force = "SecAction \"id:93,phase:1,pass,nolog,ctl:requestBodyProcessor=URLENCODED\"\n";
    assert_eq!(
        seen(&post("text/plain", "a=1&b=%32"), force, "ARGS"),
        ["a=1", "b=2"]
    );
}

#[test]
fn a_body_too_long_without_its_files_is_flagged_and_still_seen() {
    let limits = || Limits {
        request_body_no_files: 10,
        ..Limits::default()
    };
    let rule = r#"SecRule REQBODY_ERROR "@eq 1" "id:1,phase:2,pass,log,msg:'%{REQBODY_ERROR_MSG}'"
                  SecRule ARGS "@rx evil" "id:2,phase:2,pass,log,msg:'m'"
                  SecRule INBOUND_DATA_ERROR "@eq 1" "id:3,phase:2,pass,log,msg:'m'""#;
    let rules = rules_within(limits(), rule);
    assert_eq!(ids(&form("a=12345678").to(&rules)), [0; 0]);
    let long = form("a=evil&b=123456").to(&rules);
    assert_eq!(ids(&long), [1, 2, 3]);
    assert!(long.matched_rules()[0].msg.contains("bigger than the maximum"));
    let files = Limits {
        request_body_no_files: upload().body.len() - 8,
        ..Limits::default()
    };
    assert_eq!(ids(&upload().to(&rules_within(files, rule))), [0; 0]);
}

#[test]
fn a_body_cut_by_policy_says_so() {
    let rules = rules(r#"SecRule INBOUND_DATA_ERROR "@eq 1" "id:1,phase:2,deny""#);
    let mut transaction = form("").open(&rules);
    let _ = transaction.request_headers();
    assert!(matches!(
        transaction.request_body("a=1".into(), Completeness::Partial),
        Verdict::Interrupted(_)
    ));
}

#[test]
fn no_body_is_no_error() {
    for content_type in ["multipart/form-data; boundary=b", "application/json", "text/xml"] {
        let ask = post(content_type, "");
        assert_eq!(
            seen(&ask, &[JSON, XML].concat(), "REQBODY_ERROR"),
            ["0"],
            "{content_type}"
        );
    }
}
