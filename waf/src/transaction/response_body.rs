//! Phase 4: after the response's body.

use bytes::Bytes;

use crate::body::{json, xml};
use crate::plan::RuleSet;
use crate::rule::BodyProcessor;

use super::{Completeness, Facts, State, response_headers};

/// Takes the body in, if it is one to inspect. A processor's errors are no news about a response: the
/// application made it, and `RESPONSE_BODY` shows it whole.
pub(super) fn read(
    rules: &RuleSet,
    facts: &mut Facts,
    state: &State,
    bytes: Bytes,
    completeness: Completeness,
) {
    if !response_headers::wants_body(facts, &state.control, rules.settings()) {
        return;
    }
    let (limits, response) = (rules.limits(), &mut facts.response);
    response.partial = completeness == Completeness::Partial;
    response.body = bytes;
    match state.control.response_processor {
        Some(BodyProcessor::Json) => {
            let found = json::flatten(&response.body, limits.body_depth, limits.arguments);
            response.arguments = found.unwrap_or_else(|error| error.partial).values;
        }
        Some(BodyProcessor::Xml) => {
            let found = xml::parse(&response.body, limits.body_depth, limits.xml_nodes);
            let found = found.unwrap_or_else(|error| error.partial);
            response.xml_texts = found.texts;
            response.xml_attributes = found.attributes;
        }
        _ => {}
    }
}
