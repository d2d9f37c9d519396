//! Phase 1: after the request's head.

use crate::rule::BodyProcessor;

use super::{Facts, State};

/// What follows from the head once all of it is there.
pub(super) fn prepare(facts: &mut Facts, state: &mut State) {
    facts.request.read_cookies();
    if facts.request.truncated {
        facts.body.error = Some(super::request_body::TOO_MANY_ARGUMENTS.to_owned());
    }
    let content_type = facts.request.header("content-type").unwrap_or_default();
    state.control.processor = processor_for(content_type);
}

/// The processors that need no `ctl`: forms. JSON and XML are for a rule to choose, as in ModSecurity.
fn processor_for(content_type: &[u8]) -> Option<BodyProcessor> {
    let content_type = content_type.trim_ascii_start().to_ascii_lowercase();
    if content_type.starts_with(b"multipart/form-data") {
        return Some(BodyProcessor::Multipart);
    }
    content_type
        .starts_with(b"application/x-www-form-urlencoded")
        .then_some(BodyProcessor::Urlencoded)
}
