//! The engine, set up as the CRS project's tests expect it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use palisade_waf::seclang::LoadErrors;
use palisade_waf::{
    Completeness, Evaluation, Interruption, Limits, MatchedRule, OperatorCache, RequestOrigin, RuleSet,
    Transaction,
};

use super::Installation;
use super::judge::Observed;
use super::origin::Response;
use super::source::Directory;
use super::wire::Message;

/// The engine's set-up is the edge's own, in the place of `modsecurity.conf-recommended`: both bodies are
/// read, and the body parser follows the content type.
pub(crate) const ENGINE: &str = include_str!("../../../waf-rules/engine.conf");

/// What a route's configuration says. The MIME types are those of the CRS test set-up.
pub(crate) const ROUTE: &str = "
SecRuleEngine On
SecResponseBodyMimeType text/plain text/html text/xml application/json
";

/// The set-up of the CRS test guide: everything is detected at the highest level, nothing is stopped, and the
/// checks that are off by default are on.
pub(crate) const TEST_SETUP: &str = include_str!("../../../config/crs-test.conf");

/// Members of `TX` that rules leave behind.
const SCORES: [&str; 6] = [
    "blocking_inbound_anomaly_score",
    "detection_inbound_anomaly_score",
    "anomaly_score",
    "extension",
    "0",
    "1",
];

/// Compiles the rules of an installation for the corpus.
pub fn rule_set(installation: &Installation, cache: &OperatorCache) -> Result<RuleSet, LoadErrors> {
    let builder = RuleSet::builder();
    // As in the edge: those of CRS 3 that only a backtracking engine can run are left out, with a remark.
    let builder = match installation.version.starts_with("3.") {
        true => builder.leave_out_unsupported(),
        false => builder,
    };
    builder
        .operators(cache)
        .limits(Limits {
            recalled_requests: 10_000,
            ..Limits::default()
        })
        .text("engine.conf", ENGINE)
        .text("route.conf", ROUTE)
        .include(&installation.setup)
        .text("crs-test.conf", TEST_SETUP)
        .include(&installation.rules)
        .build(&Directory::new(&installation.root))
}

/// One request and its answer through all five phases. A verdict stays in the transaction, so it is read
/// once at the end.
///
/// The index over the values must not be noticed: the plain evaluation comes to the same, match for match.
pub fn inspect(rules: &RuleSet, message: &Message, response: &Response) -> Observed {
    let indexed = evaluated(rules, Evaluation::Indexed, message, response);
    let plain = evaluated(rules, Evaluation::Checked, message, response);
    assert_eq!(plain.divergences(), [] as [String; 0], "the index misses a match");
    assert_eq!(
        indexed.matched_rules(),
        plain.matched_rules(),
        "the index changes what matches"
    );
    assert_eq!(indexed.interruption(), plain.interruption());
    assert_eq!(indexed.detected_interruption(), plain.detected_interruption());
    comes_again(rules, message);
    observed(&indexed, message, response)
}

/// A request that nobody answers comes to the same each time. Harmless ones are recalled from the third time on.
fn comes_again(rules: &RuleSet, message: &Message) {
    let run = |evaluation| {
        let mut transaction = opened(rules, evaluation);
        request(&mut transaction, message);
        transaction.logging();
        transaction
    };
    let plain = run(Evaluation::Plain);
    for time in 1..=4 {
        let again = run(Evaluation::Indexed);
        assert_eq!(again.audit_record(), plain.audit_record(), "time {time}");
        assert_eq!(again.matched_rules(), plain.matched_rules(), "time {time}");
        for name in SCORES {
            assert_eq!(
                again.tx_variable(name),
                plain.tx_variable(name),
                "{name}, time {time}"
            );
        }
    }
}

fn evaluated(rules: &RuleSet, evaluation: Evaluation, message: &Message, response: &Response) -> Transaction {
    let mut transaction = opened(rules, evaluation);
    request(&mut transaction, message);
    answer(&mut transaction, &message.protocol, response);
    transaction.logging();
    transaction
}

fn opened(rules: &RuleSet, evaluation: Evaluation) -> Transaction {
    let origin = RequestOrigin {
        id: "corpus".into(),
        unix_micros: 1_750_000_000_000_000,
        utc_offset_seconds: 0,
    };
    rules.transaction_evaluated(origin, evaluation)
}

pub(crate) fn request(transaction: &mut Transaction, message: &Message) {
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    transaction.connection(local(51_000), local(80));
    transaction.request_line(&message.method, &message.target, &message.protocol);
    for (name, value) in &message.headers {
        transaction.add_request_header(name, value);
    }
    let _ = transaction.request_headers();
    let body = if transaction.wants_request_body() {
        Bytes::copy_from_slice(&message.body)
    } else {
        Bytes::new()
    };
    let _ = transaction.request_body(body, Completeness::Complete);
}

pub(crate) fn answer(transaction: &mut Transaction, protocol: &[u8], response: &Response) {
    transaction.response_line(response.status, protocol);
    for (name, value) in &response.headers {
        transaction.add_response_header(name.as_bytes(), value.as_bytes());
    }
    let _ = transaction.response_headers();
    let body = if transaction.wants_response_body() {
        Bytes::copy_from_slice(&response.body)
    } else {
        Bytes::new()
    };
    let _ = transaction.response_body(body, Completeness::Complete);
}

fn observed(transaction: &Transaction, message: &Message, response: &Response) -> Observed {
    let logged: Vec<&MatchedRule> = transaction
        .matched_rules()
        .iter()
        .filter(|rule| rule.log)
        .collect();
    Observed {
        log: logged.iter().map(|rule| log_line(rule).into_bytes()).collect(),
        logged: logged.iter().map(|rule| rule.id).collect::<BTreeSet<_>>(),
        status: transaction
            .interruption()
            .map_or(Some(response.status), Interruption::status)
            .unwrap_or(0),
        response_body: response.body.clone(),
        unanswered: message.is_simple(),
    }
}

/// A match as ModSecurity writes it to the error log.
fn log_line(rule: &MatchedRule) -> String {
    let mut line = format!("ModSecurity: Warning. [file \"{}\"]", rule.location.file);
    let mut field = |name: &str, value: &str| line.push_str(&format!(" [{name} \"{value}\"]"));
    field("line", &rule.location.line.to_string());
    field("id", &rule.id.to_string());
    field("msg", &one_line(&rule.msg));
    field("data", &one_line(&rule.logdata));
    if let Some(severity) = rule.severity {
        field("severity", severity.name());
    }
    for tag in &rule.tags {
        field("tag", &one_line(tag));
    }
    line
}

/// Control characters are escaped, so that a match stays on one line.
fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default().to_string());
            escaped
                .unwrap_or_else(|| c.to_string())
                .chars()
                .collect::<Vec<_>>()
        })
        .collect()
}
