//! The keys that `[waf]` and a route's `waf` share, and exclusions.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::readable;
use crate::config::decode::{At, Fault, Node, Table, boolean, integer, list, one_of, some};
use crate::config::raw::WafPolicy;
use crate::config::ready::{BodyLimitAction, ExcludedRules, Exclusion, HostPattern, WafEngine, WafMode};
use crate::config::values::units::size;
use crate::config::values::{exclusion, host, path};

const MODES: &[(&str, WafMode)] = &[
    ("on", WafMode::On),
    ("detection-only", WafMode::DetectionOnly),
    ("off", WafMode::Off),
];
const ENGINES: &[(&str, WafEngine)] = &[("palisade", WafEngine::Palisade), ("coraza", WafEngine::Coraza)];
const SHADOWS: &[(&str, Option<WafEngine>)] = &[("none", None), ("coraza", Some(WafEngine::Coraza))];
const LIMIT_ACTIONS: &[(&str, BodyLimitAction)] = &[
    ("reject", BodyLimitAction::Reject),
    ("inspect-partial", BodyLimitAction::InspectPartial),
];
/// Whether an engine failure fails closed.
const ENGINE_ERROR: &[(&str, bool)] = &[("deny", true), ("allow", false)];
/// 10000 is the field's custom for "only learn".
const THRESHOLD: RangeInclusive<u32> = 1..=1_000_000;
const BODY_LIMIT: RangeInclusive<usize> = 1024..=(1 << 30);
/// A request of a million arguments would cost seconds of inspection.
const ARGUMENTS: RangeInclusive<u32> = 10..=100_000;
/// A hundred thousand are 3.2 MB for each worker and policy.
const RECALLED: RangeInclusive<u32> = 0..=100_000;
const MIME_TYPE: &str = "a MIME type such as \"text/html\"";

/// A policy, whole in `[waf]` or a route's share of it.
pub(super) fn policy(table: &mut Table<'_>) -> WafPolicy {
    WafPolicy {
        mode: table.take("mode", one_of(MODES)),
        engine: table.take("engine", placed(one_of(ENGINES))),
        shadow: table.take("shadow", placed(one_of(SHADOWS))),
        paranoia_level: table.take("paranoia_level", integer(1..=4)),
        detection_paranoia_level: table.take("detection_paranoia_level", placed(integer(1..=4))),
        inbound_threshold: table.take("inbound_threshold", integer(THRESHOLD)),
        outbound_threshold: table.take("outbound_threshold", integer(THRESHOLD)),
        request_body_limit: table.take("request_body_limit", placed(size(BODY_LIMIT))),
        request_body_limit_action: table.take("request_body_limit_action", one_of(LIMIT_ACTIONS)),
        inspect_responses: table.take("inspect_responses", boolean),
        response_body_limit: table.take("response_body_limit", placed(size(BODY_LIMIT))),
        response_mime_types: table.take("response_mime_types", list("MIME types", mime_type)),
        allowed_methods: table.take(
            "allowed_methods",
            some("methods", |node: Node<'_>| {
                node.parse(exclusion::METHOD, exclusion::parse_method)
            }),
        ),
        allowed_content_types: table.take("allowed_content_types", some("MIME types", mime_type)),
        argument_limit: table.take("argument_limit", integer(ARGUMENTS)),
        recalled_requests: table.take("recalled_requests", integer(RECALLED)),
        fail_closed: table.take("on_engine_error", one_of(ENGINE_ERROR)),
        seclang_before: table.take("seclang_before", seclang_files),
        seclang_after: table.take("seclang_after", seclang_files),
        exclusions: table.sections("exclusions", exclusion),
    }
}

fn exclusion(table: &mut Table<'_>) -> Option<At<Exclusion>> {
    let rules = rules(table);
    let targets = table.take(
        "targets",
        some("targets", |node: Node<'_>| {
            node.parse(exclusion::TARGET, exclusion::parse_target)
        }),
    );
    let hosts = table.take("hosts", some("hostnames", host_pattern));
    let path = table.take("path", path::path_match);
    let methods = table.take(
        "methods",
        some("methods", |node: Node<'_>| {
            node.parse(exclusion::METHOD, exclusion::parse_method)
        }),
    );
    let reason = table.require("reason", exclusion::REASON, |node| {
        node.parse(exclusion::REASON, exclusion::parse_reason)
    });
    let exclusion = Exclusion {
        rules: rules?,
        targets: targets.unwrap_or_default(),
        hosts: hosts.unwrap_or_default(),
        path,
        methods: methods.unwrap_or_default(),
        reason: reason?,
    };
    Some(At {
        value: exclusion,
        place: table.place(),
    })
}

fn rules(table: &mut Table<'_>) -> Option<ExcludedRules> {
    let ids = table.take("rules", some("rule ids", exclusion::rule_range));
    let tags = table.take(
        "tags",
        some("tags", |node: Node<'_>| {
            node.parse(exclusion::TAG, exclusion::parse_tag)
        }),
    );
    match (table.has("rules"), table.has("tags")) {
        (false, false) => table.missing("rules", "rules = [942100], or tags = [\"attack-sqli\"]"),
        (true, true) => table.contradiction("tags", "an exclusion names `rules` or `tags`, not both"),
        _ => {}
    }
    ids.map(ExcludedRules::Ids).or(tags.map(ExcludedRules::Tags))
}

fn host_pattern(node: Node<'_>) -> Option<HostPattern> {
    node.parse(host::PATTERN, host::parse_pattern)
}

fn seclang_files(node: Node<'_>) -> Option<Vec<PathBuf>> {
    list("paths", readable)(node)
}

fn mime_type(node: Node<'_>) -> Option<String> {
    node.parse(MIME_TYPE, |text| {
        let token = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
        };
        match text.split_once('/') {
            Some((kind, subtype)) if token(kind) && token(subtype) => Ok(text.to_ascii_lowercase()),
            _ => Err(Fault::new("not a MIME type without parameters")),
        }
    })
}

/// A decoder's value, with its place.
fn placed<'a, T>(decode: impl Fn(Node<'a>) -> Option<T>) -> impl Fn(Node<'a>) -> Option<At<T>> {
    move |node| {
        let place = node.at(()).place;
        Some(At {
            value: decode(node)?,
            place,
        })
    }
}
