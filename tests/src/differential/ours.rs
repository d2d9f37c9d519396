//! Our engine, in process.

use palisade_waf::{MatchedRule, RequestOrigin, RuleSet, Transaction};

use crate::corpus::engine;
use crate::corpus::origin::Response;
use crate::corpus::wire::Message;

use super::observation::{Observation, Stop};
use super::setup::RuleSets;
use super::views::View;

/// What it makes of a request.
pub(super) fn observe(
    rules: &RuleSets,
    views: &[View],
    message: &Message,
    response: &Response,
) -> Observation {
    let detected = finished(&rules.detecting, message, response);
    let views = views
        .iter()
        .map(View::key)
        .filter_map(|key| detected.tx_variable(&key).map(|value| (key, value)))
        .collect();
    let logged = detected
        .matched_rules()
        .iter()
        .filter(|rule: &&MatchedRule| rule.log)
        .map(|rule| rule.id);
    let stop = finished(&rules.blocking, message, response)
        .interruption()
        .map_or(Stop::default(), |stop| Stop {
            status: u32::from(stop.status().unwrap_or(403)),
            rule: stop.rule_id,
        });
    Observation {
        logged: logged.collect(),
        views,
        stop,
        crashed: false,
    }
}

fn finished(rules: &RuleSet, message: &Message, response: &Response) -> Transaction {
    let mut transaction = rules.transaction(RequestOrigin {
        id: "differential".into(),
        unix_micros: 1_750_000_000_000_000,
        utc_offset_seconds: 0,
    });
    engine::request(&mut transaction, message);
    engine::answer(&mut transaction, &message.protocol, response);
    transaction.logging();
    transaction
}
