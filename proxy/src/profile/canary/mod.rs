//! Canaries: attacks that every policy must stop and ordinary requests that it must let pass, tried before
//! the policy serves. A rule set that loads and does not protect is worse than none, as nobody notices.

mod requests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use palisade_waf::variables::Variable;
use palisade_waf::{Completeness, RequestOrigin, RuleSet};

use self::requests::{ATTACKS, Canary, ORDINARY};
use super::place::Place;
use crate::config::{ExcludedRules, Exclusion, WafMode, WafProfile};
use crate::engine::{Engine, Inspector, Judged};

/// A policy that does not do what a WAF is for.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// An attack passes.
    #[error("{}", .0.text())]
    AttackPasses(Box<AttackPasses>),
    /// An ordinary request is stopped.
    #[error(
        "the policy would stop an ordinary request ({request}): rule {rule} objects ({message}). Lower the paranoia \
         level, raise the threshold, or mend the SecLang file that adds the rule"
    )]
    OrdinaryStopped {
        /// The canary.
        request: &'static str,
        /// The rule that stopped it.
        rule: u64,
        /// What the rule says.
        message: String,
    },
}

/// Which attack passes, and what is probably the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttackPasses {
    /// The canary.
    pub attack: &'static str,
    /// Method, host and path.
    pub request: String,
    /// The rules that are there for it.
    pub family: (u64, u64),
    /// Whether any of them saw it.
    pub seen: bool,
    /// Its score.
    pub score: u32,
    /// The policy's threshold.
    pub threshold: u32,
    /// Exclusions that take rules of the family away, as they name themselves.
    pub suspects: Vec<String>,
}

impl AttackPasses {
    fn text(&self) -> String {
        let (low, high) = self.family;
        let mut text = format!(
            "the policy would let a known attack pass ({}; {}): ",
            self.attack, self.request
        );
        text.push_str(&match self.seen {
            true => format!("it scores {}, the threshold is {}", self.score, self.threshold),
            false => format!("no rule of {low}-{high} sees it"),
        });
        for suspect in &self.suspects {
            text.push_str(&format!("\n  probably too wide: {suspect}"));
        }
        if self.suspects.is_empty() && self.seen {
            text.push_str("\n  lower inbound_threshold");
        }
        text.push_str(
            "\n  Limit exclusions to the rules and the targets that need them (targets = [\"ARGS:name\"]). To watch \
             without blocking use mode = \"detection-only\"; to switch the WAF off for a path give it a route of its \
             own with mode = \"off\".",
        );
        text
    }
}

const ABOUT_CLIENTS: [Variable; 4] = [
    Variable::RemoteAddr,
    Variable::RemoteHost,
    Variable::RemotePort,
    Variable::Ip,
];

/// How a canary fared.
struct Outcome {
    /// The rule that stops it, or would if the engine were On.
    stop: Option<Stop>,
    score: u32,
    seen: bool,
}

struct Stop {
    rule: u64,
    message: String,
    /// Not a rule of the CRS or of ours: the operator's own.
    own: bool,
    /// It looked at who asks, not at what.
    about_client: bool,
}

/// Tries all canaries on the engine that is to serve, and the attacks again wherever an exclusion applies. `major` is
/// the version of the CRS.
pub(super) fn prove(
    engine: &Engine,
    rules: &RuleSet,
    policy: &WafProfile,
    mode: WafMode,
    major: u8,
) -> Result<(), CanaryError> {
    let anywhere = Place::default();
    for place in std::iter::once(anywhere.clone()).chain(Place::of(&policy.exclusions)) {
        for attack in ATTACKS.iter().filter(|attack| attack.since <= major) {
            if let Some(request) = Request::to(&place, attack) {
                prove_attack(engine, rules, policy, &place, &request)?;
            }
        }
    }
    // What only watches stops nothing, ordinary or not.
    for ordinary in ORDINARY
        .iter()
        .filter(|request| mode == WafMode::On && policy_allows(policy, request))
    {
        let stop = Request::to(&anywhere, ordinary).and_then(|request| request.attempt(engine).stop);
        // An operator's rule about clients (an address range, say) means nothing for requests.
        if let Some(Stop { rule, message, .. }) = stop.filter(|stop| !(stop.own && stop.about_client)) {
            return Err(CanaryError::OrdinaryStopped {
                request: ordinary.name,
                rule,
                message,
            });
        }
    }
    Ok(())
}

/// An attack must be stopped; and where a whole host is concerned, the rules that are there for it must see it:
/// what stops it today may be an accident of the canary.
fn prove_attack(
    engine: &Engine,
    rules: &RuleSet,
    policy: &WafProfile,
    place: &Place,
    request: &Request<'_>,
) -> Result<(), CanaryError> {
    let outcome = request.attempt(engine);
    let family = request.canary.family;
    if outcome
        .stop
        .is_some_and(|stop| stop.own || outcome.seen || !place.is_a_whole_host())
    {
        return Ok(());
    }
    let suspects = policy
        .exclusions
        .iter()
        .filter(|exclusion| covers(exclusion, family, rules));
    Err(CanaryError::AttackPasses(Box::new(AttackPasses {
        attack: request.canary.name,
        request: format!("{} {}{}", request.method, request.host, request.path),
        family,
        seen: outcome.seen,
        score: outcome.score,
        threshold: policy.inbound_threshold,
        suspects: suspects.map(describe).collect(),
    })))
}

/// A route that takes no POST, or no JSON, may stop both.
fn policy_allows(policy: &WafProfile, request: &Canary) -> bool {
    let mut types = request.headers.iter().filter(|(name, _)| *name == "content-type");
    policy
        .allowed_methods
        .iter()
        .any(|method| method == request.method)
        && types.all(|(_, kind)| policy.allowed_content_types.iter().any(|allowed| allowed == kind))
}

/// Whether the exclusion takes rules of the family away.
fn covers(exclusion: &Exclusion, (low, high): (u64, u64), rules: &RuleSet) -> bool {
    match &exclusion.rules {
        ExcludedRules::Ids(ranges) => ranges.iter().any(|(first, last)| *first <= high && *last >= low),
        ExcludedRules::Tags(tags) => rules
            .rules()
            .filter(|rule| (low..=high).contains(&rule.id))
            .any(|rule| rule.tags.iter().any(|tag| tags.contains(tag))),
    }
}

fn describe(exclusion: &Exclusion) -> String {
    let rules = match &exclusion.rules {
        ExcludedRules::Ids(ranges) => {
            let ranges = ranges.iter().map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first}-{last}"),
            });
            format!("rules {}", ranges.collect::<Vec<_>>().join(", "))
        }
        ExcludedRules::Tags(tags) => format!("rules tagged {}", tags.join(", ")),
    };
    format!("the exclusion of {rules}, {:?}", exclusion.reason)
}

/// A canary on its way to a place.
struct Request<'a> {
    canary: &'static Canary,
    method: &'a str,
    host: &'a str,
    path: String,
}

impl<'a> Request<'a> {
    /// None where the place's method cannot carry the canary, or its path cannot hold the canary's own.
    fn to(place: &'a Place, canary: &'static Canary) -> Option<Self> {
        let method = place.method(canary.method, canary.body.is_empty())?;
        let path = match &place.path {
            None => canary.path.to_owned(),
            Some(_) if canary.is_in_its_path => return None,
            Some(path) => path.clone(),
        };
        Some(Self {
            canary,
            method,
            host: place.host(),
            path,
        })
    }

    fn attempt(&self, engine: &Engine) -> Outcome {
        let mut transaction = engine.inspect(RequestOrigin {
            id: "canary".to_owned(),
            unix_micros: 0,
            utc_offset_seconds: 0,
        });
        // An engine that fails has stopped nothing.
        let _ = self.send(&mut transaction);
        let (low, high) = self.canary.family;
        let matched = transaction.matched_rules();
        let stop = matched.iter().find(|rule| rule.disruptive).map(|rule| Stop {
            rule: rule.id,
            message: rule.msg.clone(),
            // Names of the rule set and of generated text are relative.
            own: rule.location.file.starts_with('/'),
            about_client: rule
                .variables
                .iter()
                .any(|matched| ABOUT_CLIENTS.contains(&matched.variable)),
        });
        let seen = matched.iter().any(|rule| (low..=high).contains(&rule.id));
        Outcome {
            stop,
            seen,
            score: transaction.score(),
        }
    }

    /// Phases 1 and 2; a verdict is read from the matched rules, which say it in DetectionOnly too.
    fn send(&self, transaction: &mut Inspector) -> Judged {
        let Canary {
            query, headers, body, ..
        } = *self.canary;
        let client = SocketAddr::from((new_client(), 50_000));
        let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2), 443));
        transaction.connection(client, server);
        let uri = format!("{}{query}", self.path);
        transaction.request_line(self.method.as_bytes(), uri.as_bytes(), b"HTTP/1.1");
        let common = [
            ("host", self.host),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            ("accept", "text/html,application/json"),
        ];
        let replaced = |name: &str| headers.iter().any(|(other, _)| *other == name);
        for (name, value) in common.iter().filter(|(name, _)| !replaced(name)).chain(headers) {
            transaction.add_request_header(name.as_bytes(), value.as_bytes());
        }
        if !body.is_empty() {
            transaction.add_request_header(b"content-length", body.len().to_string().as_bytes());
        }
        let _ = transaction.request_headers()?;
        let verdict = transaction.request_body(Bytes::from_static(body.as_bytes()), Completeness::Complete);
        // The score is known at the end.
        transaction.logging();
        verdict
    }
}

/// A client that no canary used before, of the network for tests of devices (RFC 2544): what rules remember of
/// one attacker (`initcol`) says nothing of the next request, nor of the one after a reload.
fn new_client() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let network = u32::from(Ipv4Addr::new(198, 18, 0, 0));
    Ipv4Addr::from(network | (NEXT.fetch_add(1, Ordering::Relaxed) & 0x1_ffff))
}
