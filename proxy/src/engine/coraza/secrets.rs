//! Which values are secrets is decided in one place, the audit record of our own engine. It is asked here by way
//! of an empty rule set: what it masks in a request of our making is a secret.

use palisade_waf::rule::Rule;
use palisade_waf::variables::Variable;
use palisade_waf::{MatchedVariable, RequestOrigin, RuleSet, Transaction};

/// What stands for a secret.
pub(super) const MASK: &str = "[masked]";

/// Longer names of arguments are not looked at by the audit record.
const LONGEST_NAME: usize = 128;

/// Asks the audit record.
pub(super) struct Secrets<'s> {
    scribe: &'s RuleSet,
}

impl<'s> Secrets<'s> {
    pub(super) fn new(scribe: &'s RuleSet) -> Self {
        Self { scribe }
    }

    /// The text with the values of secret arguments masked.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut transaction = self.transaction();
        transaction.request_line(b"", text.as_bytes(), b"");
        transaction.audit_record().request_line
    }

    /// Whether what matched is a secret.
    pub(super) fn is_secret(&self, matched: &MatchedVariable) -> bool {
        let key = matched.key.as_deref().map(String::from_utf8_lossy);
        let key = key.unwrap_or_default();
        match matched.variable {
            Variable::Args | Variable::ArgsGet | Variable::ArgsPost | Variable::ResponseArgs => {
                self.is_secret_argument(&key)
            }
            Variable::RequestHeaders | Variable::ResponseHeaders => self.is_secret_header(&key),
            other => may_hold_any(other),
        }
    }

    /// Whether a rule may have seen a secret, where it is not told what matched.
    pub(super) fn may_have_seen_one(rule: &Rule) -> bool {
        let questions = rule.links.iter().filter_map(|link| link.question.as_ref());
        let mut targets = questions.flat_map(|question| &question.targets);
        targets.any(|target| {
            may_hold_any(target.variable)
                || matches!(
                    target.variable,
                    Variable::Args
                        | Variable::ArgsGet
                        | Variable::ArgsPost
                        | Variable::ResponseArgs
                        | Variable::RequestHeaders
                        | Variable::ResponseHeaders
                )
        })
    }

    fn is_secret_argument(&self, name: &str) -> bool {
        let name = name.replace(['"', '\\'], "'");
        name.len() > LONGEST_NAME || self.masked(&format!("\"{name}\": \"v\"")).contains(MASK)
    }

    fn is_secret_header(&self, name: &str) -> bool {
        let mut transaction = self.transaction();
        transaction.add_request_header(name.as_bytes(), b"v");
        let record = transaction.audit_record();
        record.request_headers.iter().any(|header| header.value == MASK)
    }

    fn transaction(&self) -> Transaction {
        self.scribe.transaction(RequestOrigin {
            id: String::new(),
            unix_micros: 0,
            utc_offset_seconds: 0,
        })
    }
}

/// Cookies, and what carries what another variable held.
fn may_hold_any(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::RequestCookies
            | Variable::FullRequest
            | Variable::Tx
            | Variable::MatchedVar
            | Variable::MatchedVars
    )
}

#[cfg(test)]
mod tests {
    use palisade_waf::MemorySource;

    use super::*;

    fn is_secret(variable: Variable, key: &str) -> bool {
        let scribe = RuleSet::builder().build(&MemorySource::new()).unwrap();
        Secrets::new(&scribe).is_secret(&MatchedVariable {
            link: 0,
            variable,
            key: Some(key.as_bytes().to_vec()),
            value: Vec::new(),
        })
    }

    #[test]
    fn what_the_audit_record_masks_is_a_secret() {
        assert!(is_secret(Variable::Args, "user[password]"));
        assert!(is_secret(Variable::ArgsPost, "json.card.pin"));
        assert!(is_secret(Variable::RequestHeaders, "Authorization"));
        assert!(is_secret(Variable::RequestCookies, "lang"));
        assert!(is_secret(Variable::MatchedVars, "ARGS:q"));
        assert!(!is_secret(Variable::Args, "q"));
        assert!(!is_secret(Variable::RequestHeaders, "User-Agent"));
    }

    #[test]
    fn texts_lose_their_secrets_and_nothing_else() {
        let scribe = RuleSet::builder().build(&MemorySource::new()).unwrap();
        let secrets = Secrets::new(&scribe);
        assert_eq!(secrets.masked("a=1&token=x&b=2"), "a=1&token=[masked]&b=2");
        assert_eq!(secrets.masked(" two  spaces "), " two  spaces ");
        assert_eq!(secrets.masked(""), "");
    }
}
