//! The WAF's view of one request: feeds the engine, keeps its verdict, and turns an engine failure into a
//! refusal.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use palisade_waf::{Completeness, Interruption, MatchedRule, RequestOrigin, Verdict};
use pingora_http::{RequestHeader, ResponseHeader};
use tracing::error;

use super::head;
use crate::engine::{Engine, Inspector, Judged};

/// Shared between the request's context and the gate in front of the client. Never contended: one request
/// is one task.
pub(super) type SharedInspection = Arc<Mutex<Inspection>>;

/// The lock, whatever happened to an earlier holder: the state is only ever replaced as a whole.
pub(super) fn lock(inspection: &SharedInspection) -> MutexGuard<'_, Inspection> {
    inspection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the WAF says to the flow.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// Go on.
    Pass,
    /// Stop here.
    Stop(Interruption),
    /// The engine failed and the route wants that to stop the request.
    Failed,
}

/// How the WAF's part ended, for log and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing to object to.
    Passed,
    /// A rule would have stopped it, the mode does not.
    Detected,
    /// Stopped.
    Blocked,
    /// The engine failed.
    Failed,
}

/// One request under inspection.
pub(super) struct Inspection {
    transaction: Inspector,
    fail_closed: bool,
    failed: bool,
    partial: bool,
    elapsed: Duration,
    /// How many matches were told already.
    told: usize,
}

/// Bodies from this size on are inspected on a thread of their own: a worker that is busy with one for
/// milliseconds serves nobody else meanwhile, and nobody takes its connections over. The way there and back takes some
/// microseconds.
const LARGE_BODY: usize = 8 * 1024;

/// Phase 2.
pub(super) async fn request_body(
    inspection: &SharedInspection,
    body: Bytes,
    completeness: Completeness,
) -> Decision {
    let large = body.len() >= LARGE_BODY || is_slow(inspection);
    apart(inspection, large, move |inspection| {
        inspection.request_body(body, completeness)
    })
    .await
}

/// Phase 4.
pub(super) async fn response_body(
    inspection: &SharedInspection,
    body: Bytes,
    completeness: Completeness,
) -> Decision {
    let large = body.len() >= LARGE_BODY || is_slow(inspection);
    apart(inspection, large, move |inspection| {
        inspection.response_body(body, completeness)
    })
    .await
}

/// Whether a body of any size holds up a worker.
#[cfg(feature = "coraza")]
fn is_slow(inspection: &SharedInspection) -> bool {
    lock(inspection).transaction.is_slow()
}

#[cfg(not(feature = "coraza"))]
fn is_slow(_: &SharedInspection) -> bool {
    false
}

async fn apart(
    inspection: &SharedInspection,
    large: bool,
    phase: impl FnOnce(&mut Inspection) -> Decision + Send + 'static,
) -> Decision {
    if !large {
        return phase(&mut lock(inspection));
    }
    let inspection = Arc::clone(inspection);
    // The phase catches the engine's panics; what is left is a runtime that shuts down.
    tokio::task::spawn_blocking(move || phase(&mut lock(&inspection)))
        .await
        .unwrap_or(Decision::Failed)
}

/// Where a request comes from.
pub(super) struct Origin<'a> {
    pub(super) id: &'a str,
    pub(super) unix_micros: u64,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    /// As sent; stands for Host where HTTP/2 carries none.
    pub(super) authority: &'a str,
    /// The path in its one form, where the client wrote another.
    pub(super) path: Option<&'a str>,
}

impl Inspection {
    /// Opens a transaction; no rule has run yet.
    pub(super) fn open(engine: &Engine, origin: &Origin<'_>, fail_closed: bool) -> Self {
        let transaction = engine.inspect(RequestOrigin {
            id: origin.id.to_owned(),
            unix_micros: origin.unix_micros,
            utc_offset_seconds: 0,
        });
        Self {
            transaction,
            fail_closed,
            failed: false,
            partial: false,
            elapsed: Duration::ZERO,
            told: 0,
        }
    }

    /// Phase 1.
    pub(super) fn request_headers(&mut self, origin: &Origin<'_>, request: &RequestHeader) -> Decision {
        self.run(|transaction| {
            show_head(transaction, origin, request);
            transaction.request_headers()
        })
    }

    /// Whether phase 2 wants to see the body.
    pub(super) fn wants_request_body(&self) -> bool {
        !self.failed && self.transaction.wants_request_body()
    }

    /// Phase 2.
    fn request_body(&mut self, body: Bytes, completeness: Completeness) -> Decision {
        self.partial |= completeness == Completeness::Partial;
        self.run(|transaction| transaction.request_body(body, completeness))
    }

    /// Phase 3.
    pub(super) fn response_headers(&mut self, response: &ResponseHeader) -> Decision {
        let protocol = head::protocol(response.version);
        self.run(|transaction| {
            transaction.response_line(response.status.as_u16(), protocol);
            for (name, value) in &response.headers {
                transaction.add_response_header(name.as_str().as_bytes(), value.as_bytes());
            }
            transaction.response_headers()
        })
    }

    /// Whether phase 4 wants to see the body.
    pub(super) fn wants_response_body(&self) -> bool {
        !self.failed && self.transaction.wants_response_body()
    }

    /// Phase 4.
    fn response_body(&mut self, body: Bytes, completeness: Completeness) -> Decision {
        self.run(|transaction| transaction.response_body(body, completeness))
    }

    /// Phase 5; its verdict comes too late to matter.
    pub(super) fn logging(&mut self) {
        let _ = self.run(|transaction| {
            transaction.logging();
            Ok(Verdict::Pass)
        });
    }

    /// The transaction, for the audit record.
    pub(super) fn transaction(&self) -> &Inspector {
        &self.transaction
    }

    /// The matches since this was asked last.
    pub(super) fn new_matches(&mut self) -> &[MatchedRule] {
        let matches = self.transaction.matched_rules();
        let told = std::mem::replace(&mut self.told, matches.len());
        matches.get(told..).unwrap_or_default()
    }

    /// Whether a body was inspected only up to its limit.
    pub(super) fn is_partial(&self) -> bool {
        self.partial
    }

    /// Time spent in the engine.
    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The anomaly score that blocking goes by.
    pub(super) fn score(&self) -> u32 {
        self.transaction.score()
    }

    /// How it ended.
    pub(super) fn outcome(&self) -> Outcome {
        if self.failed {
            Outcome::Failed
        } else if self.transaction.interruption().is_some() {
            Outcome::Blocked
        } else if self
            .transaction
            .matched_rules()
            .iter()
            .any(|rule| rule.disruptive)
        {
            Outcome::Detected
        } else {
            Outcome::Passed
        }
    }

    /// What is to be judged by another engine too, after the request.
    #[cfg(feature = "coraza")]
    pub(super) fn take_shadow(&mut self) -> Option<crate::engine::shadow::Exchange> {
        self.transaction.take_shadow().filter(|_| !self.failed)
    }

    /// Runs a piece of the engine. A panic in it is a bug, and a bug in a security control must not open
    /// the door: the transaction is given up and the route's policy decides. So it does where an engine says that it
    /// cannot go on.
    fn run(&mut self, phase: impl FnOnce(&mut Inspector) -> Judged) -> Decision {
        if self.failed {
            return Decision::Pass;
        }
        let begin = Instant::now();
        let verdict = catch_unwind(AssertUnwindSafe(|| phase(&mut self.transaction)));
        self.elapsed += begin.elapsed();
        match verdict {
            Ok(Ok(Verdict::Pass)) => Decision::Pass,
            Ok(Ok(Verdict::Interrupted(interruption))) => Decision::Stop(interruption),
            failure => {
                if let Ok(Err(failure)) = failure {
                    error!(%failure, "the engine cannot go on");
                }
                self.failed = true;
                if self.fail_closed {
                    Decision::Failed
                } else {
                    Decision::Pass
                }
            }
        }
    }
}

fn show_head(transaction: &mut Inspector, origin: &Origin<'_>, request: &RequestHeader) {
    transaction.connection(origin.client, origin.server);
    let protocol = head::protocol(request.version);
    transaction.request_line(request.method.as_str().as_bytes(), request.raw_path(), protocol);
    if let Some(path) = origin.path {
        // What rules on a file look at is what the application is asked for; the URI stays as it was sent.
        transaction.request_path(path.as_bytes());
    }
    if !request.headers.contains_key(http::header::HOST) && !origin.authority.is_empty() {
        // HTTP/2 carries it as :authority; rules look for Host.
        transaction.add_request_header(b"host", origin.authority.as_bytes());
    }
    // Logs and exclusions show a name as it was sent; HTTP/2 has none but lower case.
    for (name, value) in request.case_header_iter() {
        transaction.add_request_header(name.as_slice(), value.as_bytes());
    }
    if !request.has_case() {
        for (name, value) in &request.headers {
            transaction.add_request_header(name.as_str().as_bytes(), value.as_bytes());
        }
    }
}
