//! The audit record, as data: what a transaction was and why it ended as it did. Secrets are masked here,
//! so that no sink has to think of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rule::EngineMode;
use crate::text::readable;
use crate::transaction::{
    Clock, Facts, Interruption, InterruptionKind, MatchedRule, MatchedVariable, Pair, State,
};
use crate::variables::address;

mod mask;

/// One transaction. Bytes that are no UTF-8 stand as `\xHH` in every text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// The request's `UNIQUE_ID`.
    pub id: String,
    /// When the request came: RFC 3339, UTC.
    pub time: String,
    /// The client's address, without port.
    pub client_address: Option<String>,
    /// The client's port.
    pub client_port: Option<u16>,
    /// The address the client spoke to, without port.
    pub server_address: Option<String>,
    /// The port the client spoke to.
    pub server_port: Option<u16>,
    /// `GET /?q=1 HTTP/1.1`.
    pub request_line: String,
    /// In the order of the request.
    pub request_headers: Vec<AuditHeader>,
    /// Bytes of the request's body that were inspected.
    pub request_body_bytes: usize,
    /// The body was only inspected in part.
    pub request_body_partial: bool,
    /// Why `REQBODY_ERROR` was set.
    pub request_body_error: Option<String>,
    /// The status of the upstream's response, if it came that far.
    pub response_status: Option<u16>,
    /// `On`, `DetectionOnly` or `Off`.
    pub engine: String,
    /// What stopped the transaction.
    pub interruption: Option<AuditInterruption>,
    /// What would have stopped it, were the engine On.
    pub detected_interruption: Option<AuditInterruption>,
    /// The rules that matched.
    pub rules: Vec<AuditRule>,
    /// How many more matches there were than are kept.
    pub rules_dropped: usize,
    /// Members of `TX` that count a score, where they are not 0.
    pub scores: BTreeMap<String, i64>,
}

/// A header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHeader {
    /// As sent.
    pub name: String,
    /// As sent, or masked.
    pub value: String,
}

/// How a transaction was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditInterruption {
    /// The rule.
    pub rule_id: u64,
    /// 1 to 5.
    pub phase: u8,
    /// `deny`, `drop` or `redirect`.
    pub action: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Where a redirect leads.
    pub location: Option<String>,
}

/// A match of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRule {
    /// `id`.
    pub id: u64,
    /// 1 to 5.
    pub phase: u8,
    /// `msg`.
    pub msg: String,
    /// `logdata`.
    pub data: String,
    /// `CRITICAL` and so on.
    pub severity: Option<String>,
    /// `tag`s.
    pub tags: Vec<String>,
    /// `ver`.
    pub version: Option<String>,
    /// The file of the rule.
    pub file: String,
    /// The line in that file.
    pub line: u32,
    /// The rule stops a request, or would if the engine were On.
    pub disruptive: bool,
    /// What matched.
    pub variables: Vec<AuditVariable>,
}

/// A value that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVariable {
    /// The link of the chain whose operator matched; 0 for the head.
    pub link: usize,
    /// `ARGS`.
    pub variable: String,
    /// `q`.
    pub key: Option<String>,
    /// The value as the operator saw it, cut, or masked.
    pub value: String,
}

/// Makes the record.
pub(crate) fn record(facts: &Facts, state: &State) -> AuditRecord {
    let request = &facts.request;
    AuditRecord {
        id: facts.origin.id.clone(),
        time: Clock::at(facts.origin.unix_micros, 0).rfc3339(),
        client_address: facts.client.map(address),
        client_port: facts.client.map(|peer| peer.port()),
        server_address: facts.server.map(address),
        server_port: facts.server.map(|peer| peer.port()),
        request_line: mask::text(&readable(&request.line)),
        request_headers: request.headers.iter().map(header).collect(),
        request_body_bytes: facts.body.bytes.len(),
        request_body_partial: facts.body.partial,
        request_body_error: facts.body.error.clone(),
        response_status: facts.response.status,
        engine: engine_name(state.control.engine).to_owned(),
        interruption: state.interruption.as_ref().map(interruption),
        detected_interruption: state.detected.as_ref().map(interruption),
        rules: state
            .log
            .records()
            .iter()
            .filter(|rule| rule.audit_log || rule.disruptive)
            .map(rule)
            .collect(),
        rules_dropped: state.log.dropped,
        scores: scores(state),
    }
}

fn engine_name(mode: EngineMode) -> &'static str {
    match mode {
        EngineMode::On => "On",
        EngineMode::DetectionOnly => "DetectionOnly",
        EngineMode::Off => "Off",
    }
}

fn header((name, value): &Pair) -> AuditHeader {
    let value = match mask::is_secret_header(name) {
        true => mask::MASK.to_owned(),
        false => mask::text(&readable(value)),
    };
    AuditHeader {
        name: readable(name),
        value,
    }
}

fn interruption(interruption: &Interruption) -> AuditInterruption {
    let (action, location) = match &interruption.kind {
        InterruptionKind::Deny { .. } => ("deny", None),
        InterruptionKind::Drop => ("drop", None),
        InterruptionKind::Redirect { location, .. } => ("redirect", Some(mask::text(&readable(location)))),
    };
    AuditInterruption {
        rule_id: interruption.rule_id,
        phase: interruption.phase.number(),
        action: action.to_owned(),
        status: interruption.status(),
        location,
    }
}

/// A rule that saw a secret quotes it in `logdata`, and hands it on in `MATCHED_VAR` and `TX`.
fn rule(matched: &MatchedRule) -> AuditRule {
    let saw_secret = matched.variables.iter().any(mask::is_secret);
    let quote = |text: &str| {
        if saw_secret {
            mask::MASK.to_owned()
        } else {
            mask::text(text)
        }
    };
    AuditRule {
        id: matched.id,
        phase: matched.phase.number(),
        msg: mask::text(&matched.msg),
        data: if matched.logdata.is_empty() {
            String::new()
        } else {
            quote(&matched.logdata)
        },
        severity: matched.severity.map(|severity| severity.name().to_owned()),
        tags: matched.tags.clone(),
        version: matched.ver.clone(),
        file: matched.location.file.to_string(),
        line: matched.location.line,
        disruptive: matched.disruptive,
        variables: matched
            .variables
            .iter()
            .map(|variable| audit_variable(variable, saw_secret))
            .collect(),
    }
}

fn audit_variable(matched: &MatchedVariable, saw_secret: bool) -> AuditVariable {
    let hidden = mask::is_secret(matched) || (saw_secret && mask::may_carry_another(matched.variable));
    AuditVariable {
        link: matched.link,
        variable: matched.variable.name().to_owned(),
        key: matched.key.as_deref().map(readable),
        value: if hidden {
            mask::MASK.to_owned()
        } else {
            mask::text(&readable(&matched.value))
        },
    }
}

fn scores(state: &State) -> BTreeMap<String, i64> {
    let members = state
        .tx
        .iter()
        .map(|(name, value)| (readable(name), readable(value)));
    let scores = members.filter(|(name, _)| name.ends_with("_score") || name.contains("anomaly_score"));
    scores
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .filter(|(_, score)| *score != 0)
        .collect()
}
