//! The seam between the edge and what judges its requests: an [`Engine`] is a policy that is loaded, an
//! [`Inspector`] is one request under its eyes. It says what the flow needs and no more: the phases, the verdict,
//! the matched rules, the audit record.
//!
//! The engine is our own (`palisade-waf`). Built with the feature `coraza` the edge can be served by Coraza, or be
//! watched by it (docs/decisions/0016-coraza-reachable.md). An enum and not a trait object: without the feature it
//! has one variant, and the seam costs nothing.

#[cfg(feature = "coraza")]
pub mod coraza;
#[cfg(feature = "coraza")]
pub mod shadow;

use std::net::SocketAddr;

use bytes::Bytes;
use palisade_waf::audit::AuditRecord;
use palisade_waf::{Completeness, Interruption, MatchedRule, RequestOrigin, RuleSet, Transaction, Verdict};

/// Rule text of a policy, in the order in which engines read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Generated text.
    Text {
        /// How errors name it.
        name: &'static str,
        /// The text.
        text: String,
    },
    /// Files: of the rule set, or an operator's by an absolute name.
    Include(String),
}

/// What judges the requests of a policy.
#[derive(Debug)]
pub enum Engine {
    /// Ours.
    Own(RuleSet),
    /// Coraza.
    #[cfg(feature = "coraza")]
    Coraza(coraza::Coraza),
    /// Ours, and what it was shown is kept for Coraza.
    #[cfg(feature = "coraza")]
    Shadowed(RuleSet, coraza::Coraza),
}

/// One request, before whichever engine.
#[allow(
    clippy::large_enum_variant,
    reason = "ours is the one that is used; a box would cost it an allocation"
)]
pub enum Inspector {
    /// Ours.
    Own(Transaction),
    /// Coraza.
    #[cfg(feature = "coraza")]
    Coraza(Box<coraza::CorazaTransaction>),
    /// Ours, kept for Coraza.
    #[cfg(feature = "coraza")]
    Shadowed(Box<shadow::Shadowed>),
}

/// An engine that could not go on. Ours has no such answer: without the feature this is a type without values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Coraza's own words.
    #[cfg(feature = "coraza")]
    #[error("Coraza failed in {phase}: {cause}")]
    Coraza {
        /// What it was asked for.
        phase: &'static str,
        /// The crate's error.
        cause: String,
    },
}

/// The answer of a phase.
pub type Judged = Result<Verdict, Failure>;

impl Engine {
    /// Opens a request; no rule has run yet.
    pub fn inspect(&self, origin: RequestOrigin) -> Inspector {
        match self {
            Self::Own(rules) => Inspector::Own(rules.transaction(origin)),
            #[cfg(feature = "coraza")]
            Self::Coraza(coraza) => Inspector::Coraza(Box::new(coraza.transaction(origin))),
            #[cfg(feature = "coraza")]
            Self::Shadowed(rules, coraza) => {
                Inspector::Shadowed(Box::new(shadow::Shadowed::new(rules, coraza, origin)))
            }
        }
    }
}

/// The same words to whichever engine.
macro_rules! each {
    ($inspector:expr, $request:ident => $words:expr) => {
        match $inspector {
            Self::Own($request) => $words,
            #[cfg(feature = "coraza")]
            Self::Coraza($request) => $words,
            #[cfg(feature = "coraza")]
            Self::Shadowed($request) => $words,
        }
    };
}

/// A phase: ours answers with a verdict, others may fail.
macro_rules! judged {
    ($inspector:expr, $request:ident => $words:expr) => {
        match $inspector {
            Self::Own($request) => Ok($words),
            #[cfg(feature = "coraza")]
            Self::Coraza($request) => $words,
            #[cfg(feature = "coraza")]
            Self::Shadowed($request) => Ok($words),
        }
    };
}

impl Inspector {
    /// Who talks to whom.
    #[inline]
    pub fn connection(&mut self, client: SocketAddr, server: SocketAddr) {
        each!(self, request => request.connection(client, server));
    }

    /// The request line, as the client sent it.
    #[inline]
    pub fn request_line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) {
        each!(self, request => request.request_line(method, uri, protocol));
    }

    /// The path that the application is asked for, where it is not as the request line has it.
    pub fn request_path(&mut self, path: &[u8]) {
        each!(self, request => request.request_path(path));
    }

    /// One header of the request.
    #[inline]
    pub fn add_request_header(&mut self, name: &[u8], value: &[u8]) {
        each!(self, request => request.add_request_header(name, value));
    }

    /// Phase 1.
    #[inline]
    pub fn request_headers(&mut self) -> Judged {
        judged!(self, request => request.request_headers())
    }

    /// Whether phase 2 wants to see the body.
    #[inline]
    pub fn wants_request_body(&self) -> bool {
        each!(self, request => request.wants_request_body())
    }

    /// Phase 2, with the whole body or its first part; empty if there is none.
    #[inline]
    pub fn request_body(&mut self, body: Bytes, completeness: Completeness) -> Judged {
        judged!(self, request => request.request_body(body, completeness))
    }

    /// The status line of the response.
    #[inline]
    pub fn response_line(&mut self, status: u16, protocol: &[u8]) {
        each!(self, request => request.response_line(status, protocol));
    }

    /// One header of the response.
    #[inline]
    pub fn add_response_header(&mut self, name: &[u8], value: &[u8]) {
        each!(self, request => request.add_response_header(name, value));
    }

    /// Phase 3.
    #[inline]
    pub fn response_headers(&mut self) -> Judged {
        judged!(self, request => request.response_headers())
    }

    /// Whether phase 4 wants to see the body.
    #[inline]
    pub fn wants_response_body(&self) -> bool {
        each!(self, request => request.wants_response_body())
    }

    /// Phase 4, with the whole body or its first part.
    #[inline]
    pub fn response_body(&mut self, body: Bytes, completeness: Completeness) -> Judged {
        judged!(self, request => request.response_body(body, completeness))
    }

    /// Phase 5.
    #[inline]
    pub fn logging(&mut self) {
        each!(self, request => request.logging());
    }

    /// The rules that matched and asked to be logged, as far as the engine tells.
    #[inline]
    pub fn matched_rules(&self) -> &[MatchedRule] {
        each!(self, request => request.matched_rules())
    }

    /// Whether our engine has recalled what the same request came to before, and run nothing.
    #[inline]
    pub fn is_recalled(&self) -> bool {
        match self {
            Self::Own(request) => request.is_recalled(),
            #[cfg(feature = "coraza")]
            Self::Coraza(_) => false,
            #[cfg(feature = "coraza")]
            Self::Shadowed(request) => request.own().is_recalled(),
        }
    }

    /// What stopped the request.
    #[inline]
    pub fn interruption(&self) -> Option<&Interruption> {
        each!(self, request => request.interruption())
    }

    /// Whether the rule set wants an audit record written.
    #[inline]
    pub fn wants_audit(&self) -> bool {
        each!(self, request => request.wants_audit())
    }

    /// The record for the audit log, secrets masked.
    pub fn audit_record(&self) -> AuditRecord {
        each!(self, request => request.audit_record())
    }

    /// The anomaly score that blocking goes by. Coraza tells it once phase 5 has run.
    pub fn score(&self) -> u32 {
        match self {
            Self::Own(request) => score(request),
            #[cfg(feature = "coraza")]
            Self::Coraza(request) => request.score(),
            #[cfg(feature = "coraza")]
            Self::Shadowed(request) => score(request.own()),
        }
    }

    /// Whether a body of any size takes it long enough to hold up a worker.
    #[cfg(feature = "coraza")]
    pub fn is_slow(&self) -> bool {
        matches!(self, Self::Coraza(_))
    }

    /// What Coraza is to judge as well, once the request is over.
    #[cfg(feature = "coraza")]
    pub fn take_shadow(&mut self) -> Option<shadow::Exchange> {
        match self {
            Self::Shadowed(request) => Some(request.take()),
            _ => None,
        }
    }
}

/// The second name is that of CRS 3.
fn score(transaction: &Transaction) -> u32 {
    let text = ["blocking_inbound_anomaly_score", "anomaly_score"]
        .iter()
        .find_map(|name| transaction.tx_variable(name));
    text.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok())
        .unwrap_or(0)
}
