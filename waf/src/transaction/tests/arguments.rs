//! Trap 19 and the limits of arguments.

use super::*;

#[test]
fn a_query_is_decoded_as_a_form() {
    let ask = get("/?a=1+2&b&c=%41%zz&=v&a=3");
    assert_eq!(values(&ask, "ARGS_GET"), ["a=1 2", "b=", "c=A%zz", "=v", "a=3"]);
    assert_eq!(values(&ask, "ARGS_GET_NAMES"), ["a=a", "b=b", "c=c", "=", "a=a"]);
    assert_eq!(values(&ask, "URLENCODED_ERROR"), ["1"]);
    assert_eq!(values(&get("/?a=%41"), "URLENCODED_ERROR"), ["0"]);
}

#[test]
fn query_and_body_make_up_the_arguments() {
    let ask = form("b=2&c=3+4").uri("/?a=1");
    assert_eq!(values(&ask, "ARGS"), ["a=1", "b=2", "c=3 4"]);
    assert_eq!(values(&ask, "ARGS_POST"), ["b=2", "c=3 4"]);
    assert_eq!(values(&ask, "ARGS_NAMES"), ["a=a", "b=b", "c=c"]);
    assert_eq!(values(&ask, "ARGS_COMBINED_SIZE"), ["8"]);
    assert_eq!(values(&ask, "REQUEST_BODY"), ["b=2&c=3+4"]);
    assert_eq!(values(&ask, "REQUEST_BODY_LENGTH"), ["9"]);
    assert_eq!(values(&ask, "REQBODY_PROCESSOR"), ["URLENCODED"]);
}

#[test]
fn too_many_arguments_do_not_go_unnoticed() {
    let rules = rules_within(
        Limits {
            arguments: 3,
            ..Limits::default()
        },
        r#"SecRule REQBODY_ERROR "!@eq 0" "id:1,phase:2,deny,status:400,msg:'%{REQBODY_ERROR_MSG}'""#,
    );
    assert_eq!(status(&get("/?a&b&c").to(&rules)), None);
    let over = get("/?a&b&c&d").to(&rules);
    assert_eq!(status(&over), Some(400));
    assert_eq!(over.matched_rules()[0].msg, "SecArgumentsLimit exceeded");
    assert_eq!(status(&form("c&d").uri("/?a&b").to(&rules)), Some(400));
}

#[test]
fn the_separator_is_a_setting() {
    let rules = rules("SecArgumentSeparator \";\"\nSecRule ARGS \"@rx .\" \"id:1,phase:2,pass,log,msg:'m'\"");
    assert_eq!(shown(&get("/?a=1;b=2&c").to(&rules)), ["a=1", "b=2&c"]);
}

#[test]
fn a_pattern_over_names_that_tells_capitals_is_taken_at_its_word() {
    let rules = rules(
        r#"SecRule ARGS|!ARGS:/(?-i)^tok/ "@rx evil" "id:1,phase:1,pass,log,msg:'x'"
           SecRule ARGS|!ARGS:/^tok/ "@rx evil" "id:2,phase:1,pass,log,msg:'x'""#,
    );
    assert_eq!(ids(&get("/?TOKEN=evil").to(&rules)), [1]);
    assert_eq!(ids(&get("/?token=evil").to(&rules)), [] as [u64; 0]);
    assert_eq!(ids(&get("/?my-token=evil").to(&rules)), [1, 2]);
}
