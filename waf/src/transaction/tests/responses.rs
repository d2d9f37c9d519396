//! Trap 25: phases 3 to 5.

use super::*;

#[test]
fn a_response_shows_its_head_and_body() {
    let rules = rules(
        r#"SecRule RESPONSE_STATUS "@streq 200" "id:1,phase:3,pass,log,msg:'m'"
           SecRule RESPONSE_HEADERS:content-type "@rx html" "id:2,phase:3,pass,log,msg:'m'"
           SecRule RESPONSE_CONTENT_TYPE "@streq text/html" "id:3,phase:3,pass,log,msg:'m'"
           SecRule RESPONSE_PROTOCOL "@streq HTTP/1.1" "id:4,phase:3,pass,log,msg:'m'"
           SecRule STATUS_LINE "@streq HTTP/1.1 200" "id:5,phase:3,pass,log,msg:'m'"
           SecRule RESPONSE_BODY "@contains stack trace" "id:6,phase:4,pass,log,msg:'m'"
           SecRule RESPONSE_CONTENT_LENGTH "@eq 13" "id:7,phase:4,pass,log,msg:'m'""#,
    );
    let transaction = get("/").to_and_back(&rules, "text/html; charset=utf-8", "a stack trace");
    assert_eq!(ids(&transaction), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn only_listed_types_have_a_body() {
    let rules = rules(
        r#"SecResponseBodyMimeType text/html (null)
           SecRule RESPONSE_BODY "@contains secret" "id:1,phase:4,deny,status:502,msg:'m'"
           SecAction "id:2,phase:4,pass,log,msg:'m'""#,
    );
    assert_eq!(
        status(&get("/").to_and_back(&rules, "TEXT/HTML", "secret")),
        Some(502)
    );
    let image = get("/").to_and_back(&rules, "image/png", "secret");
    assert_eq!((status(&image), ids(&image)), (None, vec![2]));

    let mut untyped = get("/").to(&rules);
    untyped.response_line(200, b"HTTP/1.1");
    let _ = untyped.response_headers();
    assert!(untyped.wants_response_body());
    assert!(matches!(
        untyped.response_body("secret".into(), Completeness::Complete),
        Verdict::Interrupted(_)
    ));
}

#[test]
fn a_rule_can_force_or_forbid_the_body() {
    let rules = rules(
        r#"SecRule ARGS:force "@rx ." "id:1,phase:3,pass,nolog,ctl:forceResponseBodyVariable=On"
           SecRule ARGS:forbid "@rx ." "id:2,phase:3,pass,nolog,ctl:responseBodyAccess=Off"
           SecRule RESPONSE_BODY "@contains secret" "id:3,phase:4,pass,log,msg:'m'""#,
    );
    assert_eq!(
        ids(&get("/?force=1").to_and_back(&rules, "image/png", "secret")),
        [3]
    );
    assert_eq!(
        ids(&get("/?forbid=1").to_and_back(&rules, "text/html", "secret")),
        [0; 0]
    );
}

#[test]
fn a_response_of_json_can_be_taken_apart() {
    let rules = rules(
        r#"SecResponseBodyMimeType application/json
           SecAction "id:1,phase:3,pass,nolog,ctl:responseBodyProcessor=JSON"
           SecRule RESPONSE_ARGS:json.debug "@streq true" "id:2,phase:4,pass,log,msg:'m'""#,
    );
    assert_eq!(
        ids(&get("/").to_and_back(&rules, "application/json", r#"{"debug":true}"#)),
        [2]
    );
}

#[test]
fn the_logging_phase_sees_it_all() {
    let rules = rules(
        r#"SecRule REQUEST_METHOD "@streq GET" "id:1,phase:5,pass,log,msg:'m',chain"
             SecRule RESPONSE_STATUS "@streq 200" "chain"
               SecRule RESPONSE_BODY "@rx body" "t:none""#,
    );
    assert_eq!(ids(&get("/").to_and_back(&rules, "text/plain", "body")), [1]);
}
