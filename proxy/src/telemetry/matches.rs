//! The log of matches: a line for each rule that matched and asked to be logged, in the form of ModSecurity's error
//! log, which the CRS project's test client and other tools read.
//!
//! Values stand in it as they were sent, secrets included, which is why it is off unless somebody asks for it.

use std::fmt::Write;
use std::net::SocketAddr;

use palisade_waf::{Interruption, InterruptionKind, MatchedRule};

/// The request that the rules matched in.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// RFC 3339, UTC.
    pub time: &'a str,
    /// The request's id.
    pub id: &'a str,
    /// The client, with the port: it tells one connection's lines from another's.
    pub client: SocketAddr,
    /// The host asked for.
    pub host: &'a str,
    /// The path without its query.
    pub path: &'a str,
}

/// The lines of one request, each with its newline; empty if no rule asked to be logged.
pub fn lines(request: &Request<'_>, rules: &[MatchedRule], stopped: Option<&Interruption>) -> Vec<u8> {
    let mut lines = String::new();
    for rule in rules.iter().filter(|rule| rule.log) {
        let verdict = verdict(rule, stopped);
        // Writing to a string cannot fail.
        let _ = write!(
            lines,
            "{} [client {}] ModSecurity: {verdict}",
            request.time, request.client
        );
        describe(&mut lines, request, rule);
        lines.push('\n');
    }
    lines.into_bytes()
}

fn verdict(rule: &MatchedRule, stopped: Option<&Interruption>) -> String {
    let stop = stopped.filter(|stop| stop.rule_id == rule.id && stop.phase == rule.phase);
    match stop.map(|stop| &stop.kind) {
        None => "Warning.".to_owned(),
        Some(InterruptionKind::Drop) => "Access denied with connection close.".to_owned(),
        Some(InterruptionKind::Deny { status }) => format!("Access denied with code {status}."),
        Some(InterruptionKind::Redirect { status, .. }) => {
            format!("Access denied with redirection {status}.")
        }
    }
}

fn describe(line: &mut String, request: &Request<'_>, rule: &MatchedRule) {
    field(line, "file", &rule.location.file);
    field(line, "line", &rule.location.line.to_string());
    field(line, "id", &rule.id.to_string());
    let optional = [("rev", rule.rev.as_deref()), ("ver", rule.ver.as_deref())];
    let severity = rule.severity.map(|severity| severity.name());
    field(line, "msg", &rule.msg);
    field(line, "data", &rule.logdata);
    for (name, text) in [("severity", severity)].into_iter().chain(optional) {
        text.into_iter().for_each(|text| field(line, name, text));
    }
    rule.tags.iter().for_each(|tag| field(line, "tag", tag));
    field(line, "hostname", request.host);
    field(line, "uri", request.path);
    field(line, "unique_id", request.id);
}

/// `[name "text"]`. Quotes, backslashes and control characters are escaped: no value can end its field or its line.
fn field(line: &mut String, name: &str, text: &str) {
    let _ = write!(line, " [{name} \"");
    for character in text.chars() {
        match character {
            '"' | '\\' => line.extend(['\\', character]),
            _ if character.is_control() => {
                let _ = write!(line, "\\x{:02x}", u32::from(character));
            }
            _ => line.push(character),
        }
    }
    line.push_str("\"]");
}

#[cfg(test)]
mod tests {
    use palisade_waf::{MemorySource, RequestOrigin, RuleSet};

    use super::*;

    fn request() -> Request<'static> {
        Request {
            time: "2026-01-02T03:04:05.678Z",
            id: "0123abcd",
            client: SocketAddr::from(([192, 0, 2, 1], 50_000)),
            host: "a.example",
            path: "/x",
        }
    }

    /// What is logged of a request with this query.
    fn logged(rules: &str, query: &str) -> String {
        let rules = RuleSet::builder()
            .text("a.conf", rules)
            .build(&MemorySource::new())
            .unwrap();
        let mut transaction = rules.transaction(RequestOrigin {
            id: "0123abcd".to_owned(),
            unix_micros: 0,
            utc_offset_seconds: 0,
        });
        transaction.request_line(b"GET", format!("/x?{query}").as_bytes(), b"HTTP/1.1");
        let _ = transaction.request_headers();
        let lines = lines(
            &request(),
            transaction.matched_rules(),
            transaction.interruption(),
        );
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn a_match_is_one_line_as_modsecurity_writes_it() {
        let rule = "SecRule ARGS:a \"@rx b\" \"id:7,phase:1,pass,log,msg:'A b',logdata:'%{MATCHED_VAR}',\
                    severity:CRITICAL,tag:'t'\"\n";
        assert_eq!(
            logged(&format!("SecRuleEngine On\n{rule}"), "a=abc"),
            "2026-01-02T03:04:05.678Z [client 192.0.2.1:50000] ModSecurity: Warning. [file \"a.conf\"] [line \"2\"] \
             [id \"7\"] [msg \"A b\"] [data \"abc\"] [severity \"CRITICAL\"] [tag \"t\"] [hostname \"a.example\"] \
             [uri \"/x\"] [unique_id \"0123abcd\"]\n"
        );
    }

    #[test]
    fn a_value_cannot_forge_a_field_or_a_line() {
        let rule =
            "SecRuleEngine On\nSecRule ARGS:a \"@rx .\" \"id:7,phase:1,pass,log,logdata:'%{MATCHED_VAR}'\"\n";
        let line = logged(rule, "a=b%22]%20[id%20%228%22]%0a%5c");
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains(r#"[data "b\"] [id \"8\"]\x0a\\"]"#), "{line}");
    }

    #[test]
    fn what_stops_the_request_says_so_and_what_is_not_logged_is_not_there() {
        let rules = "SecRuleEngine On\nSecAction \"id:6,phase:1,pass,nolog,auditlog\"\n\
                     SecAction \"id:7,phase:1,deny,status:418,log\"\n";
        let text = logged(rules, "");
        assert!(text.contains("Access denied with code 418."), "{text}");
        assert!(!text.contains("[id \"6\"]"), "{text}");
    }
}
