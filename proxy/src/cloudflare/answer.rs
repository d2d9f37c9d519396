//! An answer's body: read up to a limit, then taken apart.

use std::sync::Arc;

use bytes::BytesMut;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, ApiMessage};

/// What a call gave.
pub(super) struct Answer<T> {
    pub(super) result: T,
    pub(super) pages: Option<Pages>,
}

/// Where in a list an answer stands.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Pages {
    pub(super) total_pages: Option<u64>,
    pub(super) total_count: Option<u64>,
}

/// The form that all answers have.
#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    errors: Option<Vec<ApiMessage>>,
    // Of no type before it is known to be a result: a refusal has what it likes.
    #[serde(default)]
    result: Value,
    #[serde(default)]
    result_info: Option<Pages>,
}

/// The body, if it is no larger than `limit`.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<BytesMut, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > limit {
            return Err(ApiError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What the body says.
pub(super) fn parse<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<Answer<T>, ApiError> {
    let not_json = |source: serde_json::Error| ApiError::NotJson {
        status: status.as_u16(),
        source: Arc::new(source),
    };
    let envelope: Envelope = serde_json::from_slice(body).map_err(not_json)?;
    if !envelope.success || !status.is_success() {
        return Err(ApiError::Api {
            status: status.as_u16(),
            errors: envelope.errors.unwrap_or_default(),
        });
    }
    Ok(Answer {
        result: serde_json::from_value(envelope.result).map_err(not_json)?,
        pages: envelope.result_info,
    })
}

/// What the HTTP client says, as ours.
pub(super) fn transport(error: reqwest::Error) -> ApiError {
    if error.is_timeout() {
        return ApiError::Timeout;
    }
    ApiError::Transport {
        source: Arc::new(error),
    }
}
