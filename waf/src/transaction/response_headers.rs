//! Phase 3: after the response's head.

use crate::rule::Settings;

use super::Facts;
use super::state::Control;

/// Whether the response's body is to be inspected: access is on, and its media type is listed or a rule
/// forces it. A response without a type counts as the type `(null)`, as in ModSecurity.
pub(super) fn wants_body(facts: &Facts, control: &Control, settings: &Settings) -> bool {
    let media_type = facts.response.content_type().unwrap_or(b"(null)");
    let is_listed = |listed: &String| listed.as_bytes().eq_ignore_ascii_case(media_type);
    control.response_body_access
        && (control.force_response_body || settings.response_mime_types.iter().any(is_listed))
}
