//! WAF policies: a route's keys over those of `[waf]` over the defaults; equal profiles are one.

use std::collections::HashSet;
use std::sync::Arc;

use crate::config::decode::At;
use crate::config::errors::{Problem, Report};
use crate::config::raw;
use crate::config::ready::{BodyLimitAction, WafEngine, WafMode, WafPolicy, WafProfile};

/// ModSecurity's own, and what the CRS is tested with.
const REQUEST_BODY_LIMIT: usize = 13_107_200;
const RESPONSE_BODY_LIMIT: usize = 512 << 10;
const RESPONSE_MIME_TYPES: &[&str] = &["text/plain", "text/html", "text/xml", "application/json"];

/// The CRS's own and those of every REST API.
const ALLOWED_METHODS: &[&str] = &["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"];
/// The types whose bodies the engine can read: the CRS's own.
const ALLOWED_CONTENT_TYPES: &[&str] = &[
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
    "application/xml",
    "application/soap+xml",
    "text/xml",
];
/// ModSecurity's own.
const ARGUMENT_LIMIT: u32 = 1000;
/// What a page and the programs of a household ask again and again, several times over.
const RECALLED_REQUESTS: u32 = 3000;

/// Builds the policies of all routes.
pub(super) struct Policies<'r> {
    defaults: raw::WafPolicy,
    body_memory: usize,
    report: &'r Report,
    profiles: HashSet<Arc<WafProfile>>,
}

impl<'r> Policies<'r> {
    /// With `[waf]` as defaults, which are checked by themselves: a fault there is reported once.
    pub(super) fn new(defaults: raw::WafPolicy, body_memory: usize, report: &'r Report) -> Self {
        let policies = Self {
            defaults,
            body_memory,
            report,
            profiles: HashSet::new(),
        };
        policies.check(&policies.defaults, None);
        policies.check_engines(&policies.defaults);
        policies
    }

    /// The policy of a route.
    pub(super) fn policy(&mut self, route: raw::WafPolicy) -> WafPolicy {
        self.check(&route, self.defaults.paranoia_level);
        self.check_engines(&route);
        let defaults = &self.defaults;
        let bytes = |limit: &Option<At<usize>>| limit.as_ref().map(|limit| limit.value);
        WafPolicy {
            mode: route.mode.or(defaults.mode).unwrap_or(WafMode::On),
            request_body_limit: bytes(&route.request_body_limit)
                .or(bytes(&defaults.request_body_limit))
                .unwrap_or(REQUEST_BODY_LIMIT),
            request_body_limit_action: route
                .request_body_limit_action
                .or(defaults.request_body_limit_action)
                .unwrap_or(BodyLimitAction::Reject),
            inspect_responses: route
                .inspect_responses
                .or(defaults.inspect_responses)
                .unwrap_or(false),
            response_body_limit: bytes(&route.response_body_limit)
                .or(bytes(&defaults.response_body_limit))
                .unwrap_or(RESPONSE_BODY_LIMIT),
            fail_closed: route.fail_closed.or(defaults.fail_closed).unwrap_or(true),
            profile: self.profile(route),
        }
    }

    fn profile(&mut self, route: raw::WafPolicy) -> Arc<WafProfile> {
        let defaults = &self.defaults;
        let paranoia_level = route.paranoia_level.or(defaults.paranoia_level).unwrap_or(1);
        let exclusions = defaults.exclusions.iter().chain(&route.exclusions);
        let profile = WafProfile {
            engine: engine(&route, defaults),
            shadow: shadow(&route, defaults),
            paranoia_level,
            // A route that raises its own level means it: an inherited lower one does not hold it back.
            detection_paranoia_level: match (
                &route.detection_paranoia_level,
                &defaults.detection_paranoia_level,
            ) {
                (Some(level), _) | (None, Some(level)) => level.value.max(paranoia_level),
                (None, None) => paranoia_level,
            },
            inbound_threshold: route
                .inbound_threshold
                .or(defaults.inbound_threshold)
                .unwrap_or(5),
            outbound_threshold: route
                .outbound_threshold
                .or(defaults.outbound_threshold)
                .unwrap_or(4),
            exclusions: exclusions.map(|exclusion| exclusion.value.clone()).collect(),
            response_mime_types: or_names(
                route.response_mime_types,
                &defaults.response_mime_types,
                RESPONSE_MIME_TYPES,
            ),
            allowed_methods: or_names(route.allowed_methods, &defaults.allowed_methods, ALLOWED_METHODS),
            allowed_content_types: or_names(
                route.allowed_content_types,
                &defaults.allowed_content_types,
                ALLOWED_CONTENT_TYPES,
            ),
            argument_limit: route
                .argument_limit
                .or(defaults.argument_limit)
                .unwrap_or(ARGUMENT_LIMIT),
            recalled_requests: route
                .recalled_requests
                .or(defaults.recalled_requests)
                .unwrap_or(RECALLED_REQUESTS),
            seclang_before: or_default(route.seclang_before, &defaults.seclang_before),
            seclang_after: or_default(route.seclang_after, &defaults.seclang_after),
        };
        self.shared(profile)
    }

    fn shared(&mut self, profile: WafProfile) -> Arc<WafProfile> {
        if let Some(known) = self.profiles.get(&profile) {
            return Arc::clone(known);
        }
        let profile = Arc::new(profile);
        self.profiles.insert(Arc::clone(&profile));
        profile
    }

    /// Whether this build has the engines that a table names, and the shadow is another one than what it watches.
    fn check_engines(&self, policy: &raw::WafPolicy) {
        let engine = policy
            .engine
            .as_ref()
            .map(|at| (&at.place, "engine", Some(at.value)));
        let shadow = policy.shadow.as_ref().map(|at| (&at.place, "shadow", at.value));
        for (place, key, named) in [&engine, &shadow].into_iter().flatten() {
            if *named == Some(WafEngine::Coraza) && !cfg!(feature = "coraza") {
                let reason = format!(
                    "{key} = \"coraza\" is not in this build: it is the Cargo feature `coraza` (needs Go and libclang): \
                     cargo build --release -p palisade --features coraza"
                );
                self.report.problem(place, Problem::Contradiction(reason));
            }
        }
        let both = (
            self::engine(policy, &self.defaults),
            self::shadow(policy, &self.defaults),
        );
        if let ((WafEngine::Coraza, Some(WafEngine::Coraza)), Some((place, ..))) = (both, shadow.or(engine)) {
            let reason = "a shadow of the same engine tells nothing: engine and shadow are both \"coraza\"";
            self.report
                .problem(place, Problem::Contradiction(reason.to_owned()));
        }
    }

    /// What one table says, held against itself and against what it inherits.
    fn check(&self, policy: &raw::WafPolicy, inherited_level: Option<u8>) {
        let blocking = policy.paranoia_level.or(inherited_level).unwrap_or(1);
        if let Some(detection) = &policy.detection_paranoia_level
            && detection.value < blocking
        {
            let reason = format!(
                "detection_paranoia_level {} is below paranoia_level {blocking}: what blocks is also detected",
                detection.value
            );
            self.report
                .problem(&detection.place, Problem::Contradiction(reason));
        }
        for limit in [&policy.request_body_limit, &policy.response_body_limit]
            .into_iter()
            .flatten()
        {
            if limit.value > self.body_memory {
                let reason = "no body of this size fits into waf.body_memory";
                self.report
                    .problem(&limit.place, Problem::Contradiction(reason.to_owned()));
            }
        }
    }
}

fn engine(route: &raw::WafPolicy, defaults: &raw::WafPolicy) -> WafEngine {
    let named = route.engine.as_ref().or(defaults.engine.as_ref());
    named.map_or(WafEngine::Palisade, |engine| engine.value)
}

fn shadow(route: &raw::WafPolicy, defaults: &raw::WafPolicy) -> Option<WafEngine> {
    let named = route.shadow.as_ref().or(defaults.shadow.as_ref());
    named.and_then(|shadow| shadow.value)
}

fn or_names(route: Option<Vec<String>>, default: &Option<Vec<String>>, own: &[&str]) -> Vec<String> {
    route
        .or_else(|| default.clone())
        .unwrap_or_else(|| own.iter().map(|name| (*name).to_owned()).collect())
}

fn or_default<T: Clone>(route: Option<Vec<T>>, default: &Option<Vec<T>>) -> Vec<T> {
    route.or_else(|| default.clone()).unwrap_or_default()
}
