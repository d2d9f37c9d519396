//! Trap 14 and what else `ctl` changes.

use super::*;

#[test]
fn rules_are_removed_by_id_range_tag_and_message() {
    for ctl in [
        "ruleRemoveById=5",
        "ruleRemoveById=1-9",
        "ruleRemoveByTag=attack/x",
        "ruleRemoveByMsg=about x",
    ] {
        let text = format!(
            "SecRule ARGS:safe \"@streq 1\" \"id:100,phase:1,pass,nolog,ctl:{ctl}\"\n\
             SecRule ARGS:x \"@rx evil\" \"id:5,phase:2,deny,msg:'about x',tag:'attack/x'\""
        );
        let rules = rules(&text);
        assert_eq!(status(&get("/?x=evil").to(&rules)), Some(403), "{ctl}");
        assert_eq!(status(&get("/?x=evil&safe=1").to(&rules)), None, "{ctl}");
    }
}

#[test]
fn a_target_is_removed_from_each_link_of_a_chain() {
    for ctl in [
        "ruleRemoveTargetById=5;ARGS:comment",
        "ruleRemoveTargetById=1-9;ARGS:comment",
        "ruleRemoveTargetByTag=attack;ARGS:comment",
        "ruleRemoveTargetByTag=attack;ARGS:/^comm/",
        "ruleRemoveTargetByTag=attack;ARGS",
    ] {
        let rules = rules(&format!(
            "SecRule REQUEST_FILENAME \"@streq /wiki\" \"id:100,phase:1,pass,nolog,ctl:{ctl}\"\n\
             SecRule REQUEST_METHOD \"@rx .\" \"id:5,phase:2,deny,tag:'attack',chain\"\n\
               SecRule ARGS \"@rx evil\" \"t:none\""
        ));
        assert_eq!(status(&get("/wiki?Comment=evil").to(&rules)), None, "{ctl}");
        assert_eq!(status(&get("/other?Comment=evil").to(&rules)), Some(403), "{ctl}");
    }
}

#[test]
fn a_removed_target_is_not_counted() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;ARGS:a"
           SecRule &ARGS "@eq 1" "id:2,phase:2,pass,nolog,setvar:tx.one=1""#,
    );
    assert_eq!(tx(&get("/?a=1&b=2").to(&rules), "one"), "1");
}

#[test]
fn a_removal_concerns_the_named_target_only() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;ARGS:a"
           SecRule ARGS|REQUEST_HEADERS "@rx evil" "id:2,phase:2,deny""#,
    );
    assert_eq!(status(&get("/?a=evil").to(&rules)), None);
    assert_eq!(status(&get("/?b=evil").to(&rules)), Some(403));
    assert_eq!(status(&get("/").header("a", "evil").to(&rules)), Some(403));
}

#[test]
fn body_access_is_a_matter_of_the_request() {
    let rules = rules(
        r#"SecRule REQUEST_FILENAME "@beginsWith /upload" "id:1,phase:1,pass,nolog,ctl:requestBodyAccess=Off,ctl:requestBodyLimit=7"
           SecRule ARGS "@rx evil" "id:2,phase:2,deny""#,
    );
    let mut upload = form("a=evil").uri("/upload").open(&rules);
    assert!(upload.wants_request_body());
    let _ = upload.request_headers();
    assert!(!upload.wants_request_body());
    assert_eq!(upload.request_body_limit(), 7);
    assert_eq!(
        upload.request_body("a=evil".into(), Completeness::Complete),
        Verdict::Pass
    );
    assert_eq!(status(&form("a=evil").to(&rules)), Some(403));
}

#[test]
fn the_audit_log_can_be_turned_off_for_a_request() {
    let rules = rules(
        r#"SecAuditEngine On
           SecRule ARGS:quiet "@rx ." "id:1,phase:1,pass,nolog,ctl:auditEngine=Off""#,
    );
    assert!(get("/").to(&rules).wants_audit());
    assert!(!get("/?quiet=1").to(&rules).wants_audit());
}

#[test]
fn a_removed_member_of_tx_is_absent_for_comparisons_too() {
    let rules = rules(
        r#"SecAction "id:1,phase:1,pass,nolog,setvar:tx.x=7"
           SecRule ARGS:safe "@streq 1" "id:2,phase:1,pass,nolog,ctl:ruleRemoveTargetById=3-4;TX:x"
           SecRule &TX:x "@eq 0" "id:3,phase:1,pass,nolog,setvar:tx.absent=1"
           SecRule TX:x "@ge 5" "id:4,phase:1,deny""#,
    );
    let seen = get("/").to(&rules);
    assert_eq!((tx(&seen, "absent").as_str(), status(&seen)), ("-", Some(403)));
    let hidden = get("/?safe=1").to(&rules);
    assert_eq!((tx(&hidden, "absent").as_str(), status(&hidden)), ("1", None));
}
