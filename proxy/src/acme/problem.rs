//! Problem documents: what a CA says when it says no, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::Step;

/// A CA's prose goes into logs and states; bytes.
const LONGEST_DETAIL: usize = 2000;

/// Likewise types and names: a URL, a DNS name.
const LONGEST_WORD: usize = 300;

/// An order has two names.
const MOST_SUBPROBLEMS: usize = 8;

/// A problem document (RFC 7807, RFC 8555, section 6.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its type; of ACME's own types the last part: `rateLimited`.
    pub kind: String,
    /// For people.
    pub detail: String,
    /// For single names.
    #[serde(default)]
    pub subproblems: Vec<Subproblem>,
}

/// What is wrong with one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subproblem {
    /// The name.
    pub name: Option<String>,
    /// As a problem's.
    pub kind: String,
    /// For people.
    pub detail: String,
}

impl Problem {
    /// What to do about it.
    pub(super) fn advice(&self, step: Step) -> Option<&'static str> {
        Some(match self.kind.as_str() {
            "rateLimited" => {
                "a limit of the CA is reached; nothing is asked of it before the time that it names"
            }
            "unauthorized" if step == Step::Validation => {
                "the CA found other TXT values than ours: does another ACME client use the same `_acme-challenge` name, \
                 or is it delegated elsewhere by a CNAME?"
            }
            "unauthorized" => {
                "the CA does not accept the account: deactivated, or `acme.eab_kid` and `acme.eab_key` are not (any more) valid"
            }
            "caa" => {
                "a CAA record of the domain forbids this CA: add one that allows it (for a wildcard `issuewild`)"
            }
            "dns" => "the CA could not look the name up: check the zone's delegation and DNSSEC",
            "accountDoesNotExist" => {
                "the CA does not know the account; a new one is made at the next attempt"
            }
            "externalAccountRequired" => {
                "this CA wants an account of its own first: set `acme.eab_kid` and `acme.eab_key`"
            }
            "invalidProfile" => {
                "set `acme.profile` to one that the CA offers for these names, or leave it out"
            }
            "rejectedIdentifier" => {
                "the CA does not issue for this name: public CAs only do for public domains"
            }
            "invalidContact" | "unsupportedContact" => "check `acme.email`",
            "userActionRequired" => "the CA's terms have changed: see its detail for the page to visit",
            "serverInternal" => "the CA has troubles; it is tried again later",
            "badNonce" => {
                "several nonces in a row were refused: is there a proxy that caches the CA's answers?"
            }
            "malformed" if step == Step::Account => {
                "the CA does not understand us: is `acme.directory` a directory's URL?"
            }
            _ => return None,
        })
    }
}

impl From<instant_acme::Problem> for Problem {
    fn from(problem: instant_acme::Problem) -> Self {
        let subproblem = |problem: instant_acme::Subproblem| Subproblem {
            name: problem
                .identifier
                .map(|name| bounded(name.authorized(false).to_string(), LONGEST_WORD)),
            kind: short(problem.r#type),
            detail: bounded(problem.detail.unwrap_or_default(), LONGEST_DETAIL),
        };
        Self {
            kind: short(problem.r#type),
            detail: bounded(problem.detail.unwrap_or_default(), LONGEST_DETAIL),
            subproblems: problem
                .subproblems
                .into_iter()
                .take(MOST_SUBPROBLEMS)
                .map(subproblem)
                .collect(),
        }
    }
}

fn bounded(mut text: String, longest: usize) -> String {
    text.truncate(text.floor_char_boundary(longest));
    text
}

fn short(kind: Option<String>) -> String {
    let kind = kind.unwrap_or_else(|| "about:blank".to_owned());
    let short = match kind.strip_prefix("urn:ietf:params:acme:error:") {
        Some(short) => short.to_owned(),
        None => kind,
    };
    bounded(short, LONGEST_WORD)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.kind)?;
        for Subproblem { name, kind, detail } in &self.subproblems {
            let name = name.as_deref().unwrap_or("?");
            write!(f, "; {name}: {detail} ({kind})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn certificates_what_a_ca_says_at_length_is_made_short() {
        let long = "ä".repeat(10_000);
        let name = json!({"type": "dns", "value": long});
        let one = json!({"type": long, "detail": long, "identifier": name});
        let many: Vec<_> = std::iter::repeat_n(one, 1000).collect();
        let document = json!({"type": long, "detail": long, "subproblems": many});
        let problem: instant_acme::Problem = serde_json::from_value(document).unwrap();
        let problem = Problem::from(problem);
        assert_eq!(problem.subproblems.len(), MOST_SUBPROBLEMS);
        assert_eq!((problem.kind.len(), problem.detail.len()), (300, 2000));
        assert!(problem.to_string().len() < 24_000);
    }
}
