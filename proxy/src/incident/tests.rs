//! Incidents as an operator meets them.

use std::collections::BTreeMap;

use palisade_waf::audit::{AuditInterruption, AuditRecord, AuditRule, AuditVariable};

use super::*;

fn rule(id: u64, severity: &str, level: u8, variables: &[(&str, &str)]) -> AuditRule {
    let variable = |(name, key): &(&str, &str)| AuditVariable {
        link: 0,
        variable: (*name).to_owned(),
        key: (!key.is_empty()).then(|| (*key).to_owned()),
        value: "1' or '1'='1".to_owned(),
    };
    AuditRule {
        id,
        phase: 2,
        msg: format!("finding {id}"),
        data: String::new(),
        severity: Some(severity.to_owned()),
        tags: vec![format!("paranoia-level/{level}")],
        version: None,
        file: "x.conf".to_owned(),
        line: 1,
        disruptive: false,
        variables: variables.iter().map(variable).collect(),
    }
}

fn incident(rules: Vec<AuditRule>) -> Incident {
    let facts = Facts {
        id: "0123456789ab".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        client: "192.0.2.1".to_owned(),
        host: "blog.example".to_owned(),
        route: "blog".to_owned(),
        single_host: true,
        method: "POST".to_owned(),
        path: "/comment".to_owned(),
        status: 403,
        outcome: "blocked".to_owned(),
        score: 10,
        threshold: 5,
        outbound_threshold: 4,
        paranoia_level: 1,
        partly_inspected: false,
    };
    let interruption = AuditInterruption {
        rule_id: 949_110,
        phase: 2,
        action: "deny".to_owned(),
        status: Some(403),
        location: None,
    };
    let transaction = AuditRecord {
        id: facts.id.clone(),
        time: facts.time.clone(),
        client_address: None,
        client_port: None,
        server_address: None,
        server_port: None,
        request_line: String::new(),
        request_headers: Vec::new(),
        request_body_bytes: 0,
        request_body_partial: false,
        request_body_error: None,
        response_status: None,
        engine: "On".to_owned(),
        interruption: Some(interruption),
        detected_interruption: None,
        rules,
        rules_dropped: 0,
        scores: BTreeMap::new(),
    };
    Incident::new(facts, transaction)
}

fn excluded(incident: &Incident) -> (String, u32) {
    match advise(incident) {
        Advice::Exclude { toml, remaining, .. } => (toml, remaining),
        other => panic!("an exclusion expected, found {other:?}"),
    }
}

#[test]
fn one_finding_is_excluded_on_its_target_path_and_method() {
    let (toml, remaining) = excluded(&incident(vec![rule(
        942_100,
        "CRITICAL",
        1,
        &[("ARGS", "comment")],
    )]));
    assert_eq!(remaining, 0);
    for line in [
        "rules = [942100]",
        "targets = [\"ARGS:comment\"]",
        "path = { exact = \"/comment\" }",
        "methods = [\"POST\"]",
    ] {
        assert!(toml.contains(line), "{line} in\n{toml}");
    }
    toml.parse::<toml::Table>().unwrap();
}

/// The configuration of one route with an exclusion as it was printed.
fn pasted(toml: &str) -> crate::config::Exclusion {
    let route = "[[routes]]\nname = \"blog\"\nhosts = [\"*.example\"]\necho = true\n\n";
    let config = crate::config::testing::config(&format!("{route}{toml}"));
    config.routes[0].waf.profile.exclusions[0].clone()
}

#[test]
fn whatever_the_request_looked_like_the_configuration_takes_the_exclusion() {
    for (host, path, normal, method) in [
        ("blog.example", "//comment", "/comment", "POST"),
        ("blog.example", "/a/./b%7e/%c3%9f", "/a/b~/%C3%9F", "post"),
        ("blog.example", "/a/../b\"\\100%", "/b%22%5C100%25", "M+X"),
        ("[::1]", "/", "/", "M-SEARCH"),
    ] {
        let mut incident = incident(vec![rule(942_100, "CRITICAL", 1, &[("ARGS", "comment")])]);
        incident.facts.single_host = false;
        incident.facts.host = host.to_owned();
        incident.facts.path = path.to_owned();
        incident.facts.method = method.to_owned();
        let exclusion = pasted(&excluded(&incident).0);
        assert_eq!(
            exclusion.path,
            Some(crate::config::PathMatch::Exact(normal.to_owned()))
        );
        let upper = method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        assert_eq!(exclusion.methods.len(), usize::from(upper), "{method}");
    }
}

#[test]
fn a_host_is_named_where_the_route_has_others() {
    let mut incident = incident(vec![rule(942_100, "CRITICAL", 1, &[("ARGS", "comment")])]);
    assert!(!excluded(&incident).0.contains("hosts"));
    incident.facts.single_host = false;
    let (toml, _) = excluded(&incident);
    assert!(toml.contains("hosts = [\"blog.example\"]"), "{toml}");
    assert_eq!(pasted(&toml).hosts.len(), 1);
}

#[test]
fn what_stays_under_the_threshold_stays_protected() {
    let notice = rule(920_300, "NOTICE", 1, &[("REQUEST_HEADERS", "Accept")]);
    let (toml, remaining) = excluded(&incident(vec![
        notice,
        rule(942_100, "CRITICAL", 1, &[("ARGS", "comment")]),
    ]));
    assert_eq!(remaining, 2);
    assert!(!toml.contains("920300"), "{toml}");
}

#[test]
fn rules_above_the_blocking_level_do_not_count() {
    let (toml, _) = excluded(&incident(vec![
        rule(942_431, "CRITICAL", 3, &[("ARGS", "comment")]),
        rule(942_100, "CRITICAL", 1, &[("ARGS", "comment")]),
    ]));
    assert!(!toml.contains("942431"), "{toml}");
}

#[test]
fn a_key_that_seclang_cannot_name_takes_the_rule_out_for_the_path_only() {
    let found = incident(vec![rule(942_100, "CRITICAL", 1, &[("ARGS", "a\"b|c")])]);
    let (toml, _) = excluded(&found);
    assert!(!toml.contains("targets"), "{toml}");
    assert!(toml.contains("path = { exact = \"/comment\" }"), "{toml}");
    assert!(explain(&found).contains("Rule 942100 looks at the request as a whole"));
}

#[test]
fn a_broken_body_gets_no_exclusion() {
    let mut broken = incident(vec![AuditRule {
        msg: "The request body could not be parsed".to_owned(),
        severity: None,
        ..rule(100_010, "CRITICAL", 1, &[])
    }]);
    broken.transaction.interruption.as_mut().unwrap().rule_id = 100_010;
    assert!(explain(&broken).contains("could not be parsed"));
    assert!(matches!(advise(&broken), Advice::NotScored { .. }));
}

#[test]
fn a_line_leads_back_to_its_incident() {
    let incident = incident(vec![rule(942_100, "CRITICAL", 1, &[("ARGS", "comment")])]);
    let line = String::from_utf8(incident.line()).unwrap();
    assert_eq!(Incident::from_line(&line, "0123456789ab"), Some(incident));
    assert_eq!(Incident::from_line(&line, "ffffffffffff"), None);
}

#[test]
fn an_explanation_carries_no_control_characters_to_the_terminal() {
    let mut incident = incident(vec![rule(942_100, "CRITICAL", 1, &[("ARGS", "comment")])]);
    incident.transaction.rules[0].variables[0].value = "\u{1b}[2Jboo".to_owned();
    assert!(!explain(&incident).contains('\u{1b}'));
}

#[test]
fn a_chain_is_excluded_where_it_scores() {
    let seen = [
        ("REQUEST_HEADERS_NAMES", "host"),
        ("REQUEST_HEADERS_NAMES", "expect"),
        ("TX", "header_name_920450_expect"),
    ];
    let mut chain = rule(920_450, "CRITICAL", 1, &seen);
    chain.variables[2].link = 1;
    let (toml, remaining) = excluded(&incident(vec![chain]));
    assert!(
        toml.contains("targets = [\"TX:header_name_920450_expect\"]"),
        "{toml}"
    );
    assert_eq!(remaining, 0);
}

#[test]
fn a_chain_over_matched_vars_is_excluded_at_its_head() {
    let seen = [("ARGS", "comment"), ("MATCHED_VARS", "ARGS:comment")];
    let mut chain = rule(942_440, "CRITICAL", 1, &seen);
    chain.variables[1].link = 1;
    let (toml, _) = excluded(&incident(vec![chain]));
    assert!(toml.contains("targets = [\"ARGS:comment\"]"), "{toml}");
}
