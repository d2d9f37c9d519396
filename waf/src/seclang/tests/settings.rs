//! Directives that are no rules.

use super::*;
use crate::rule::{AuditEngine, EngineMode};

#[test]
fn what_is_set_is_there() {
    let set = rules(
        "SecRuleEngine on
SecAuditEngine RelevantOnly
SecAuditLogRelevantStatus \"^(?:5|4(?!04))\"
SecAuditLogParts ABIJDEFHZ
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction ProcessPartial
SecRequestBodyJsonDepthLimit 64
SecArgumentsLimit 500
SecResponseBodyAccess On
SecResponseBodyLimit 1048576
SecResponseBodyLimitAction Reject
SecResponseBodyMimeType (null) text/plain text/HTML
SecResponseBodyJsonDepthLimit 32
SecArgumentSeparator ;
SecCookieFormat 0
SecCollectionTimeout 600
SecWebAppId shop
SecComponentSignature \"core/1\"
SecComponentSignature 'more/2'
SecUploadFileLimit 10",
    );
    let settings = set.settings();
    assert_eq!(settings.engine, EngineMode::On);
    assert_eq!(settings.audit_engine, AuditEngine::RelevantOnly);
    assert!(set.is_relevant(403) && !set.is_relevant(404) && !set.is_relevant(200));
    assert_eq!(settings.audit_log_parts.as_deref(), Some("ABIJDEFHZ"));
    assert!(settings.request_body_access && settings.request_body_partial);
    assert_eq!(settings.request_body_limit, 13_107_200);
    assert_eq!(settings.request_body_no_files_limit, Some(131_072));
    assert_eq!(
        (settings.json_depth_limit, settings.arguments_limit),
        (Some(64), Some(500))
    );
    assert!(settings.response_body_access && !settings.response_body_partial);
    assert_eq!(settings.response_body_limit, 1_048_576);
    assert_eq!(
        settings.response_mime_types,
        ["(null)", "text/plain", "text/html"]
    );
    assert_eq!(settings.response_json_depth_limit, Some(32));
    assert_eq!(
        (settings.argument_separator, settings.collection_timeout),
        (b';', 600)
    );
    assert_eq!(settings.web_app_id.as_deref(), Some("shop"));
    assert_eq!(settings.component_signatures, ["core/1", "more/2"]);
    assert_eq!(settings.upload_file_limit, Some(10));
    assert!(remarks(&set).is_empty());
}

#[test]
fn the_last_value_counts() {
    let set = rules("SecRuleEngine On\nSecRuleEngine DetectionOnly\nSecResponseBodyMimeTypesClear");
    assert_eq!(set.settings().engine, EngineMode::DetectionOnly);
    assert!(set.settings().response_mime_types.is_empty());
}

#[test]
fn what_means_nothing_here_is_accepted_and_remarked_on() {
    let set = rules("SecDebugLog /var/log/x.log\nSecTmpDir /tmp\nSecConnEngine Off\nSecPcreMatchLimit 1000");
    assert_eq!(
        remarks(&set),
        [
            "main.conf:1: SecDebugLog has no effect here: the edge writes the logs",
            "main.conf:2: SecTmpDir has no effect here: the engine stores no files",
            "main.conf:4: SecPcreMatchLimit has no effect here: patterns run in linear time",
        ]
    );
}

#[test]
fn what_would_weaken_the_protection_is_refused() {
    let table = [
        (
            "SecRuleScript x.lua",
            "SecRuleScript is not supported: rules run no scripts",
        ),
        (
            "SecRemoteRules k https://e.org",
            "SecRemoteRules is not supported: rules come from files; fetch them before",
        ),
        (
            "SecGuardianLog |x",
            "SecGuardianLog is not supported: no program is fed with requests",
        ),
        (
            "SecGeoLookupDb x.dat",
            "SecGeoLookupDb is not supported: there is no geographical database",
        ),
        (
            "SecGsbLookupDb x.dat",
            "SecGsbLookupDb is not supported: the database of Google Safe Browsing is gone",
        ),
        (
            "SecHttpBlKey abc",
            "SecHttpBlKey is not supported: rules ask no DNS list",
        ),
        (
            "SecRuleInheritance Off",
            "SecRuleInheritance is not supported: a rule set inherits nothing; include what it needs",
        ),
        (
            "SecHashEngine On",
            "SecHashEngine is not supported: there is no hash engine",
        ),
        (
            "SecConnEngine On",
            "SecConnEngine is not supported: limit connections in the edge's configuration",
        ),
        (
            "SecIgnoreRuleCompilationErrors On",
            "SecIgnoreRuleCompilationErrors is not supported: a rule that does not load protects nobody",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(mistakes(text), format!("main.conf:1: {expected}"), "{text}");
    }
}

#[test]
fn values_are_checked() {
    let table = [
        (
            "SecRuleEngine Maybe",
            "SecRuleEngine: expected On, Off or DetectionOnly, found `Maybe`",
        ),
        (
            "SecRuleEngine",
            "SecRuleEngine: expected On, Off or DetectionOnly, found 0 argument(s)",
        ),
        (
            "SecRequestBodyAccess 1",
            "SecRequestBodyAccess: expected On or Off, found `1`",
        ),
        (
            "SecRequestBodyLimit 10m",
            "SecRequestBodyLimit: expected a number, found `10m`",
        ),
        (
            "SecRequestBodyLimit -1",
            "SecRequestBodyLimit: expected a number, found `-1`",
        ),
        (
            "SecArgumentsLimit 0",
            "SecArgumentsLimit: expected a number above 0, found `0`",
        ),
        (
            "SecRequestBodyLimitAction Cut",
            "SecRequestBodyLimitAction: expected Reject or ProcessPartial, found `Cut`",
        ),
        (
            "SecResponseBodyMimeType html",
            "SecResponseBodyMimeType: expected a MIME type as type/subtype, or (null), found `html`",
        ),
        (
            "SecArgumentSeparator ;;",
            "SecArgumentSeparator: expected one ASCII character, found `;;`",
        ),
        (
            "SecAuditLogParts abc",
            "SecAuditLogParts: expected letters from A to Z, found `abc`",
        ),
        (
            "SecAuditLogRelevantStatus \"(\"",
            "SecAuditLogRelevantStatus: expected a pattern over status codes, found `(`",
        ),
        ("SecMarker", "SecMarker: expected a name, found 0 argument(s)"),
        (
            "SecDebugLog",
            "SecDebugLog: expected a value, found 0 argument(s)",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(mistakes(text), format!("main.conf:1: {expected}"), "{text}");
    }
}
