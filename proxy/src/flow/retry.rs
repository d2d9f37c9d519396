//! Whether a request that failed is tried again: only where nothing was lost, and nothing that is not safe happens
//! twice.

use std::time::Duration;

use pingora_core::protocols::http::ServerSession;
use pingora_error::{Error, ErrorSource, ErrorType};

use super::context::RequestContext;
use crate::config::Retries;
use crate::snapshot::LiveRoute;

/// No pause is longer, whatever it was doubled to.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// So often a request that was refused is tried again at no cost. A backend that refuses every stream is to be left like
/// one that fails.
const FREE: u32 = 2;

/// What an exchange that failed allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing more.
    GiveUp,
    /// Once more, anywhere: the backend did nothing.
    Again,
    /// Once more, on a connection of its own: the backend only closed one that nobody used, as any of those that are
    /// kept may be.
    Fresh,
    /// At another backend, if the budget has it: this one may have begun.
    Elsewhere,
}

/// An exchange that failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    /// The method may be repeated (RFC 9110 section 9.2.2).
    pub(super) is_idempotent: bool,
    /// The whole body is at hand.
    pub(super) is_replayable: bool,
    /// The answer has begun.
    pub(super) is_answered: bool,
    /// The backend is to blame.
    pub(super) is_the_backends: bool,
    /// It broke off, rather than being too slow or sending nonsense.
    pub(super) is_a_reset: bool,
    /// The backend said that it did not begin (REFUSED_STREAM, GOAWAY).
    pub(super) is_refused: bool,
    /// A connection that was kept turned out to be closed.
    pub(super) is_stale: bool,
    /// The end of the request's head was never sent: nobody can have begun with it.
    pub(super) is_unsent: bool,
}

impl Failed {
    /// What a failure says. `error.retry` has to be decided.
    pub(super) fn new(
        session: &ServerSession,
        context: &RequestContext,
        error: &Error,
        is_stale: bool,
    ) -> Self {
        use ErrorType::{ConnectionClosed, H2Downgrade, H2Error, ReadError, WriteError};
        Self {
            is_idempotent: session.req_header().method.is_idempotent(),
            is_replayable: !session.retry_buffer_truncated(),
            is_answered: context.answering,
            is_the_backends: *error.esource() == ErrorSource::Upstream,
            is_a_reset: matches!(error.etype(), ConnectionClosed | ReadError | WriteError | H2Error),
            is_refused: error.retry() && matches!(error.etype(), H2Error | H2Downgrade),
            is_stale,
            is_unsent: *error.etype() == WriteError && is_of_the_head(error),
        }
    }

    /// What it allows.
    pub(super) fn verdict(self) -> Verdict {
        if self.is_answered || !self.is_replayable || !self.is_the_backends {
            return Verdict::GiveUp;
        }
        match self {
            Self { is_refused: true, .. } => Verdict::Again,
            Self { is_unsent: true, .. } => Verdict::Fresh,
            Self {
                is_idempotent: false, ..
            } => Verdict::GiveUp,
            Self { is_stale: true, .. } => Verdict::Fresh,
            Self { is_a_reset: true, .. } => Verdict::Elsewhere,
            _ => Verdict::GiveUp,
        }
    }
}

/// What is left of a verdict once the request has had its share of free attempts.
pub(super) fn ration(context: &mut RequestContext, verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Again if context.free_retries < FREE => {
            context.free_retries += 1;
            verdict
        }
        Verdict::Fresh if !context.fresh => {
            context.fresh = true;
            verdict
        }
        Verdict::Again | Verdict::Fresh => Verdict::Elsewhere,
        _ => verdict,
    }
}

/// Whether the connection itself broke, rather than the backend's answer. Over HTTP/2 Pingora does not say of each way in
/// which one that was kept ends that it is one.
pub(super) fn is_of_the_connection(error: &Error) -> bool {
    use ErrorType::{ConnectionClosed, ReadError, WriteError};
    matches!(error.etype(), ConnectionClosed | ReadError | WriteError)
}

/// Pingora says it in words only.
fn is_of_the_head(error: &Error) -> bool {
    let said = error.context.as_ref().map(|context| context.as_str());
    matches!(
        said,
        Some("while writing request headers" | "flushing request header")
    )
}

/// Whether the request may go to another backend: there is one, and neither the request's own attempts nor the route's
/// budget are used up. Counts it if so.
pub(super) fn may_go_elsewhere(context: &mut RequestContext, route: &LiveRoute) -> bool {
    let policy = &route.route.upstream.retries;
    let fits = context.retries < policy.attempts && route.balancer.has_other_than(&context.tried);
    if !fits || !route.balancer.budget().retry() {
        return false;
    }
    context.pause = Some(pause(policy, context.retries, rand::random()));
    context.retries += 1;
    true
}

/// Before the next attempt: doubled each time, and anything from half of that to all of it, so that requests that
/// failed together do not come back together.
fn pause(policy: &Retries, retries: u32, chance: f64) -> Duration {
    let doubled = policy
        .backoff
        .saturating_mul(1_u32.checked_shl(retries).unwrap_or(u32::MAX));
    doubled
        .min(LONGEST_PAUSE)
        .mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reset before the answer of a request that may be repeated.
    const RESET: Failed = Failed {
        is_idempotent: true,
        is_replayable: true,
        is_answered: false,
        is_the_backends: true,
        is_a_reset: true,
        is_refused: false,
        is_stale: false,
        is_unsent: false,
    };

    #[test]
    fn what_may_be_repeated() {
        let post = Failed {
            is_idempotent: false,
            ..RESET
        };
        for (what, failed, expected) in [
            ("a reset", RESET, Verdict::Elsewhere),
            ("of a POST", post, Verdict::GiveUp),
            (
                "within the answer",
                Failed {
                    is_answered: true,
                    ..RESET
                },
                Verdict::GiveUp,
            ),
            (
                "with a long body",
                Failed {
                    is_replayable: false,
                    ..RESET
                },
                Verdict::GiveUp,
            ),
            (
                "a timeout",
                Failed {
                    is_a_reset: false,
                    ..RESET
                },
                Verdict::GiveUp,
            ),
            (
                "of the client",
                Failed {
                    is_the_backends: false,
                    ..RESET
                },
                Verdict::GiveUp,
            ),
            (
                "a stale connection",
                Failed {
                    is_stale: true,
                    ..RESET
                },
                Verdict::Fresh,
            ),
            (
                "for a POST",
                Failed {
                    is_stale: true,
                    ..post
                },
                Verdict::GiveUp,
            ),
            (
                "for a POST that never left",
                Failed {
                    is_stale: true,
                    is_unsent: true,
                    ..post
                },
                Verdict::Fresh,
            ),
            (
                "a refused stream",
                Failed {
                    is_refused: true,
                    ..RESET
                },
                Verdict::Again,
            ),
            (
                "for a POST",
                Failed {
                    is_refused: true,
                    ..post
                },
                Verdict::Again,
            ),
            (
                "of a POST that is gone",
                Failed {
                    is_refused: true,
                    is_replayable: false,
                    ..post
                },
                Verdict::GiveUp,
            ),
        ] {
            assert_eq!(failed.verdict(), expected, "{what}: {failed:?}");
        }
    }

    #[test]
    fn pauses_grow_and_differ() {
        let policy = Retries {
            attempts: 3,
            statuses: Vec::new(),
            budget: 20,
            backoff: Duration::from_millis(100),
        };
        for (retries, chance, expected) in [
            (0, 0.0, 50),
            (0, 1.0, 100),
            (1, 1.0, 200),
            (2, 0.5, 300),
            (40, 1.0, 10_000),
        ] {
            assert_eq!(
                pause(&policy, retries, chance),
                Duration::from_millis(expected),
                "{retries} {chance}"
            );
        }
    }
}
