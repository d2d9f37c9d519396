//! Phase 2: after the request's body, which its processor has taken apart.

use bytes::Bytes;

use crate::body::{json, multipart, urlencoded, xml};
use crate::limits::Limits;
use crate::plan::RuleSet;
use crate::rule::BodyProcessor;

use super::facts::File;
use super::{Body, Completeness, Facts, State};

pub(super) const TOO_MANY_ARGUMENTS: &str = "SecArgumentsLimit exceeded";
const TOO_LONG: &str = "Request body excluding files is bigger than the maximum expected.";

/// Takes the body in. What cannot be read is flagged for the rules, and what could be read all the same
/// is shown to them.
pub(super) fn read(
    rules: &RuleSet,
    facts: &mut Facts,
    state: &State,
    bytes: Bytes,
    completeness: Completeness,
) {
    if !state.control.request_body_access {
        return;
    }
    let body = &mut facts.body;
    body.partial = completeness == Completeness::Partial;
    body.visible = state.control.force_request_body;
    body.bytes = bytes;
    if body.bytes.is_empty() {
        return;
    }
    let bounds = Bounds::of(rules, facts.request.arguments.len());
    let content_type = facts.request.header("content-type").unwrap_or_default();
    match state.control.processor {
        None => {}
        Some(BodyProcessor::Raw) => body.visible = true,
        Some(BodyProcessor::Urlencoded) => read_form(body, &bounds),
        Some(BodyProcessor::Multipart) => read_multipart(body, content_type, &bounds),
        Some(BodyProcessor::Json) => read_json(body, &bounds),
        Some(BodyProcessor::Xml) => read_xml(body, &bounds),
    }
    check_length(body, state.control.processor, &bounds);
}

/// The limits that hold for this body.
struct Bounds<'a> {
    limits: &'a Limits,
    separator: u8,
    /// How many arguments the query left.
    arguments: usize,
    json_depth: usize,
    without_files: usize,
}

impl<'a> Bounds<'a> {
    fn of(rules: &'a RuleSet, used: usize) -> Self {
        let (limits, settings) = (rules.limits(), rules.settings());
        Self {
            limits,
            separator: settings.argument_separator,
            arguments: super::arguments_limit(rules).saturating_sub(used),
            json_depth: settings.json_depth_limit.unwrap_or(limits.body_depth),
            without_files: settings
                .request_body_no_files_limit
                .unwrap_or(limits.request_body_no_files),
        }
    }
}

fn read_form(body: &mut Body, bounds: &Bounds<'_>) {
    let found = urlencoded::parse(&body.bytes, bounds.separator, bounds.arguments);
    body.visible = true;
    body.invalid_encoding = found.invalid_encoding;
    body.arguments = found.pairs;
    note_truncated(body, found.truncated);
}

fn read_json(body: &mut Body, bounds: &Bounds<'_>) {
    let found = json::flatten(&body.bytes, bounds.json_depth, bounds.arguments).unwrap_or_else(|error| {
        fail(body, format!("JSON parsing error: {error}"));
        error.partial
    });
    body.arguments = found.values;
    body.container_names = found.containers;
    note_truncated(body, found.truncated);
}

fn read_xml(body: &mut Body, bounds: &Bounds<'_>) {
    let limits = bounds.limits;
    let found = xml::parse(&body.bytes, limits.body_depth, limits.xml_nodes).unwrap_or_else(|error| {
        fail(body, format!("XML parsing error: {error}"));
        error.partial
    });
    body.xml_texts = found.texts;
    body.xml_attributes = found.attributes;
    note_truncated(body, found.truncated);
}

fn read_multipart(body: &mut Body, content_type: &[u8], bounds: &Bounds<'_>) {
    let found = multipart::parse(&body.bytes, content_type, bounds.limits);
    if let Some(error) = found.error {
        fail(body, format!("Multipart parsing error: {error}"));
    }
    body.flags = Some(found.flags);
    for part in found.parts {
        let content = body
            .bytes
            .get(part.content.clone())
            .map(|_| body.bytes.slice(part.content));
        let content = content.unwrap_or_default();
        let headers = part.raw_headers.into_iter();
        body.part_headers
            .extend(headers.map(|line| (part.name.clone(), line)));
        body.part_names.push(part.name.clone());
        match part.filename {
            Some(name) => body.files.push(File {
                field: part.name,
                name,
                extended: part.filename_extended,
                content,
            }),
            None if body.arguments.len() < bounds.arguments => {
                body.arguments.push((part.name, content.to_vec()))
            }
            None => note_truncated(body, true),
        }
    }
}

/// ModSecurity v3 leaves a longer body unparsed. Here it is flagged and inspected all the same: a rule
/// set that does not look at `REQBODY_ERROR` would otherwise be walked around with a megabyte of padding.
fn check_length(body: &mut Body, processor: Option<BodyProcessor>, bounds: &Bounds<'_>) {
    let files: usize = body.files.iter().map(|file| file.content.len()).sum();
    if processor.is_some() && body.bytes.len() - files.min(body.bytes.len()) > bounds.without_files {
        body.over_limit = true;
        body.error.get_or_insert_with(|| TOO_LONG.to_owned());
    }
}

fn note_truncated(body: &mut Body, truncated: bool) {
    if truncated {
        body.error.get_or_insert_with(|| TOO_MANY_ARGUMENTS.to_owned());
    }
}

fn fail(body: &mut Body, error: String) {
    body.error.get_or_insert_with(|| error.clone());
    body.processor_error = Some(error);
}
