//! Every way to evaluate rules comes to the same.

use palisade_waf::audit::AuditRecord;
use palisade_waf::{Evaluation, Interruption, Limits, MatchedRule, RuleSet, Transaction, Verdict};

use super::Exchange;

/// Members of `TX` that rules leave behind: the scores of the CRS, those of our own rules, and captures.
const LEFT_BEHIND: [&str; 22] = [
    "score",
    "last",
    "counted",
    "blocking_inbound_anomaly_score",
    "detection_inbound_anomaly_score",
    "inbound_anomaly_score_pl1",
    "inbound_anomaly_score_pl2",
    "inbound_anomaly_score_pl3",
    "inbound_anomaly_score_pl4",
    "sql_injection_score",
    "xss_score",
    "blocking_outbound_anomaly_score",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
];

/// Everything that is seen of a transaction from outside.
#[derive(Debug, PartialEq)]
struct Outcome<'t> {
    verdicts: [Verdict; 4],
    interruption: Option<&'t Interruption>,
    detected: Option<&'t Interruption>,
    matched: &'t [MatchedRule],
    left_behind: Vec<Option<Vec<u8>>>,
    wants_audit: bool,
    audit: AuditRecord,
}

impl<'t> Outcome<'t> {
    fn of((transaction, verdicts): &'t (Transaction, [Verdict; 4])) -> Self {
        Self {
            verdicts: verdicts.clone(),
            interruption: transaction.interruption(),
            detected: transaction.detected_interruption(),
            matched: transaction.matched_rules(),
            left_behind: LEFT_BEHIND
                .iter()
                .map(|name| transaction.tx_variable(name))
                .collect(),
            wants_audit: transaction.wants_audit(),
            audit: transaction.audit_record(),
        }
    }
}

/// Limits with which harmless requests are recalled.
pub(crate) fn recalling() -> Limits {
    Limits {
        recalled_requests: 1000,
        ..Limits::default()
    }
}

/// Runs the exchange in every way; panics if they differ. Says how many rules matched.
pub fn agree(rules: &RuleSet, exchange: &Exchange) -> usize {
    let plain = exchange.run(rules, Evaluation::Plain);
    let indexed = exchange.run(rules, Evaluation::Indexed);
    let checked = exchange.run(rules, Evaluation::Checked);
    // First, because it names the rule and the value.
    let divergences = checked.0.divergences();
    assert!(divergences.is_empty(), "{divergences:#?}\n{exchange:?}");
    let measure = Outcome::of(&plain);
    assert_eq!(measure, Outcome::of(&indexed), "plain, indexed\n{exchange:?}");
    assert_eq!(measure, Outcome::of(&checked), "plain, checked\n{exchange:?}");
    comes_again(rules, exchange);
    measure.matched.len()
}

/// A request that nobody answers comes to the same each time. Harmless ones are recalled from the third time on.
fn comes_again(rules: &RuleSet, exchange: &Exchange) {
    let plain = exchange.run_unanswered(rules, Evaluation::Plain);
    let measure = Outcome::of(&plain);
    for time in 1..=4 {
        let again = exchange.run_unanswered(rules, Evaluation::Indexed);
        assert_eq!(measure, Outcome::of(&again), "plain, time {time}\n{exchange:?}");
    }
}
