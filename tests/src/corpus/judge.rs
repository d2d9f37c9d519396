//! Expectations against what happened.

use std::collections::BTreeSet;

use regex::bytes::Regex;

use super::suite::{LogExpectation, Output};
use super::wire::Message;

/// What a stage left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The log, a line per match.
    pub log: Vec<Vec<u8>>,
    /// The rules in it.
    pub logged: BTreeSet<u64>,
    /// The status of the answer.
    pub status: u16,
    /// The content of the answer.
    pub response_body: Vec<u8>,
    /// There is no answer that an HTTP client understands: the connection ended, or the answer has no head.
    pub unanswered: bool,
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Passed,
    /// What was not as expected, one line each.
    Failed(Vec<String>),
    /// Only a server in front of the engine can give the expected answer; why it would.
    HttpLayer(String),
}

/// Whether this stage is about the server in front: it expects to be refused, nothing in the log, and the
/// request is one that a strict server refuses.
pub fn http_layer(output: &Output, message: &Message) -> Option<Verdict> {
    let refusal = !output.status.is_empty() && output.status.iter().all(|status| *status >= 400);
    let logs = !output.log.expect_ids.is_empty() || output.log.match_regex.is_some();
    if !refusal || logs || message.objections.is_empty() {
        return None;
    }
    let reasons: Vec<String> = message.objections.iter().map(ToString::to_string).collect();
    Some(Verdict::HttpLayer(reasons.join("; ")))
}

/// Compares. Unlike go-ftw, an expected error does not make the log irrelevant.
pub fn judge(output: &Output, observed: &Observed) -> Verdict {
    let mut complaints = Vec::new();
    match (output.expect_error, observed.unanswered) {
        (Some(true), false) => complaints.push("expected no answer, or one without a head".to_owned()),
        (None | Some(false), true) => complaints.push("got no answer".to_owned()),
        _ => {}
    }
    if !output.status.is_empty() && !output.status.contains(&observed.status) {
        let expected: Vec<String> = output.status.iter().map(u16::to_string).collect();
        let expected = expected.join(" or ");
        complaints.push(format!("expected status {expected}, got {}", observed.status));
    }
    if let Some(pattern) = &output.response_contains {
        complaints.extend(unmatched(pattern, std::slice::from_ref(&observed.response_body)));
    }
    judge_log(&output.log, observed, &mut complaints);
    if output.isolated && observed.logged.len() != 1 {
        complaints.push(format!("expected exactly one rule, got {:?}", observed.logged));
    }
    if complaints.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(complaints)
    }
}

fn judge_log(expected: &LogExpectation, observed: &Observed, complaints: &mut Vec<String>) {
    let ids = &observed.logged;
    for id in expected.expect_ids.iter().filter(|id| !ids.contains(id)) {
        complaints.push(format!("expected rule {id}"));
    }
    for id in expected.no_expect_ids.iter().filter(|id| ids.contains(id)) {
        complaints.push(format!("unexpected rule {id}"));
    }
    if let Some(pattern) = &expected.match_regex {
        complaints.extend(unmatched(pattern, &observed.log));
    }
    if let Some(pattern) = &expected.no_match_regex {
        match Regex::new(pattern) {
            Ok(regex) => complaints.extend(
                observed
                    .log
                    .iter()
                    .filter(|line| regex.is_match(line))
                    .map(|line| format!("unexpected log line: {}", String::from_utf8_lossy(line))),
            ),
            Err(error) => complaints.push(error.to_string()),
        }
    }
}

fn unmatched(pattern: &str, lines: &[Vec<u8>]) -> Option<String> {
    match Regex::new(pattern) {
        Ok(regex) if lines.iter().any(|line| regex.is_match(line)) => None,
        Ok(_) => Some(format!("nothing matches {pattern}")),
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(lines: &[&str]) -> Observed {
        Observed {
            log: lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
            logged: lines
                .iter()
                .filter_map(|line| line.split('"').nth(1)?.parse().ok())
                .collect(),
            status: 200,
            response_body: Vec::new(),
            unanswered: false,
        }
    }

    fn judged(output: &str, lines: &[&str]) -> Verdict {
        let output: Output = serde_norway::from_str(output).unwrap();
        judge(&output, &observed(lines))
    }

    #[test]
    fn expectations_on_the_log() {
        let lines = ["[id \"1\"] [msg \"a b\"]", "[id \"2\"] [msg \"c\"]"];
        let table = [
            ("{log: {expect_ids: [1, 2]}}", true),
            ("{log: {expect_ids: [1, 3]}}", false),
            ("{log: {no_expect_ids: [3]}}", true),
            ("{log: {no_expect_ids: [3, 2]}}", false),
            ("{log: {match_regex: 'id \"1\".*a b'}}", true),
            ("{log: {match_regex: 'id \"1\".*c'}}", false),
            ("{log: {no_match_regex: 'id \"\\d+\"'}}", false),
            ("{log: {no_match_regex: 'id \"3\"'}}", true),
            ("{log: {match_regex: '('}}", false),
            ("{isolated: true, log: {expect_ids: [1]}}", false),
        ];
        for (output, passes) in table {
            assert_eq!(judged(output, &lines) == Verdict::Passed, passes, "{output}");
        }
    }

    #[test]
    fn expectations_on_the_answer() {
        assert_eq!(judged("{status: 200}", &[]), Verdict::Passed);
        assert_eq!(
            judged("{status: 403}", &[]),
            Verdict::Failed(vec!["expected status 403, got 200".into()])
        );
        assert_ne!(judged("{expect_error: true}", &[]), Verdict::Passed);
        let silent = Observed {
            unanswered: true,
            ..observed(&[])
        };
        let judged = |output: &str| judge(&serde_norway::from_str(output).unwrap(), &silent);
        assert_eq!(judged("{expect_error: true}"), Verdict::Passed);
        assert_ne!(judged("{log: {no_expect_ids: [1]}}"), Verdict::Passed);
    }

    #[test]
    fn a_refusal_that_only_a_server_gives() {
        let output: Output = serde_norway::from_str("{status: 400}").unwrap();
        let broken = Message::parse(b"GET / JUNK\r\n\r\n");
        assert!(matches!(
            http_layer(&output, &broken),
            Some(Verdict::HttpLayer(_))
        ));
        let sound = Message::parse(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(http_layer(&output, &sound), None);
        let logged: Output = serde_norway::from_str("{status: 400, log: {expect_ids: [1]}}").unwrap();
        assert_eq!(http_layer(&logged, &broken), None);
    }
}
