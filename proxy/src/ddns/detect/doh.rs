//! A question to a name server over HTTPS (RFC 8484).

use std::time::Duration;

use hickory_proto::op::{Message, Query};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::{DetectError, https};
use crate::causes::Causes;
use crate::ddns::address::Family;

/// RFC 8484, section 6.
const MESSAGE: &str = "application/dns-message";

/// An answer with one address has a hundred.
const MAX_BODY: usize = 4 * 1024;

/// Asks over this family alone; the answer is to this question.
pub(super) async fn ask(
    family: Family,
    url: &str,
    question: &Query,
    patience: Duration,
) -> Result<Message, DetectError> {
    let failed = |reason: String| DetectError::Http {
        url: url.to_owned(),
        reason,
    };
    let asked = tokio::time::timeout(patience, exchange(family, url, question));
    let late = |_| failed(format!("no answer within {patience:?}"));
    let body = asked.await.map_err(late)?.map_err(failed)?;
    match Message::from_vec(&body) {
        Ok(answer) if answer.queries.as_slice() == [question.clone()] => Ok(answer),
        Ok(_) => Err(failed("no answer to what was asked".to_owned())),
        Err(error) => Err(failed(format!("what came is no DNS answer: {error}"))),
    }
}

async fn exchange(family: Family, url: &str, question: &Query) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| Causes(&error.without_url()).to_string();
    let mut message = Message::query();
    // RFC 8484, section 4.1: the same for all, since HTTP knows which answer is whose.
    message.metadata.id = 0;
    message.metadata.recursion_desired = true;
    message.add_query(question.clone());
    let message = message.to_vec().map_err(|error| error.to_string())?;
    let request = https::client(family).map_err(failed)?.post(url);
    let request = request.header(CONTENT_TYPE, MESSAGE).header(ACCEPT, MESSAGE);
    let mut response = request.body(message).send().await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(format!("status {}", response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(format!("more than {MAX_BODY} bytes, so no such answer"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
