//! Why there is no certificate, in the CA's words where it has some, and what to do about it.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;

use super::authority::LookupError;
use super::challenge::TxtError;
use super::problem::Problem;
use super::store::StoreError;
use crate::causes::Causes;
use crate::certs::CertificateError;
use crate::secret::SecretError;

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The root that the CA is to be trusted by, or something else about our client.
    #[error("the client for the CA: {reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
    /// The key for the external account could not be read.
    #[error("`acme.eab_key`: {0}")]
    Secret(#[from] SecretError),
    /// It is no key.
    #[error("`acme.eab_key` is not base64url")]
    EabKey,
    /// The CA says no.
    #[error("{step}: {problem}")]
    Refused {
        /// To what.
        step: Step,
        /// Why.
        problem: Problem,
        /// When it wants to be asked again.
        retry_after: Option<OffsetDateTime>,
    },
    /// The CA says nothing, or nothing that is ACME.
    #[error("{step}: {}", Causes(.source))]
    Exchange {
        /// When.
        step: Step,
        /// The library's error.
        source: instant_acme::Error,
    },
    /// The CA takes too long.
    #[error("{step}: not done after {after:?}")]
    Late {
        /// With what.
        step: Step,
        /// Our patience.
        after: Duration,
    },
    /// The CA has no such profile.
    #[error("the CA offers no profile `{asked}`, but {}", offered.join(", "))]
    Profile {
        /// `acme.profile`.
        asked: String,
        /// What it has; possibly nothing.
        offered: Vec<String>,
    },
    /// The CA would validate the name, but not by DNS.
    #[error("the CA offers no dns-01 challenge for {0}")]
    NoDnsChallenge(String),
    /// The CA tried to validate and did not succeed.
    #[error("{}", listed(.0))]
    Unvalidated(Vec<Unvalidated>),
    /// A TXT record could not be written.
    #[error("TXT record at {name}: {source}")]
    Txt {
        /// Where.
        name: String,
        /// Why.
        source: TxtError,
    },
    /// The challenge cannot be seen.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// What the CA made is not what was ordered.
    #[error("the CA's certificate is not what was ordered: {0}")]
    Unfit(#[from] Unfit),
    /// A key or a request could not be made.
    #[error("certificate request: {0}")]
    Request(#[from] rcgen::Error),
    /// Something could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A name that the CA could not validate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unvalidated {
    /// The name.
    pub name: String,
    /// Why, if the CA says.
    pub problem: Option<Problem>,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// No certificate, no key, or they do not belong together.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The leaf is not X.509.
    #[error("not an X.509 certificate: {0}")]
    Leaf(String),
    /// It lacks a name.
    #[error("it is not for {0}")]
    Name(String),
    /// It is over, or has not begun.
    #[error("it is valid from {from} to {to}")]
    Validity {
        /// From.
        from: OffsetDateTime,
        /// To.
        to: OffsetDateTime,
    },
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading the directory.
    Directory,
    /// Making or changing the account.
    Account,
    /// Asking when to renew.
    RenewalInfo,
    /// Making the order, or going on with it.
    Order,
    /// Reading what the CA wants to see.
    Authorization,
    /// Telling the CA that it can look, and waiting for its verdict.
    Validation,
    /// Sending the request, and waiting for the certificate.
    Finalization,
}

impl AcmeError {
    /// Whether the CA has no part in it: nothing of its budgets is spent by trying again, and an order that is open
    /// is gone on with.
    pub fn is_ours(&self) -> bool {
        if let Self::Exchange {
            source: instant_acme::Error::Other(cause),
            ..
        } = self
        {
            // A line that is down, or a resolver: homes start before their routers do.
            let http = cause.downcast_ref::<reqwest::Error>();
            return http.is_some_and(reqwest::Error::is_connect);
        }
        matches!(
            self,
            Self::Client { .. }
                | Self::Secret(_)
                | Self::EabKey
                | Self::Profile { .. }
                | Self::Txt { .. }
                | Self::Lookup(_)
        )
    }

    /// What the CA said.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            Self::Unvalidated(names) => names.iter().find_map(|name| name.problem.as_ref()),
            _ => None,
        }
    }

    /// When the CA wants to be asked again.
    pub fn retry_after(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the CA does not know our account (any more), or has put an end to it (RFC 8555, section 7.3.6: that is
    /// `unauthorized`, as much else is; the words tell).
    pub(super) fn is_unknown_account(&self) -> bool {
        let ended = |problem: &Problem| {
            let detail = problem.detail.to_lowercase();
            let words = ["deactivated", "revoked", "account is not valid"];
            problem.kind == "unauthorized" && words.iter().any(|word| detail.contains(word))
        };
        match self {
            Self::Refused { step, problem, .. } => {
                let asks_as_account = matches!(step, Step::Account | Step::Order);
                problem.kind == "accountDoesNotExist" || asks_as_account && ended(problem)
            }
            _ => false,
        }
    }

    /// Whether an order that met this can still become a certificate: the trouble was of a moment.
    pub(super) fn leaves_order_open(&self) -> bool {
        match self {
            Self::Unvalidated(_) | Self::Unfit(_) | Self::NoDnsChallenge(_) => false,
            Self::Refused { problem, .. } => {
                matches!(
                    problem.kind.as_str(),
                    "serverInternal" | "rateLimited" | "badNonce" | "orderNotReady"
                )
            }
            _ => true,
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Secret(_) | Self::EabKey => {
                "`acme.eab_key` is the HMAC key that the CA shows beside the key's identifier, in base64url"
            }
            Self::Client { .. } => {
                "check `acme.root`: the PEM of the root that signed the CA's own server certificate"
            }
            Self::Profile { .. } => "set `acme.profile` to one that the CA offers, or leave it out",
            Self::NoDnsChallenge(_) => "wildcards need dns-01; choose a CA that offers it",
            Self::Exchange {
                step: Step::Directory | Step::Account,
                ..
            } => "check `acme.directory`, and that the CA can be reached from here",
            Self::Late { .. } => {
                "the CA is slow; the order stays open and is gone on with at the next attempt"
            }
            Self::Lookup(LookupError::Lacking { .. }) => {
                "the zone's name servers do not all serve the challenge: is the zone delegated to the provider that \
                 the records are written at? `acme.propagation_timeout` gives them more time, `acme.nameservers` names \
                 others to ask"
            }
            Self::Lookup(LookupError::Loop(..)) => "correct the CNAME at `_acme-challenge`",
            Self::Lookup(_) => {
                "this machine's resolvers could not find the zone's name servers; `acme.nameservers` names others"
            }
            Self::Refused { problem, step, .. } => return problem.advice(*step),
            Self::Unvalidated(_) => return self.problem()?.advice(Step::Validation),
            // What writes the records tells its own.
            Self::Txt { .. } | Self::Exchange { .. } | Self::Unfit(_) | Self::Request(_) => return None,
            Self::Store(StoreError::File { .. }) => {
                "check that `server.data_dir` can be written to and has room"
            }
            Self::Store(StoreError::Remote { .. }) => {
                "check that what keeps certificates can be reached and written to"
            }
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "the CA's directory",
            Self::Account => "the account at the CA",
            Self::RenewalInfo => "renewal information",
            Self::Order => "the order",
            Self::Authorization => "the CA's challenges",
            Self::Validation => "validation by the CA",
            Self::Finalization => "issuance",
        })
    }
}

fn listed(names: &[Unvalidated]) -> String {
    let listed: Vec<_> = names
        .iter()
        .map(|Unvalidated { name, problem }| match problem {
            Some(problem) => format!("the CA could not validate {name}: {problem}"),
            None => format!("the CA could not validate {name}"),
        })
        .collect();
    listed.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(step: Step, document: &str) -> AcmeError {
        let problem: instant_acme::Problem = serde_json::from_str(document).unwrap();
        AcmeError::Refused {
            step,
            problem: problem.into(),
            retry_after: None,
        }
    }

    #[test]
    fn certificates_refusals_are_told_with_advice() {
        let error = refused(
            Step::Order,
            r#"{"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "Some names", "subproblems": [
                {"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden",
                 "identifier": {"type": "dns", "value": "example.com"}}]}"#,
        );
        let told = "the order: Some names (rejectedIdentifier); example.com: forbidden (caa)";
        assert_eq!(error.to_string(), told);
        assert!(error.advice().unwrap().contains("public domains"));
        assert_eq!(error.problem().unwrap().subproblems[0].kind, "caa");
    }

    #[test]
    fn certificates_accounts_that_are_no_more_are_known_by_what_the_ca_says() {
        let table = [
            (Step::Order, "accountDoesNotExist", "unknown", true),
            (
                Step::Order,
                "unauthorized",
                "Account is not valid, has status \\\"deactivated\\\"",
                true,
            ),
            (Step::Account, "unauthorized", "the account is deactivated", true),
            (Step::Validation, "unauthorized", "account was revoked", false),
            (Step::Order, "unauthorized", "not allowed for this profile", false),
            (Step::Order, "rateLimited", "too many accounts deactivated", false),
        ];
        for (step, kind, detail, expected) in table {
            let document =
                format!(r#"{{"type": "urn:ietf:params:acme:error:{kind}", "detail": "{detail}"}}"#);
            assert_eq!(
                refused(step, &document).is_unknown_account(),
                expected,
                "{detail}"
            );
        }
    }

    #[test]
    fn certificates_usual_problems_have_advice() {
        let table = [
            (Step::Order, "rateLimited", "limit"),
            (Step::Validation, "unauthorized", "_acme-challenge"),
            (Step::Account, "unauthorized", "eab_kid"),
            (Step::Validation, "caa", "CAA"),
            (Step::Validation, "dns", "DNSSEC"),
            (Step::Order, "accountDoesNotExist", "new one"),
            (Step::Account, "externalAccountRequired", "eab_key"),
            (Step::Order, "invalidProfile", "acme.profile"),
            (Step::Account, "invalidContact", "acme.email"),
        ];
        for (step, kind, expected) in table {
            let document = format!(r#"{{"type": "urn:ietf:params:acme:error:{kind}"}}"#);
            let error = refused(step, &document);
            assert!(error.advice().unwrap().contains(expected), "{kind}");
        }
        let unknown = refused(
            Step::Order,
            r#"{"type": "https://ca.example/odd", "detail": "odd"}"#,
        );
        assert_eq!(unknown.to_string(), "the order: odd (https://ca.example/odd)");
        assert_eq!(unknown.advice(), None);
    }
}
