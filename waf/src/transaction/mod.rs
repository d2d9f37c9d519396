//! One request's way through the five phases.
//!
//! Rules run in file order. What they ask of values is answered from an index over all of them
//! ([`Evaluation::Indexed`]); asking each value of each rule is kept as its measure.

use std::mem::{replace, take};
use std::net::SocketAddr;

use bytes::Bytes;

use crate::audit::{self, AuditRecord};
use crate::plan::RuleSet;
use crate::rule::{EngineMode, Phase, RuleId};
use crate::variables::Origin;

mod buffers;
mod candidates;
mod chain;
mod clock;
mod conclude;
mod distinct;
mod evaluate;
mod facts;
mod heard;
mod lasting;
mod logging;
mod matched;
mod named;
mod recall;
mod recalling;
mod request_body;
mod request_headers;
mod response_body;
mod response_headers;
mod rooms;
mod state;
#[cfg(test)]
mod tests;
mod values;

use candidates::Candidates;
pub(crate) use clock::Clock;
pub(crate) use evaluate::Context;
pub(crate) use facts::{Body, Facts, Pair, Request};
pub(crate) use matched::MatchLog;
pub use matched::{MatchedRule, MatchedVariable};
use recalling::Recall;
use rooms::Owner;
pub(crate) use state::{Hit, State};

/// What the engine cannot know by itself, because it reads no clock and draws no random number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOrigin {
    /// `UNIQUE_ID`.
    pub id: String,
    /// When the request came, in microseconds since 1970.
    pub unix_micros: u64,
    /// How far east of Greenwich `TIME_HOUR` and its kin count.
    pub utc_offset_seconds: i32,
}

/// Whether a body is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// All of it.
    Complete,
    /// Only its first part, by policy: `INBOUND_DATA_ERROR` or `OUTBOUND_DATA_ERROR` says so to rules.
    Partial,
}

/// How rules are evaluated. Each way comes to the same; they differ in what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evaluation {
    /// Values are looked at once for all rules; a rule asks only those that may match it.
    #[default]
    Indexed,
    /// The rules of a phase in file order, each asking each value: the measure of the other ways.
    Plain,
    /// Plain, and what the index says is held against each answer: see [`Transaction::divergences`].
    Checked,
}

/// The answer of a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Go on. Always so in `DetectionOnly`.
    Pass,
    /// Stop: the same answer for every later phase too.
    Interrupted(Interruption),
}

/// Why and how a transaction stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interruption {
    /// The rule that stopped it.
    pub rule_id: RuleId,
    /// When.
    pub phase: Phase,
    /// How.
    pub kind: InterruptionKind,
}

/// How a transaction stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterruptionKind {
    /// Answer with this status.
    Deny {
        /// The rule's `status`, 403 by default.
        status: u16,
    },
    /// Close the connection without an answer.
    Drop,
    /// Send the client elsewhere.
    Redirect {
        /// The rule's `status` if it is a 3xx, 302 by default.
        status: u16,
        /// Where to, macros expanded: bytes of the request may be in it.
        location: Vec<u8>,
    },
}

impl Interruption {
    /// The status of the answer, if there is one.
    pub fn status(&self) -> Option<u16> {
        match self.kind {
            InterruptionKind::Deny { status } | InterruptionKind::Redirect { status, .. } => Some(status),
            InterruptionKind::Drop => None,
        }
    }
}

/// One request and its response before the rules.
///
/// Told in the order of HTTP: connection, request line, headers, body, response. Each phase runs once; a
/// phase asked for again, or after a later one, answers without running.
#[derive(Debug)]
pub struct Transaction {
    rules: RuleSet,
    facts: Facts,
    state: State,
    owner: Owner,
    done: Option<Phase>,
    /// The earliest of the facts that have come since the last phase.
    changed: Origin,
    recall: Recall,
}

impl RuleSet {
    /// Begins a transaction.
    pub fn transaction(&self, origin: RequestOrigin) -> Transaction {
        self.transaction_evaluated(origin, Evaluation::Indexed)
    }

    /// Begins a transaction whose rules are evaluated in this way.
    pub fn transaction_evaluated(&self, origin: RequestOrigin, evaluation: Evaluation) -> Transaction {
        let log = MatchLog::new(self.limits().matched_rules);
        Transaction {
            facts: Facts::new(origin, self.settings().web_app_id.clone()),
            state: State::new(self.settings(), log, evaluation, rooms::members()),
            rules: self.clone(),
            owner: Owner::new(),
            done: None,
            changed: Origin::Head,
            recall: Recall::new(self.limits().recalled_requests, evaluation),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        rooms::forget(self.owner);
        rooms::keep_members(take(&mut self.state.tx));
        self.recall.give_back();
    }
}

impl Transaction {
    /// Who talks to whom.
    pub fn connection(&mut self, client: SocketAddr, server: SocketAddr) {
        if self.done.is_some() {
            self.tell_more();
        }
        self.changed = Origin::Head;
        self.facts.client = Some(client);
        self.facts.server = Some(server);
    }

    /// The request line, as the client sent it: `protocol` is like `HTTP/1.1`.
    pub fn request_line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) {
        if !self.recall.hears_line(method, uri, protocol) {
            self.tell_more();
            self.take_line(method, uri, protocol);
        }
    }

    /// The path that the application is asked for, escaped, where it is not as the request line has it: REQUEST_FILENAME,
    /// REQUEST_BASENAME and PATH_INFO. After [`Self::request_line`].
    pub fn request_path(&mut self, path: &[u8]) {
        self.tell_more();
        self.facts.request.set_path(path);
    }

    /// One header of the request.
    pub fn add_request_header(&mut self, name: &[u8], value: &[u8]) {
        if !self.recall.hears_header(name, value) {
            self.tell_more();
            self.take_header(name, value);
        }
    }

    /// Phase 1.
    pub fn request_headers(&mut self) -> Verdict {
        if self.recalls_head() {
            return Verdict::Pass;
        }
        if self.done.is_none() {
            request_headers::prepare(&mut self.facts, &mut self.state);
        }
        self.run(Phase::RequestHeaders)
    }

    /// Whether the rules want to see the request's body: known after phase 1.
    pub fn wants_request_body(&self) -> bool {
        self.runs(Phase::RequestBody) && self.control().request_body_access
    }

    /// How many bytes of the request's body the rules want at most (`SecRequestBodyLimit`, `ctl` applied).
    pub fn request_body_limit(&self) -> usize {
        self.control().request_body_limit
    }

    /// Phase 2, with the whole body or its first part; empty if there is none.
    pub fn request_body(&mut self, body: Bytes, completeness: Completeness) -> Verdict {
        if self.recalls_body(&body, completeness) {
            return Verdict::Pass;
        }
        if self.done.is_none() {
            request_headers::prepare(&mut self.facts, &mut self.state);
        }
        if self.done < Some(Phase::RequestBody) && self.runs(Phase::RequestBody) {
            if !body.is_empty() {
                self.changed = self.changed.min(Origin::Body);
            }
            request_body::read(&self.rules, &mut self.facts, &self.state, body, completeness);
        }
        self.run(Phase::RequestBody)
    }

    /// The status line of the response.
    pub fn response_line(&mut self, status: u16, protocol: &[u8]) {
        self.tell_more();
        self.facts.response.status = Some(status);
        self.facts.response.protocol = protocol.to_vec();
    }

    /// One header of the response.
    pub fn add_response_header(&mut self, name: &[u8], value: &[u8]) {
        self.tell_more();
        self.facts.response.headers.push((name.to_vec(), value.to_vec()));
    }

    /// Phase 3.
    pub fn response_headers(&mut self) -> Verdict {
        self.tell_more();
        self.run(Phase::ResponseHeaders)
    }

    /// Whether the rules want to see the response's body: known after phase 3.
    pub fn wants_response_body(&self) -> bool {
        self.runs(Phase::ResponseBody)
            && response_headers::wants_body(&self.facts, self.control(), self.rules.settings())
    }

    /// How many bytes of the response's body the rules want at most (`SecResponseBodyLimit`, `ctl` applied).
    pub fn response_body_limit(&self) -> usize {
        self.control().response_body_limit
    }

    /// Phase 4, with the whole body or its first part; empty if it is not wanted.
    pub fn response_body(&mut self, body: Bytes, completeness: Completeness) -> Verdict {
        self.tell_more();
        if self.done < Some(Phase::ResponseBody) && self.runs(Phase::ResponseBody) {
            response_body::read(&self.rules, &mut self.facts, &self.state, body, completeness);
        }
        self.run(Phase::ResponseBody)
    }

    /// Phase 5. It runs once at the end of every transaction, stopped or not, and stops nothing.
    pub fn logging(&mut self) {
        if !self.recalls_logging() {
            let _ = self.run(Phase::Logging);
        }
    }

    /// The rules that matched and asked to be logged, in order.
    pub fn matched_rules(&self) -> &[MatchedRule] {
        self.state.log.records()
    }

    /// What stopped the transaction.
    pub fn interruption(&self) -> Option<&Interruption> {
        self.state.interruption.as_ref()
    }

    /// What would have stopped the transaction, were the engine On and not `DetectionOnly`.
    pub fn detected_interruption(&self) -> Option<&Interruption> {
        self.state.detected.as_ref()
    }

    /// Whether the engine is On, only detecting, or Off at this moment (`SecRuleEngine`, `ctl` applied).
    pub fn engine_mode(&self) -> EngineMode {
        self.control().engine
    }

    /// A member of `TX`, for instance `blocking_inbound_anomaly_score`.
    pub fn tx_variable(&self, name: &str) -> Option<Vec<u8>> {
        if let Some(value) = self.recalled_member(name) {
            return value.map(<[u8]>::to_vec);
        }
        if let Some(evaluated) = self.evaluated() {
            return evaluated.tx_variable(name);
        }
        let (_, value) = self.state.tx.named_value(name.as_bytes())?;
        Some(value.to_vec())
    }

    /// Whether no rule has run for it, as the same request came before and was harmless.
    pub fn is_recalled(&self) -> bool {
        self.course().is_some()
    }

    /// Where the index would have been wrong, with [`Evaluation::Checked`]; always empty, unless there is a bug.
    pub fn divergences(&self) -> &[String] {
        &self.state.divergences
    }

    /// The transaction as a record for the audit log, secrets masked.
    pub fn audit_record(&self) -> AuditRecord {
        match self.evaluated() {
            Some(evaluated) => audit::record(&evaluated.facts, &evaluated.state),
            None => audit::record(&self.facts, &self.state),
        }
    }

    /// Whether the rule set wants that record written.
    pub fn wants_audit(&self) -> bool {
        logging::wants_audit(self.control().audit_engine, &self.rules, &self.facts, &self.state)
    }

    fn take_line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) {
        self.changed = Origin::Head;
        let (separator, limit) = (
            self.rules.settings().argument_separator,
            arguments_limit(&self.rules),
        );
        self.facts
            .request
            .set_line(method, uri, protocol, separator, limit);
    }

    fn take_header(&mut self, name: &[u8], value: &[u8]) {
        self.changed = Origin::Head;
        self.facts.request.headers.push((name.to_vec(), value.to_vec()));
    }

    /// Whether any rule of that phase may still run.
    fn runs(&self, phase: Phase) -> bool {
        let State {
            interruption,
            allowed,
            ..
        } = &self.state;
        let allowed = allowed.is_some_and(|scope| scope.reaches(phase));
        self.control().engine != EngineMode::Off && interruption.is_none() && !allowed
    }

    fn run(&mut self, phase: Phase) -> Verdict {
        if self.done < Some(phase) {
            self.done = Some(phase);
            let index = self.rules.index();
            let (candidates, continues) = rooms::enter(index, self.owner);
            self.state.candidates = candidates;
            let changed = replace(&mut self.changed, Origin::Response);
            let changed = if continues { changed } else { Origin::Head };
            let mut context = Context {
                rules: &self.rules,
                facts: &self.facts,
                state: &mut self.state,
                rule: None,
            };
            evaluate::run(phase, changed, &mut context);
            // Phase 2 mostly follows at once, and looks at the same values.
            let owner = (phase == Phase::RequestHeaders).then_some(self.owner);
            rooms::leave(index, owner, take(&mut self.state.candidates));
            self.record(phase);
        }
        match &self.state.interruption {
            None => Verdict::Pass,
            Some(interruption) => Verdict::Interrupted(interruption.clone()),
        }
    }
}

/// How many arguments a request may have, query and body together.
fn arguments_limit(rules: &RuleSet) -> usize {
    rules
        .settings()
        .arguments_limit
        .unwrap_or(rules.limits().arguments)
}
