//! A request that our engine judges and Coraza is to judge as well, later: what ours was shown is kept, and shown
//! to Coraza when nobody waits for the answer any more.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use palisade_waf::audit::AuditRecord;
use palisade_waf::{Completeness, Interruption, MatchedRule, RequestOrigin, RuleSet, Transaction, Verdict};

use super::Failure;
use super::coraza::{Coraza, CorazaTransaction};

/// Our engine, with a memory of what it was shown.
pub struct Shadowed {
    own: Transaction,
    exchange: Exchange,
}

/// What an engine is shown of a request and its answer, and what ours made of it.
pub struct Exchange {
    coraza: Coraza,
    origin: RequestOrigin,
    connection: Option<(SocketAddr, SocketAddr)>,
    line: [Vec<u8>; 3],
    headers: Headers,
    body: Option<(Bytes, Completeness)>,
    answer: Option<Answer>,
    /// Our judgement.
    pub ours: Judgement,
}

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Default)]
struct Answer {
    status: u16,
    protocol: Vec<u8>,
    headers: Headers,
    inspected: bool,
    body: Option<(Bytes, Completeness)>,
}

/// How an engine judges a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// Passed, detected or stopped.
    pub outcome: Outcome,
    /// The rules that matched and asked to be logged.
    pub rules: BTreeSet<u64>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Nothing to object to.
    #[default]
    Passed,
    /// It would be stopped, were the engine On.
    Detected,
    /// It is stopped with this status; none closes the connection.
    Stopped(Option<u16>),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Detected => f.write_str("detected"),
            Self::Stopped(Some(status)) => write!(f, "stopped {status}"),
            Self::Stopped(None) => f.write_str("stopped, dropped"),
        }
    }
}

impl Judgement {
    fn of(interruption: Option<&Interruption>, matched: &[MatchedRule]) -> Self {
        let outcome = match interruption {
            Some(interruption) => Outcome::Stopped(interruption.status()),
            None if matched.iter().any(|rule| rule.disruptive) => Outcome::Detected,
            None => Outcome::Passed,
        };
        let logged = matched.iter().filter(|rule| rule.log || rule.disruptive);
        Self {
            outcome,
            rules: logged.map(|rule| rule.id).collect(),
        }
    }
}

impl Shadowed {
    /// Opens a request.
    pub(super) fn new(rules: &RuleSet, coraza: &Coraza, origin: RequestOrigin) -> Self {
        Self {
            own: rules.transaction(origin.clone()),
            exchange: Exchange::new(coraza.clone(), origin),
        }
    }

    /// Our own engine's side.
    pub(super) fn own(&self) -> &Transaction {
        &self.own
    }

    pub(super) fn take(&mut self) -> Exchange {
        let ours = Judgement::of(self.own.interruption(), self.own.matched_rules());
        let next = Exchange::new(self.exchange.coraza.clone(), self.exchange.origin.clone());
        Exchange {
            ours,
            ..std::mem::replace(&mut self.exchange, next)
        }
    }

    pub(super) fn connection(&mut self, client: SocketAddr, server: SocketAddr) {
        self.exchange.connection = Some((client, server));
        self.own.connection(client, server);
    }

    pub(super) fn request_line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) {
        self.exchange.line = [method, uri, protocol].map(<[u8]>::to_vec);
        self.own.request_line(method, uri, protocol);
    }

    pub(super) fn request_path(&mut self, path: &[u8]) {
        self.own.request_path(path);
    }

    pub(super) fn add_request_header(&mut self, name: &[u8], value: &[u8]) {
        self.exchange.headers.push((name.to_vec(), value.to_vec()));
        self.own.add_request_header(name, value);
    }

    pub(super) fn request_headers(&mut self) -> Verdict {
        self.own.request_headers()
    }

    pub(super) fn wants_request_body(&self) -> bool {
        self.own.wants_request_body()
    }

    pub(super) fn request_body(&mut self, body: Bytes, completeness: Completeness) -> Verdict {
        self.exchange.body = Some((body.clone(), completeness));
        self.own.request_body(body, completeness)
    }

    pub(super) fn response_line(&mut self, status: u16, protocol: &[u8]) {
        self.exchange.answer = Some(Answer {
            status,
            protocol: protocol.to_vec(),
            ..Answer::default()
        });
        self.own.response_line(status, protocol);
    }

    pub(super) fn add_response_header(&mut self, name: &[u8], value: &[u8]) {
        if let Some(answer) = &mut self.exchange.answer {
            answer.headers.push((name.to_vec(), value.to_vec()));
        }
        self.own.add_response_header(name, value);
    }

    pub(super) fn response_headers(&mut self) -> Verdict {
        if let Some(answer) = &mut self.exchange.answer {
            answer.inspected = true;
        }
        self.own.response_headers()
    }

    pub(super) fn wants_response_body(&self) -> bool {
        self.own.wants_response_body()
    }

    pub(super) fn response_body(&mut self, body: Bytes, completeness: Completeness) -> Verdict {
        if let Some(answer) = &mut self.exchange.answer {
            answer.body = Some((body.clone(), completeness));
        }
        self.own.response_body(body, completeness)
    }

    pub(super) fn logging(&mut self) {
        self.own.logging();
    }

    pub(super) fn matched_rules(&self) -> &[MatchedRule] {
        self.own.matched_rules()
    }

    pub(super) fn interruption(&self) -> Option<&Interruption> {
        self.own.interruption()
    }

    pub(super) fn wants_audit(&self) -> bool {
        self.own.wants_audit()
    }

    pub(super) fn audit_record(&self) -> AuditRecord {
        self.own.audit_record()
    }
}

impl Exchange {
    fn new(coraza: Coraza, origin: RequestOrigin) -> Self {
        Self {
            coraza,
            origin,
            connection: None,
            line: Default::default(),
            headers: Headers::new(),
            body: None,
            answer: None,
            ours: Judgement::default(),
        }
    }

    /// The request's id.
    pub fn id(&self) -> &str {
        &self.origin.id
    }

    /// What its bodies hold in memory.
    pub fn body_bytes(&self) -> usize {
        let of = |body: &Option<(Bytes, Completeness)>| body.as_ref().map_or(0, |(bytes, _)| bytes.len());
        of(&self.body) + self.answer.as_ref().map_or(0, |answer| of(&answer.body))
    }

    /// Coraza's judgement of the same.
    pub fn judge(&self) -> Result<Judgement, Failure> {
        let mut request = self.coraza.transaction(self.origin.clone());
        self.show_request(&mut request)?;
        if let Some(answer) = self.answer.as_ref().filter(|answer| answer.inspected) {
            answer.show(&mut request)?;
        }
        request.logging();
        Ok(Judgement::of(request.interruption(), request.matched_rules()))
    }

    fn show_request(&self, request: &mut CorazaTransaction) -> Result<(), Failure> {
        if let Some((client, server)) = self.connection {
            request.connection(client, server);
        }
        let [method, uri, protocol] = &self.line;
        request.request_line(method, uri, protocol);
        for (name, value) in &self.headers {
            request.add_request_header(name, value);
        }
        let _ = request.request_headers()?;
        // A request that ours stopped at its head has no body; most of Coraza's verdicts fall in phase 2 all the same.
        let (body, completeness) = self
            .body
            .clone()
            .unwrap_or((Bytes::new(), Completeness::Complete));
        let _ = request.request_body(body, completeness)?;
        Ok(())
    }
}

impl Answer {
    fn show(&self, request: &mut CorazaTransaction) -> Result<(), Failure> {
        request.response_line(self.status, &self.protocol);
        for (name, value) in &self.headers {
            request.add_response_header(name, value);
        }
        let _ = request.response_headers()?;
        if let Some((body, completeness)) = self.body.clone() {
            let _ = request.response_body(body, completeness)?;
        }
        Ok(())
    }
}
