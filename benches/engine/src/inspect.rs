//! One request's way through the engine.

use std::net::{Ipv4Addr, SocketAddr};

use palisade_waf::{Completeness, RequestOrigin, RuleSet, Transaction, Verdict};

use crate::requests::Request;

/// The headers of the answer whose head phase 3 sees.
pub const ANSWER: [(&str, &str); 3] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-cache"),
    ("content-length", "1024"),
];

/// What is measured: a new transaction, connection and head, phase 1, the body and phase 2, an answer's head and
/// phase 3, phase 5. Only an attack is stopped on the way.
/// A symbol of its own, for tools that count instructions.
#[inline(never)]
pub fn inspect(rules: &RuleSet, request: &Request) -> Transaction {
    run(rules, request)
}

/// The rules that match and log, or stop the request. The same way under another symbol, so that what fills
/// the caches of patterns is not counted.
pub fn objections(rules: &RuleSet, request: &Request) -> Vec<u64> {
    let transaction = run(rules, request);
    let matched = transaction.matched_rules().iter();
    let objecting = matched.filter(|rule| rule.log || rule.disruptive);
    objecting.map(|rule| rule.id).collect()
}

#[inline(always)]
fn run(rules: &RuleSet, request: &Request) -> Transaction {
    let mut transaction = rules.transaction(RequestOrigin {
        id: "018f6b2c9a4e7d31".to_owned(),
        unix_micros: 1_790_000_000_000_000,
        utc_offset_seconds: 0,
    });
    let client = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 50_000));
    let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2), 443));
    transaction.connection(client, server);
    transaction.request_line(request.method.as_bytes(), request.uri.as_bytes(), b"HTTP/1.1");
    for (name, value) in &request.headers {
        transaction.add_request_header(name.as_bytes(), value.as_bytes());
    }
    if transaction.request_headers() == Verdict::Pass
        && transaction.request_body(request.body.clone(), Completeness::Complete) == Verdict::Pass
    {
        answer(&mut transaction);
    }
    transaction.logging();
    transaction
}

/// The head of a page. Bodies of answers are not read by default.
fn answer(transaction: &mut Transaction) {
    transaction.response_line(200, b"HTTP/1.1");
    for (name, value) in ANSWER {
        transaction.add_response_header(name.as_bytes(), value.as_bytes());
    }
    let _ = transaction.response_headers();
}

#[cfg(test)]
mod tests {
    use palisade_waf::MemorySource;

    use super::*;
    use crate::requests;

    #[test]
    fn a_rule_that_logs_objects() {
        let rules = RuleSet::builder()
            .text(
                "a.conf",
                "SecRuleEngine On\n\
                 SecRule ARGS:page \"@streq 2\" \"id:1,phase:2,pass,nolog\"\n\
                 SecRule ARGS:sort \"@streq price\" \"id:2,phase:2,pass,log\"\n",
            )
            .build(&MemorySource::default())
            .unwrap();
        assert_eq!(objections(&rules, &requests::get()), [2]);
        assert!(objections(&rules, &requests::json_post()).is_empty());
    }

    #[test]
    fn the_engine_reads_the_bodies() {
        let rules = RuleSet::builder()
            .text("engine.conf", include_str!("../../../waf-rules/engine.conf"))
            .text(
                "seen.conf",
                "SecRuleEngine On\n\
                 SecRule ARGS:token \"@rx ^4b0f\" \"id:1,phase:2,pass,log\"\n\
                 SecRule ARGS_NAMES \"@endsWith .due\" \"id:2,phase:2,pass,log\"\n\
                 SecRule FILES_SIZES \"@eq 1048576\" \"id:3,phase:2,pass,log\"\n",
            )
            .build(&MemorySource::default())
            .unwrap();
        for (request, seen) in [
            (requests::form_post(), 1),
            (requests::json_post(), 2),
            (requests::multipart_post(), 3),
        ] {
            assert_eq!(objections(&rules, &request), [seen], "{}", request.uri);
        }
    }

    #[test]
    fn a_stopped_request_objects_without_logging() {
        let text = "SecRuleEngine On\nSecAction \"id:1,phase:1,deny,nolog\"\n";
        let rules = RuleSet::builder().text("a.conf", text);
        let rules = rules.build(&MemorySource::default()).unwrap();
        assert_eq!(objections(&rules, &requests::get()), [1]);
    }
}
