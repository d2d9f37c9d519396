//! The record of an incident: one line of the audit log.

use palisade_waf::audit::{AuditRecord, AuditRule};
use serde::{Deserialize, Serialize};

/// What the edge knows of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The number that the visitor was shown, and the request's id.
    pub id: String,
    /// When: RFC 3339, UTC.
    pub time: String,
    /// The client's address.
    pub client: String,
    /// The host asked for.
    pub host: String,
    /// The route's name.
    pub route: String,
    /// Whether the route is for this host only: an exclusion of it need not name the host. Lines of the log
    /// from before this was written do not say so.
    #[serde(default)]
    pub single_host: bool,
    /// The request's method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The status that was sent.
    pub status: u16,
    /// `blocked`, `detected` or `failed`.
    pub outcome: String,
    /// The anomaly score of the request.
    pub score: u32,
    /// The score from which requests are stopped.
    pub threshold: u32,
    /// The score from which answers are stopped.
    pub outbound_threshold: u32,
    /// Rules up to this level count.
    pub paranoia_level: u8,
    /// Whether the body was inspected only up to the limit.
    pub partly_inspected: bool,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The edge's side.
    #[serde(flatten)]
    pub facts: Facts,
    /// The engine's side; secrets are masked in it.
    pub transaction: AuditRecord,
}

impl Incident {
    /// An incident of both sides.
    pub fn new(facts: Facts, transaction: AuditRecord) -> Self {
        Self { facts, transaction }
    }

    /// Its line of the audit log, newline included.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// The incident of a line, if the line is one and its id is `id`.
    pub fn from_line(line: &str, id: &str) -> Option<Self> {
        if !line.contains(id) {
            return None;
        }
        serde_json::from_str(line)
            .ok()
            .filter(|incident: &Self| incident.facts.id == id)
    }

    /// Whether an answer of the application was stopped, not the request.
    pub fn is_of_response(&self) -> bool {
        let stop = self
            .transaction
            .interruption
            .as_ref()
            .or(self.transaction.detected_interruption.as_ref());
        stop.is_some_and(|stop| stop.phase >= 3)
    }

    /// The rules that found something, at levels that count: what the score is made of.
    pub fn findings(&self) -> impl Iterator<Item = &AuditRule> {
        let response = self.is_of_response();
        self.transaction.rules.iter().filter(move |rule| {
            points(rule) > 0
                && !is_evaluation(rule)
                && (rule.phase >= 3) == response
                && level(rule).is_none_or(|level| level <= self.facts.paranoia_level)
        })
    }
}

/// What one match of a rule adds to the score: CRS's default for its severity.
pub(super) fn points(rule: &AuditRule) -> u32 {
    match rule.severity.as_deref() {
        Some("EMERGENCY" | "ALERT" | "CRITICAL") => 5,
        Some("ERROR") => 4,
        Some("WARNING") => 3,
        Some("NOTICE") => 2,
        _ => 0,
    }
}

/// The paranoia level that a rule is tagged with.
pub(super) fn level(rule: &AuditRule) -> Option<u8> {
    rule.tags
        .iter()
        .find_map(|tag| tag.strip_prefix("paranoia-level/")?.parse().ok())
}

/// Rules that only add up what others found, and our own, which score nothing.
fn is_evaluation(rule: &AuditRule) -> bool {
    matches!(rule.id / 1000, 100 | 101 | 901 | 949 | 959 | 980 | 999)
}
