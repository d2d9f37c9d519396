//! One request before Coraza.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;

use ::coraza::{Error, Intervention, Transaction as Call};
use bytes::Bytes;
use palisade_waf::audit::AuditRecord;
use palisade_waf::rule::{AuditEngine, EngineMode, Location, Phase, RuleId, Severity};
use palisade_waf::{
    Completeness, Interruption, InterruptionKind, MatchedRule, RequestOrigin, RuleSet, Transaction, Verdict,
};

use super::secrets::Secrets;
use super::shown::{Head, text};
use super::text::{INBOUND_SCORE, OUTBOUND_SCORE};
use super::told::{self, Told};
use super::{Coraza, record};
use crate::engine::{Failure, Judged};

/// Stands for a request with bytes that cannot be shown to Coraza.
const UNREADABLE: RuleId = 100_902;

/// One request before Coraza.
pub struct CorazaTransaction {
    coraza: Coraza,
    call: Call,
    /// Keeps the head for the audit record.
    scribe: Transaction,
    head: Head,
    matched: Vec<MatchedRule>,
    dropped: usize,
    scores: Scores,
    interruption: Option<Interruption>,
}

/// Anomaly scores.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scores {
    pub(super) inbound: u32,
    pub(super) outbound: u32,
}

impl CorazaTransaction {
    /// Opens a request.
    pub(super) fn new(coraza: Coraza, origin: RequestOrigin) -> Self {
        Self {
            // Ids are hex digits of the edge's own making.
            call: coraza.loaded.waf.new_transaction_with_id(&origin.id),
            scribe: coraza.loaded.scribe.transaction(origin),
            coraza,
            head: Head::default(),
            matched: Vec::new(),
            dropped: 0,
            scores: Scores::default(),
            interruption: None,
        }
    }

    /// Who talks to whom.
    pub fn connection(&mut self, client: SocketAddr, server: SocketAddr) {
        self.scribe.connection(client, server);
        let address = |peer: SocketAddr| peer.ip().to_canonical().to_string();
        // It fails for a transaction that is closed already, which this one is not.
        let _ = self.call.process_connection(
            &address(client),
            client.port().into(),
            &address(server),
            server.port().into(),
        );
    }

    /// The request line, as the client sent it.
    pub fn request_line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) {
        self.scribe.request_line(method, uri, protocol);
        self.head.line = [method, uri, protocol].map(<[u8]>::to_vec);
    }

    /// The path that the application is asked for. Coraza finds its own in the request line.
    pub fn request_path(&mut self, path: &[u8]) {
        self.scribe.request_path(path);
    }

    /// One header of the request.
    pub fn add_request_header(&mut self, name: &[u8], value: &[u8]) {
        self.scribe.add_request_header(name, value);
        self.head.headers.push((name.to_vec(), value.to_vec()));
    }

    /// Phase 1.
    pub fn request_headers(&mut self) -> Judged {
        if let Some(part) = self.head.unreadable() {
            self.refuse_unreadable(part);
        }
        if let Some(interruption) = &self.interruption {
            return Ok(Verdict::Interrupted(interruption.clone()));
        }
        let head = std::mem::take(&mut self.head);
        self.phase("phase 1", Phase::RequestHeaders, |call| {
            let [method, uri, protocol] = head.line.each_ref().map(|part| text(part));
            call.process_uri(&uri, &method, &protocol)?;
            for (name, value) in &head.headers {
                call.add_request_header(&text(name), &text(value));
            }
            call.process_request_headers()
        })
    }

    /// Whether phase 2 wants to see the body. libcoraza has no call for it: what it does not want it forgets.
    pub fn wants_request_body(&self) -> bool {
        self.interruption.is_none() && self.rules().settings().request_body_access
    }

    /// Phase 2. Coraza has no way to be told that a body was cut.
    pub fn request_body(&mut self, body: Bytes, completeness: Completeness) -> Judged {
        let _ = self.scribe.request_body(body.clone(), completeness);
        self.phase("phase 2", Phase::RequestBody, |call| {
            call.append_request_body(&body)?;
            call.process_request_body()
        })
    }

    /// The status line of the response.
    pub fn response_line(&mut self, status: u16, protocol: &[u8]) {
        self.scribe.response_line(status, protocol);
        self.head.answer_status = status;
        self.head.answer_protocol = text(protocol).into_owned();
    }

    /// One header of the response. Bytes that are no text are replaced: an answer in an old charset is no attack.
    pub fn add_response_header(&mut self, name: &[u8], value: &[u8]) {
        self.call.add_response_header(&text(name), &text(value));
    }

    /// Phase 3.
    pub fn response_headers(&mut self) -> Judged {
        let head = std::mem::take(&mut self.head);
        self.phase("phase 3", Phase::ResponseHeaders, |call| {
            call.process_response_headers(head.answer_status.into(), &head.answer_protocol)
        })
    }

    /// Whether phase 4 wants to see the body.
    pub fn wants_response_body(&self) -> bool {
        self.interruption.is_none() && self.call.is_response_body_processable()
    }

    /// Phase 4.
    pub fn response_body(&mut self, body: Bytes, _: Completeness) -> Judged {
        self.phase("phase 4", Phase::ResponseBody, |call| {
            call.append_response_body(&body)?;
            call.process_response_body()
        })
    }

    /// Phase 5.
    pub fn logging(&mut self) {
        let ((), told) = told::during(|| self.call.process_logging());
        told.into_iter().for_each(|told| self.note(told));
    }

    /// The rules that matched and were told.
    pub fn matched_rules(&self) -> &[MatchedRule] {
        &self.matched
    }

    /// What stopped the request.
    pub fn interruption(&self) -> Option<&Interruption> {
        self.interruption.as_ref()
    }

    /// Whether the rule set wants an audit record written.
    pub fn wants_audit(&self) -> bool {
        match self.rules().settings().audit_engine {
            AuditEngine::On => true,
            AuditEngine::Off => false,
            AuditEngine::RelevantOnly => self.matched.iter().any(|rule| rule.audit_log),
        }
    }

    /// The record for the audit log, secrets masked.
    pub fn audit_record(&self) -> AuditRecord {
        record::record(self)
    }

    /// The anomaly score of the request, once phase 5 has run.
    pub fn score(&self) -> u32 {
        self.scores.inbound
    }

    /// What would have stopped the request, were the engine On.
    pub(super) fn detected_interruption(&self) -> Option<Interruption> {
        let rule = self.matched.iter().find(|rule| rule.disruptive)?;
        let status = self
            .rules()
            .rule(rule.id)
            .and_then(|rule| rule.head().actions.status);
        let detected = Interruption {
            rule_id: rule.id,
            phase: rule.phase,
            kind: InterruptionKind::Deny {
                status: status.unwrap_or(403),
            },
        };
        self.interruption.is_none().then_some(detected)
    }

    pub(super) fn rules(&self) -> &RuleSet {
        &self.coraza.loaded.rules
    }

    pub(super) fn secrets(&self) -> Secrets<'_> {
        self.coraza.secrets()
    }

    pub(super) fn scribe(&self) -> &Transaction {
        &self.scribe
    }

    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    pub(super) fn scores(&self) -> Scores {
        self.scores
    }

    fn phase(
        &mut self,
        name: &'static str,
        phase: Phase,
        run: impl FnOnce(&mut Call) -> Result<(), Error>,
    ) -> Judged {
        if self.interruption.is_none() {
            let (result, told) = told::during(|| run(&mut self.call));
            told.into_iter().for_each(|told| self.note(told));
            match result {
                Ok(()) | Err(Error::Intervention { .. }) => {}
                Err(error) => return Err(failure(name, error)),
            }
            self.interruption = self.call.intervention().map(|stop| interruption(stop, phase));
            self.note_the_stop();
        }
        Ok(match &self.interruption {
            None => Verdict::Pass,
            Some(interruption) => Verdict::Interrupted(interruption.clone()),
        })
    }

    fn note(&mut self, told: Told) {
        let score = || told.data.first().and_then(|data| data.parse().ok()).unwrap_or(0);
        match told.id {
            INBOUND_SCORE => self.scores.inbound = score(),
            OUTBOUND_SCORE => self.scores.outbound = score(),
            id => {
                if let Some(rule) = self.rules().rule(id).map(Arc::clone) {
                    self.keep(told.matched(&rule));
                }
            }
        }
    }

    fn keep(&mut self, matched: MatchedRule) {
        if matched.disruptive || self.matched.len() < self.rules().limits().matched_rules {
            self.matched.push(matched);
        } else {
            self.dropped += 1;
        }
    }

    /// Coraza tells nothing of a rule that is `nolog`, but what stops a request has to be known.
    fn note_the_stop(&mut self) {
        let Some(id) = self.interruption.as_ref().map(|stop| stop.rule_id) else {
            return;
        };
        let rule = self.rules().rule(id).map(Arc::clone);
        if let Some(rule) = rule.filter(|_| self.matched.iter().all(|known| known.id != id)) {
            let told = Told {
                id,
                msg: String::new(),
                data: Vec::new(),
            };
            self.keep(told.matched(&rule));
        }
    }

    /// What Coraza cannot be shown it cannot judge: stopped where requests are stopped; where they are only watched,
    /// what can be shown of it is.
    fn refuse_unreadable(&mut self, part: &str) {
        self.keep(MatchedRule {
            id: UNREADABLE,
            phase: Phase::RequestHeaders,
            location: Location {
                file: "palisade/coraza.conf".into(),
                line: 0,
            },
            msg: "The request has bytes that are no UTF-8, and Coraza cannot be shown them".to_owned(),
            logdata: format!("in {part}"),
            severity: Some(Severity(2)),
            tags: Vec::new(),
            rev: None,
            ver: None,
            disruptive: true,
            log: true,
            audit_log: true,
            variables: Vec::new(),
        });
        if self.rules().settings().engine == EngineMode::On {
            self.interruption = Some(Interruption {
                rule_id: UNREADABLE,
                phase: Phase::RequestHeaders,
                kind: InterruptionKind::Deny { status: 400 },
            });
        }
    }
}

fn interruption(stop: Intervention, phase: Phase) -> Interruption {
    let status = u16::try_from(stop.status).ok().filter(|status| *status != 0);
    let kind = match stop.action.as_str() {
        "drop" => InterruptionKind::Drop,
        "redirect" => InterruptionKind::Redirect {
            status: status.filter(|status| (300..400).contains(status)).unwrap_or(302),
            location: stop.data.unwrap_or_default().into_bytes(),
        },
        _ => InterruptionKind::Deny {
            status: status.unwrap_or(403),
        },
    };
    Interruption {
        rule_id: u64::try_from(stop.rule_id).unwrap_or(0),
        phase,
        kind,
    }
}

fn failure(phase: &'static str, cause: impl Display) -> Failure {
    Failure::Coraza {
        phase,
        cause: cause.to_string(),
    }
}
