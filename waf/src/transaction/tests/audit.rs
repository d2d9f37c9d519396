//! The audit record, and when it is wanted.

use super::*;

fn attack() -> Transaction {
    let rules = rules(
        r#"SecRule ARGS "@rx evil" "id:1,phase:2,pass,log,auditlog,msg:'Evil',logdata:'%{MATCHED_VAR} in %{MATCHED_VAR_NAME}',severity:CRITICAL,tag:'t',ver:'v',setvar:'tx.inbound_anomaly_score=+5'"
           SecRule REQUEST_URI "@rx evil" "id:2,phase:2,pass,log,auditlog,msg:'Uri',logdata:'%{MATCHED_VAR}'"
           SecAction "id:3,phase:2,pass,log,noauditlog,msg:'not for the audit log'"
           SecRule TX:inbound_anomaly_score "@ge 5" "id:4,phase:2,deny,log,auditlog,msg:'Score'""#,
    );
    get("/p?q=evil%ff&password=evil2&x=1")
        .header("User-Agent", "curl")
        .header("Authorization", "Bearer abc")
        .header("Cookie", "sid=abc")
        .header("Referer", "https://a.test/?token=abc")
        .to(&rules)
}

#[test]
fn the_record_tells_the_whole_story() {
    let record = attack().audit_record();
    assert_eq!(record.id, "id-1");
    assert_eq!(record.time, "2024-02-29T12:34:56.000000Z");
    assert_eq!(record.client_address.as_deref(), Some("203.0.113.9"));
    assert_eq!((record.client_port, record.server_port), (Some(4711), Some(443)));
    assert_eq!(record.engine, "On");
    let interruption = record.interruption.unwrap();
    assert_eq!(
        (
            interruption.rule_id,
            interruption.action.as_str(),
            interruption.status
        ),
        (4, "deny", Some(403))
    );
    assert_eq!(
        record.scores.into_iter().collect::<Vec<_>>(),
        [("inbound_anomaly_score".to_owned(), 10)]
    );
    let rules: Vec<_> = record
        .rules
        .iter()
        .map(|rule| (rule.id, rule.msg.as_str(), rule.line))
        .collect();
    assert_eq!(
        rules,
        [(1, "Evil", 1), (1, "Evil", 1), (2, "Uri", 2), (4, "Score", 4)]
    );
    let first = &record.rules[0];
    assert_eq!(
        (first.severity.as_deref(), first.file.as_str()),
        (Some("CRITICAL"), "t.conf")
    );
    assert_eq!(first.data, "evil\\xff in ARGS:q");
    assert_eq!(first.variables[0].key.as_deref(), Some("q"));
}

#[test]
fn no_secret_stands_in_the_record() {
    let record = attack().audit_record();
    let json = serde_json::to_string(&record).unwrap();
    for secret in ["evil2", "abc"] {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
    assert_eq!(
        record.request_line,
        "GET /p?q=evil%ff&password=[masked]&x=1 HTTP/1.1"
    );
    assert_eq!(record.rules[1].data, "[masked]");
    assert_eq!(record.rules[1].variables[0].value, "[masked]");
    assert_eq!(record.rules[2].data, "/p?q=evil%ff&password=[masked]&x=1");
    let headers: Vec<_> = record
        .request_headers
        .iter()
        .map(|header| header.value.as_str())
        .collect();
    assert_eq!(
        headers,
        [
            "app.test:8443",
            "curl",
            "[masked]",
            "[masked]",
            "https://a.test/?token=[masked]"
        ]
    );
}

#[test]
fn the_record_can_be_read_back() {
    let record = attack().audit_record();
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(
        serde_json::from_str::<crate::audit::AuditRecord>(&json).unwrap(),
        record
    );
}

#[test]
fn detection_is_recorded_as_detection() {
    let rules = rules("SecRuleEngine DetectionOnly\nSecAction \"id:1,phase:1,deny,status:418\"");
    let record = get("/").to(&rules).audit_record();
    assert_eq!(
        (record.engine.as_str(), record.interruption.is_some()),
        ("DetectionOnly", false)
    );
    assert_eq!(
        record.detected_interruption.and_then(|would| would.status),
        Some(418)
    );
}

#[test]
fn relevant_means_a_rule_or_a_status() {
    let rules = rules(
        r#"SecAuditEngine RelevantOnly
           SecAuditLogRelevantStatus "^(?:5|4(?!04))"
           SecRule ARGS:loud "@rx ." "id:1,phase:2,pass,nolog,auditlog,msg:'m'"
           SecRule ARGS:quiet "@rx ." "id:2,phase:2,pass,log,noauditlog,msg:'m'"
           SecRule ARGS:stop "@rx ." "id:3,phase:2,deny,status:500,nolog,noauditlog""#,
    );
    for (uri, wanted) in [
        ("/", false),
        ("/?loud=1", true),
        ("/?quiet=1", false),
        ("/?stop=1", true),
    ] {
        assert_eq!(get(uri).to(&rules).wants_audit(), wanted, "{uri}");
    }
    for (status, wanted) in [(200, false), (404, false), (403, true), (502, true)] {
        let mut transaction = get("/").to(&rules);
        transaction.response_line(status, b"HTTP/1.1");
        assert_eq!(transaction.wants_audit(), wanted, "{status}");
    }
}
