//! Holds a request's body until the WAF has seen it.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use palisade_waf::Completeness;
use pingora_core::protocols::http::ServerSession;
use pingora_error::ErrorType;

use super::head;
use super::pace::Pace;
use crate::config::BodyLimitAction;
use crate::limit::Share;

/// A body that is held.
pub(super) struct Held {
    /// All of it, or the part that was read.
    pub(super) bytes: Bytes,
    /// Whether more is to come from the client.
    pub(super) completeness: Completeness,
    /// Its part of the memory budget.
    #[allow(dead_code, reason = "held for its Drop, which gives the memory back")]
    pub(super) share: Share,
}

/// How a body is to be read.
pub(super) struct Terms {
    /// Bytes to hold at most.
    pub(super) limit: usize,
    /// Past that.
    pub(super) action: BodyLimitAction,
}

/// Why a body cannot be held, as the status that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HoldError {
    /// Over the limit.
    #[error("request body over the limit")]
    TooLarge,
    /// All bodies together are over the budget.
    #[error("memory for bodies under inspection used up ([waf].body_memory, body_memory_per_client)")]
    NoMemory,
    /// The client paused for too long.
    #[error("request body did not arrive in time")]
    Timeout,
    /// The client left, or sent what is no body.
    #[error("request body could not be read")]
    Client,
}

impl HoldError {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            HoldError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            HoldError::NoMemory => StatusCode::SERVICE_UNAVAILABLE,
            HoldError::Timeout => StatusCode::REQUEST_TIMEOUT,
            HoldError::Client => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the body up to the limit. The upstream is not contacted before this returns.
pub(super) async fn hold(
    session: &mut ServerSession,
    terms: &Terms,
    pace: &mut Pace,
    mut share: Share,
) -> Result<Held, HoldError> {
    let declared = head::content_length(&session.req_header().headers);
    let rejects = terms.action == BodyLimitAction::Reject;
    if rejects && declared.is_some_and(|length| length > terms.limit) {
        return Err(HoldError::TooLarge);
    }
    if head::expects_continue(session.req_header()) {
        session
            .write_continue_response()
            .await
            .map_err(|_| HoldError::Client)?;
    }
    let mut held = BytesMut::new();
    while let Some(chunk) = next_chunk(session, pace).await? {
        if !share.grow(chunk.len()) {
            return Err(HoldError::NoMemory);
        }
        held.extend_from_slice(&chunk);
        if held.len() > terms.limit {
            if rejects {
                return Err(HoldError::TooLarge);
            }
            return Ok(Held {
                bytes: held.freeze(),
                completeness: Completeness::Partial,
                share,
            });
        }
    }
    Ok(Held {
        bytes: held.freeze(),
        completeness: Completeness::Complete,
        share,
    })
}

async fn next_chunk(session: &mut ServerSession, pace: &mut Pace) -> Result<Option<Bytes>, HoldError> {
    let chunk = pace.read(session).await;
    chunk.map_err(|error| match error.etype() {
        ErrorType::ReadTimedout => HoldError::Timeout,
        ErrorType::HTTPStatus(413) => HoldError::TooLarge,
        _ => HoldError::Client,
    })
}
