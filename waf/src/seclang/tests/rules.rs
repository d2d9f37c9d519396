//! One rule by itself.

use super::*;
use crate::rule::{
    AllowScope, AuditEngine, BodyProcessor, Change, Ctl, Disruptive, EngineMode, Phase, RuleSelector, SetVar,
    Severity, SideEffect, TextMatch,
};

#[test]
fn a_rule_as_the_crs_writes_it() {
    let rule = rule(
        r#"
# A comment
SecRule REQUEST_COOKIES|!REQUEST_COOKIES:/__utm/|ARGS_NAMES|XML:/*|XML://@* "@rx (?i)\bselect\b" \
    "id:942999,\
    phase:2,\
    block,\
    capture,\
    t:none,t:urlDecodeUni,t:lowercase,\
    msg:'It\'s SQL: %{MATCHED_VAR_NAME}',\
    logdata:'Matched Data: %{TX.0} found within \"%{MATCHED_VAR_NAME}\"',\
    tag:'attack-sqli',\
    tag:'paranoia-level/1',\
    ver:'OWASP_CRS/4',\
    rev:'2',\
    severity:'CRITICAL',\
    multiMatch,\
    setvar:'tx.sql_injection_score=+%{tx.critical_anomaly_score}'"
"#,
    );
    assert_eq!((rule.id, rule.phase), (942_999, Phase::RequestBody));
    assert_eq!(rule.head().location.to_string(), "main.conf:3");
    assert_eq!(rule.tags, ["attack-sqli", "paranoia-level/1"]);
    assert_eq!(
        targets(&rule, 0),
        "REQUEST_COOKIES!/__utm/|ARGS_NAMES|XML:/*|XML://@*"
    );
    assert_eq!(transformations(&rule, 0), ["urlDecodeUni", "lowercase"]);
    let question = rule.head().question.as_ref().unwrap();
    assert_eq!((question.operator.name(), question.negated), ("rx", false));
    let actions = &rule.head().actions;
    assert_eq!(
        actions.msg.as_ref().unwrap().to_string(),
        "It's SQL: %{MATCHED_VAR_NAME}"
    );
    assert_eq!(
        actions.logdata.as_ref().unwrap().to_string(),
        "Matched Data: %{TX.0} found within \"%{MATCHED_VAR_NAME}\""
    );
    assert_eq!(actions.severity, Some(Severity(2)));
    assert_eq!(
        (actions.ver.as_deref(), actions.rev.as_deref()),
        (Some("OWASP_CRS/4"), Some("2"))
    );
    assert!(actions.capture && actions.multi_match && actions.log && actions.audit_log);
    assert_eq!(actions.disruptive, Disruptive::Pass);
    assert_eq!(actions.effects.len(), 1);
}

#[test]
fn a_rule_without_a_phase_runs_in_phase_2() {
    assert_eq!(rule("SecAction \"id:1,pass\"").phase, Phase::RequestBody);
}

#[test]
fn phases_have_numbers_and_names() {
    let table = [
        ("1", Phase::RequestHeaders),
        ("'2'", Phase::RequestBody),
        ("request", Phase::RequestBody),
        ("3", Phase::ResponseHeaders),
        ("response", Phase::ResponseBody),
        ("LOGGING", Phase::Logging),
    ];
    for (text, phase) in table {
        assert_eq!(
            rule(&format!("SecAction \"id:1,phase:{text},pass\"")).phase,
            phase,
            "{text}"
        );
    }
}

#[test]
fn names_of_the_language_have_no_case() {
    let rule = rule("secrule args|Request_Headers:host \"@RX x\" \"ID:1,PHASE:1,DENY,T:NONE,T:LowerCase\"");
    assert_eq!(targets(&rule, 0), "ARGS|REQUEST_HEADERS:host");
    assert_eq!(transformations(&rule, 0), ["lowercase"]);
}

#[test]
fn variables_are_listed_in_every_notation() {
    let table = [
        ("&ARGS:x|TX:/^a|b/", "&ARGS:x|TX:/^a|b/"),
        ("ARGS:'/a b/'|ARGS:'c d'", "ARGS:/a b/|ARGS:c d"),
        ("\"ARGS | ARGS_NAMES\"", "ARGS|ARGS_NAMES"),
        ("REQUEST_XML:/*", "XML:/*"),
        ("MULTIPART_SEMICOLON_MISSING", "MULTIPART_MISSING_SEMICOLON"),
    ];
    for (list, expected) in table {
        let rule = rule(&format!("SecRule {list} \"@rx x\" \"id:1,pass\""));
        assert_eq!(targets(&rule, 0), expected, "{list}");
    }
}

#[test]
fn exclusions_find_the_targets_of_their_variable() {
    let table = [
        // Wherever they stand, and nothing else.
        ("ARGS|!ARGS:a|ARGS_GET", "ARGS!a|ARGS_GET"),
        ("!ARGS:a|ARGS", "ARGS!a"),
        ("ARGS|!ARGS:/^a/|!ARGS:b|!ARGS:B", "ARGS!/^a/!b"),
        ("ARGS|ARGS:a|!ARGS:A", "ARGS!A"),
        ("ARGS:a|ARGS:b|!ARGS:/^a$/", "ARGS:b"),
        ("ARGS|REQUEST_HEADERS|!REQUEST_HEADERS", "ARGS"),
        ("ARGS:/^x/|!ARGS:xy", "ARGS:/^x/!xy"),
        ("XML:/*|XML://@*|!XML:/*", "XML://@*"),
        ("ARGS|!ARGS_NAMES:x", "ARGS"),
    ];
    for (list, expected) in table {
        let rule = rule(&format!("SecRule {list} \"@rx x\" \"id:1,pass\""));
        assert_eq!(targets(&rule, 0), expected, "{list}");
    }
}

#[test]
fn disruptive_actions() {
    let table = [
        ("pass", Disruptive::Pass),
        ("deny", Disruptive::Deny),
        ("drop", Disruptive::Drop),
        ("allow", Disruptive::Allow(AllowScope::Transaction)),
        ("allow:phase", Disruptive::Allow(AllowScope::Phase)),
        ("allow:request", Disruptive::Allow(AllowScope::Request)),
        // Without SecDefaultAction.
        ("block", Disruptive::Pass),
        // The last counts.
        ("pass,deny", Disruptive::Deny),
    ];
    for (text, expected) in table {
        assert_eq!(actions(text).disruptive, expected, "{text}");
    }
    let Disruptive::Redirect(to) =
        actions("redirect:'https://e.org/?u=%{REQUEST_URI}',status:302").disruptive
    else {
        panic!("no redirect")
    };
    assert_eq!(to.to_string(), "https://e.org/?u=%{REQUEST_URI}");
}

#[test]
fn the_two_logs_are_separate() {
    let table = [
        ("pass", (true, true)),
        ("nolog", (false, false)),
        ("noauditlog", (true, false)),
        ("nolog,auditlog", (false, true)),
        ("log,noauditlog", (true, false)),
        ("nolog,log", (true, true)),
    ];
    for (text, expected) in table {
        let actions = actions(text);
        assert_eq!((actions.log, actions.audit_log), expected, "{text}");
    }
}

#[test]
fn numbers_and_texts_of_a_rule() {
    let actions = actions(
        "deny,status:429,skip:2,skipAfter:END,accuracy:'9',maturity:1,severity:7,tag:a,tag:b c,xmlns:x=y",
    );
    assert_eq!((actions.status, actions.skip), (Some(429), Some(2)));
    assert_eq!(actions.skip_after.as_deref(), Some("END"));
    assert_eq!((actions.accuracy, actions.maturity), (Some(9), Some(1)));
    assert_eq!(actions.severity.map(Severity::name), Some("DEBUG"));
    assert_eq!(
        actions.tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a", "b c"]
    );
}

fn setvar(text: &str) -> SetVar {
    match actions(&format!("setvar:{text}")).effects.as_slice() {
        [SideEffect::SetVar(set)] => set.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn setvar_has_many_forms() {
    let shown = |change: &Change| match change {
        Change::Assign(value) => format!("={value}"),
        Change::Add(value) => format!("+{value}"),
        Change::Subtract(value) => format!("-{value}"),
        Change::Unset => "unset".to_owned(),
    };
    let table = [
        ("tx.a=1", "TX", "a", "=1"),
        ("'tx.a=b c, d'", "TX", "a", "=b c, d"),
        ("tx.a=+%{tx.b}", "TX", "a", "+%{TX.b}"),
        ("tx.a=-5", "TX", "a", "-5"),
        ("!tx.a", "TX", "a", "unset"),
        ("tx.a", "TX", "a", "=1"),
        ("tx.a=", "TX", "a", "="),
        (
            "'tx.p_%{rule.id}-%{matched_var_name}=%{tx.0}'",
            "TX",
            "p_%{RULE.id}-%{MATCHED_VAR_NAME}",
            "=%{TX.0}",
        ),
        ("ip.count=+1", "IP", "count", "+1"),
        ("SESSION.x=y=z", "SESSION", "x", "=y=z"),
    ];
    for (text, collection, key, change) in table {
        let set = setvar(text);
        assert_eq!(
            (
                set.collection.name(),
                set.key.to_string().as_str(),
                shown(&set.change).as_str()
            ),
            (collection, key, change),
            "{text}"
        );
    }
}

#[test]
fn actions_that_write_keep_their_order() {
    let actions = actions(
        "initcol:ip=%{REMOTE_ADDR},setuid:%{ARGS.user},setsid:'x',setrsc:y,expirevar:'ip.x=60',setenv:a=b%{tx.c}",
    );
    let shown: Vec<String> = actions
        .effects
        .iter()
        .map(|effect| match effect {
            SideEffect::InitCol(collection, key) => format!("init {collection} {key}"),
            SideEffect::SetScalar(variable, value) => format!("set {variable} {value}"),
            SideEffect::ExpireVar(collection, key, seconds) => format!("expire {collection} {key} {seconds}"),
            SideEffect::SetEnv(name, value) => format!("env {name} {value}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "init IP %{REMOTE_ADDR}",
            "set USERID %{ARGS.user}",
            "set SESSIONID x",
            "set RESOURCE y",
            "expire IP x 60",
            "env a b%{TX.c}",
        ]
    );
}

fn ctl(text: &str) -> Vec<Ctl> {
    let effects = actions(&format!("ctl:{text}")).effects;
    effects
        .into_iter()
        .map(|effect| match effect {
            SideEffect::Ctl(change) => change,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn ctl_changes_the_engine() {
    let table = [
        (
            "ruleEngine=detectiononly",
            Ctl::RuleEngine(EngineMode::DetectionOnly),
        ),
        (
            "auditEngine=RelevantOnly",
            Ctl::AuditEngine(AuditEngine::RelevantOnly),
        ),
        ("auditLogParts=+E", Ctl::AuditLogParts("+E".to_owned())),
        ("requestBodyAccess=On", Ctl::RequestBodyAccess(true)),
        ("responseBodyAccess=off", Ctl::ResponseBodyAccess(false)),
        ("requestBodyLimit=1024", Ctl::RequestBodyLimit(1024)),
        ("responseBodyLimit=1", Ctl::ResponseBodyLimit(1)),
        ("forceRequestBodyVariable=On", Ctl::ForceRequestBodyVariable(true)),
        (
            "forceResponseBodyVariable=On",
            Ctl::ForceResponseBodyVariable(true),
        ),
        (
            "requestBodyProcessor=json",
            Ctl::RequestBodyProcessor(BodyProcessor::Json),
        ),
        (
            "responseBodyProcessor=XML",
            Ctl::ResponseBodyProcessor(BodyProcessor::Xml),
        ),
        ("debugLogLevel=9", Ctl::Ignored("debugLogLevel".to_owned())),
        ("hashEngine=Off", Ctl::Ignored("hashEngine".to_owned())),
        (
            "ruleRemoveById=5",
            Ctl::RemoveRules(RuleSelector::Ids(vec![(5, 5)])),
        ),
        (
            "'ruleRemoveById=1-3, 9'",
            Ctl::RemoveRules(RuleSelector::Ids(vec![(1, 3), (9, 9)])),
        ),
        (
            "ruleRemoveByTag=attack-sqli",
            Ctl::RemoveRules(RuleSelector::Tag(TextMatch::Exact("attack-sqli".to_owned()))),
        ),
        (
            "'ruleRemoveByMsg=Too, many'",
            Ctl::RemoveRules(RuleSelector::Message(TextMatch::Exact("Too, many".to_owned()))),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(ctl(text), [expected], "{text}");
    }
}

#[test]
fn ctl_takes_targets_from_rules() {
    let table = [
        ("ruleRemoveTargetById=5;ARGS:x", "ARGS:x"),
        ("ruleRemoveTargetById=1-5;ARGS", "ARGS"),
        (
            "ruleRemoveTargetByTag=OWASP_CRS;REQUEST_COOKIES:/^a_/",
            "REQUEST_COOKIES:/^a_/",
        ),
        ("ruleRemoveTargetById=5;ARGS:'/a,b/'", "ARGS:/a,b/"),
        ("'ruleRemoveTargetById=5;ARGS:/a,b/'", "ARGS:/a,b/"),
        ("ruleRemoveTargetByMsg=x;ARGS:a|XML:/*", "ARGS:a XML:/*"),
    ];
    for (text, expected) in table {
        let shown: Vec<String> = ctl(text)
            .iter()
            .map(|change| match change {
                Ctl::RemoveTargets(_, target) => show_target(target),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{text}");
    }
}

#[test]
fn operators_are_read_as_written() {
    let table = [
        ("@rx ^a", ("rx", false)),
        ("!@rx ^a", ("rx", true)),
        ("^a", ("rx", false)),
        ("!^a", ("rx", true)),
        ("@eq 0", ("eq", false)),
        ("!@EQ 0", ("eq", true)),
        ("@detectSQLi", ("detectSQLi", false)),
    ];
    for (text, expected) in table {
        let rule = rule(&format!("SecRule ARGS \"{text}\" \"id:1,pass\""));
        let question = rule.head().question.as_ref().unwrap();
        assert_eq!((question.operator.name(), question.negated), expected, "{text}");
    }
}

#[test]
fn a_marker_and_a_rule_are_places_to_skip_to() {
    let set = rules(
        "SecAction \"id:1,phase:1,pass,skipAfter:END\"\n\
         SecAction \"id:2,phase:1,pass,skipAfter:4\"\n\
         SecMarker \"END\"\n\
         SecAction \"id:3,phase:2,pass,skipAfter:END\"\n\
         SecAction \"id:4,phase:1,pass,skipAfter:END\"\n\
         SecMarker END",
    );
    // Phase 1: 1, 2, END, 4, END. Phase 2: END, 3, END.
    assert_eq!(set.steps(Phase::RequestHeaders).len(), 5);
    assert_eq!(set.jump(Phase::RequestHeaders, 0), 3);
    assert_eq!(set.jump(Phase::RequestHeaders, 1), 4);
    assert_eq!(set.jump(Phase::RequestHeaders, 3), 5);
    assert_eq!(set.jump(Phase::RequestBody, 1), 3);
    assert!(remarks(&set).is_empty());
}

#[test]
fn a_marker_that_is_not_there_is_remarked_on() {
    let set = rules("SecMarker END\nSecAction \"id:1,phase:1,pass,skipAfter:END\"");
    assert_eq!(
        remarks(&set),
        [
            "main.conf:2: rule 1 skips after `END`, which no marker behind it is called: \
          a match skips to the end of the phase"
        ]
    );
    assert_eq!(set.jump(Phase::RequestHeaders, 1), 2);
}
