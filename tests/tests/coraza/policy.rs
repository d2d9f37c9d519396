//! What is refused at load.

use palisade_tests::harness::{EdgeFiles, Route, TestEdge, crs_rules};

/// Why an edge over this route does not start.
fn refusal(route: &Route, own: &str) -> Option<String> {
    let files: EdgeFiles = TestEdge::builder().rules(crs_rules()?).route(route).write();
    files.write("own.conf", own);
    let refused = palisade::app::App::build(&files.config()).err();
    Some(refused.expect("it starts").to_string())
}

fn judged() -> Route {
    Route::new("app").waf("engine = \"coraza\"")
}

#[test]
fn a_policy_that_lets_attacks_pass() {
    let wide = judged().except("rules = [\"900000-999999\"]\nreason = \"too wide\"");
    let Some(error) = refusal(&wide, "") else { return };
    assert!(error.contains("known attack"), "{error}");
}

#[test]
fn a_rule_that_stops_everybody() {
    let route = judged().waf("seclang_after = [\"own.conf\"]");
    let stop = "SecRule REQUEST_METHOD \"@rx .\" \"id:1,phase:1,deny,log,msg:'nobody'\"\n";
    let Some(error) = refusal(&route, stop) else {
        return;
    };
    assert!(
        error.contains("ordinary request") && error.contains("rule 1 "),
        "{error}"
    );
}

#[test]
fn a_rule_about_what_libcoraza_never_sets() {
    let route = judged().waf("seclang_after = [\"own.conf\"]");
    let blind = "SecRule SERVER_NAME \"@streq admin.test\" \"id:7,phase:1,deny,log\"\n";
    let Some(error) = refusal(&route, blind) else {
        return;
    };
    for word in ["own.conf:1", "rule 7", "SERVER_NAME", "REQUEST_HEADERS:Host"] {
        assert!(error.contains(word), "{word} is not in\n{error}");
    }
}

#[test]
fn an_engine_that_would_watch_itself() {
    let Some(error) = refusal(&judged().waf("shadow = \"coraza\""), "") else {
        return;
    };
    assert!(error.contains("shadow of the same engine"), "{error}");
}
