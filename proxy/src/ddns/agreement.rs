//! What is published, given what each method says. Pure.
//!
//! One source alone has been wrong before: a page behind a proxy, a resolver of the provider's, a router that is
//! starting. So different methods have to say the same before anything changes; in doubt, what was last known stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::config::Detection;
use crate::ddns::address::Rejection;

/// What one method said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Shown")]
pub enum Answer {
    /// This address, and it may be published.
    Address(IpAddr),
    /// This one, which may not.
    Rejected(IpAddr, Rejection),
    /// None, because of this.
    Failed(String),
}

/// What to do with the records of one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Shown")]
pub enum Verdict {
    /// They are to hold this address.
    Publish(IpAddr),
    /// There is doubt: they go on to hold the last address that was agreed on.
    Keep(IpAddr, Doubt),
    /// Nothing was ever agreed on: they stay as they are, whatever they hold.
    Unknown(Doubt),
}

/// Why there is no agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// No method answered.
    Silence,
    /// All that answered told addresses that cannot be published.
    Rejected,
    /// Fewer than are needed say the same, and nobody contradicts them.
    TooFew {
        /// The address.
        address: IpAddr,
        /// How many say it.
        said: usize,
        /// How many have to.
        needed: usize,
    },
    /// Methods contradict one another.
    Contradiction(BTreeSet<IpAddr>),
}

/// The verdict for one family; `None` where no method is configured: there is nothing to publish, and nothing to take
/// back either. `required` methods have to agree, or all of them where fewer are configured.
pub fn verdict(
    answers: &[(Detection, Answer)],
    last_known_good: Option<IpAddr>,
    required: usize,
) -> Option<Verdict> {
    if answers.is_empty() {
        return None;
    }
    Some(match (agreed(answers, required), last_known_good) {
        (Ok(address), _) => Verdict::Publish(address),
        (Err(doubt), Some(address)) => Verdict::Keep(address, doubt),
        (Err(doubt), None) => Verdict::Unknown(doubt),
    })
}

fn agreed(answers: &[(Detection, Answer)], required: usize) -> Result<IpAddr, Doubt> {
    // Whoever writes an address down has decided: that is no guess to be confirmed.
    let fixed: BTreeSet<IpAddr> = answers.iter().filter_map(|(method, _)| fixed(method)).collect();
    match fixed.first() {
        Some(address) if fixed.len() == 1 => Ok(*address),
        Some(_) => Err(Doubt::Contradiction(fixed)),
        None => counted(answers, required),
    }
}

fn fixed(method: &Detection) -> Option<IpAddr> {
    match method {
        Detection::Fixed(address) => Some(*address),
        _ => None,
    }
}

fn counted(answers: &[(Detection, Answer)], required: usize) -> Result<IpAddr, Doubt> {
    // A method that is configured twice has one vote all the same.
    let methods: BTreeMap<String, &Answer> = answers.iter().map(|(by, said)| (name(by), said)).collect();
    let needed = required.clamp(1, methods.len());
    let mut votes: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for answer in methods.values() {
        if let Answer::Address(address) = answer {
            *votes.entry(*address).or_default() += 1;
        }
    }
    let enough: Vec<IpAddr> = votes
        .iter()
        .filter(|(_, said)| **said >= needed)
        .map(|(address, _)| *address)
        .collect();
    match enough.as_slice() {
        [address] => Ok(*address),
        _ => Err(doubt(&votes, needed, &methods)),
    }
}

fn doubt(votes: &BTreeMap<IpAddr, usize>, needed: usize, methods: &BTreeMap<String, &Answer>) -> Doubt {
    let rejected = |answer: &&&Answer| matches!(answer, Answer::Rejected(..));
    match (votes.first_key_value(), votes.len()) {
        (Some((address, said)), 1) => Doubt::TooFew {
            address: *address,
            said: *said,
            needed,
        },
        (Some(_), _) => Doubt::Contradiction(votes.keys().copied().collect()),
        (None, _) if methods.values().any(|answer| rejected(&answer)) => Doubt::Rejected,
        (None, _) => Doubt::Silence,
    }
}

/// A method as it is written in the configuration.
pub fn name(method: &Detection) -> String {
    match method {
        Detection::Https => "https".to_owned(),
        Detection::Dns => "dns".to_owned(),
        Detection::Router => "router".to_owned(),
        Detection::Interface(None) => "interface".to_owned(),
        Detection::Interface(Some(name)) => format!("interface:{name}"),
        Detection::Fixed(address) => address.to_string(),
    }
}

impl Verdict {
    /// The address that records are to hold; none is known otherwise, and they are to be left alone.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Publish(address) | Self::Keep(address, _) => Some(*address),
            Self::Unknown(_) => None,
        }
    }
}

/// Answers and verdicts in JSON.
#[derive(Serialize)]
struct Shown {
    is: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

impl From<Answer> for Shown {
    fn from(answer: Answer) -> Self {
        let (is, address, because) = match answer {
            Answer::Address(address) => ("address", Some(address), None),
            Answer::Rejected(address, rejection) => ("rejected", Some(address), Some(rejection.to_string())),
            Answer::Failed(reason) => ("failed", None, Some(reason)),
        };
        Self { is, address, because }
    }
}

impl From<Verdict> for Shown {
    fn from(verdict: Verdict) -> Self {
        let (is, because) = match &verdict {
            Verdict::Publish(_) => ("publish", None),
            Verdict::Keep(_, doubt) => ("keep", Some(doubt.to_string())),
            Verdict::Unknown(doubt) => ("unknown", Some(doubt.to_string())),
        };
        Self {
            is,
            address: verdict.address(),
            because,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Rejected(address, rejection) => write!(f, "{address}, rejected: {rejection}"),
            Self::Failed(reason) => write!(f, "no answer: {reason}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish(address) => write!(f, "publish {address}"),
            Self::Keep(address, doubt) => write!(f, "keep {address}: {doubt}"),
            Self::Unknown(doubt) => write!(f, "unknown, records are left as they are: {doubt}"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence => f.write_str("no method answered"),
            Self::Rejected => f.write_str("no method told an address that could be published"),
            Self::TooFew {
                address,
                said,
                needed,
            } => {
                write!(f, "{said} of {needed} methods that have to agree said {address}")
            }
            Self::Contradiction(addresses) => {
                let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                write!(f, "methods contradict one another: {}", addresses.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Detection = Detection::Https;
    const DNS: Detection = Detection::Dns;
    const ROUTER: Detection = Detection::Router;

    fn ip(last: u8) -> IpAddr {
        [8, 8, 8, last].into()
    }

    /// `1`: that address; `-`: failed; `x`: rejected. For https, dns and router, in this order.
    fn say(said: &str) -> Vec<(Detection, Answer)> {
        let answers = said.chars().map(|c| match c {
            '-' => Answer::Failed("timeout".to_owned()),
            'x' => Answer::Rejected([192, 168, 1, 1].into(), Rejection::Private),
            digit => Answer::Address(ip(digit.to_digit(10).unwrap() as u8)),
        });
        [HTTPS, DNS, ROUTER].into_iter().zip(answers).collect()
    }

    fn too_few(last: u8, said: usize, needed: usize) -> Doubt {
        let address = ip(last);
        Doubt::TooFew {
            address,
            said,
            needed,
        }
    }

    fn contradiction(all: &[u8]) -> Doubt {
        Doubt::Contradiction(all.iter().map(|last| ip(*last)).collect())
    }

    /// What is said, the last address, how many have to agree; what is found.
    type Case = (&'static str, Option<u8>, usize, Result<u8, Doubt>);

    #[test]
    fn ddns_the_verdict_for_what_three_methods_say() {
        let table: &[Case] = &[
            // All, two of three, whoever the third is.
            ("111", None, 2, Ok(1)),
            ("11-", None, 2, Ok(1)),
            ("1-1", None, 2, Ok(1)),
            ("x11", None, 2, Ok(1)),
            ("112", None, 2, Ok(1)),
            ("211", Some(2), 2, Ok(1)),
            // Not enough.
            ("1--", None, 2, Err(too_few(1, 1, 2))),
            ("1-x", Some(1), 2, Err(too_few(1, 1, 2))),
            ("2--", Some(1), 2, Err(too_few(2, 1, 2))),
            ("12-", Some(1), 2, Err(contradiction(&[1, 2]))),
            ("123", Some(1), 2, Err(contradiction(&[1, 2, 3]))),
            ("---", Some(1), 2, Err(Doubt::Silence)),
            ("---", None, 2, Err(Doubt::Silence)),
            ("x--", Some(1), 2, Err(Doubt::Rejected)),
            ("xxx", None, 2, Err(Doubt::Rejected)),
            // More, or fewer, are required.
            ("111", None, 3, Ok(1)),
            ("112", None, 3, Err(contradiction(&[1, 2]))),
            ("11-", None, 3, Err(too_few(1, 2, 3))),
            ("1--", None, 1, Ok(1)),
            ("12-", None, 1, Err(contradiction(&[1, 2]))),
            ("112", Some(1), 1, Err(contradiction(&[1, 2]))),
            // Fewer are configured than are required.
            ("1", None, 2, Ok(1)),
            ("-", Some(1), 2, Err(Doubt::Silence)),
            ("11", None, 3, Ok(1)),
            ("1-", None, 3, Err(too_few(1, 1, 2))),
            // A slip in the number changes nothing.
            ("1--", None, 0, Ok(1)),
        ];
        for (said, known, required, expected) in table {
            let known = known.map(ip);
            let expected = match (expected.clone(), known) {
                (Ok(last), _) => Verdict::Publish(ip(last)),
                (Err(doubt), Some(known)) => Verdict::Keep(known, doubt),
                (Err(doubt), None) => Verdict::Unknown(doubt),
            };
            let found = verdict(&say(said), known, *required);
            assert_eq!(found, Some(expected), "{said} {known:?} {required}");
        }
    }

    #[test]
    fn ddns_a_family_without_methods_has_nothing_to_publish() {
        assert_eq!(verdict(&[], None, 2), None);
        assert_eq!(verdict(&[], Some(ip(1)), 2), None);
    }

    #[test]
    fn ddns_a_flapping_provider_changes_nothing() {
        let mut known = None;
        let rounds = [
            ("111", 1),
            ("211", 1),
            ("112", 1),
            ("2-1", 1),
            ("3--", 1),
            ("12-", 1),
            ("---", 1),
            ("xx2", 1),
            // A real change: seen by one first, then by another.
            ("112", 1),
            ("1-2", 1),
            ("122", 2),
            ("222", 2),
            ("1x-", 2),
        ];
        for (said, expected) in rounds {
            known = verdict(&say(said), known, 2).and_then(|verdict| verdict.address());
            assert_eq!(known, Some(ip(expected)), "{said}");
        }
    }

    #[test]
    fn ddns_what_is_written_down_needs_nobodys_agreement() {
        let fixed = |last| (Detection::Fixed(ip(last)), Answer::Address(ip(last)));
        assert_eq!(verdict(&[fixed(1)], None, 2), Some(Verdict::Publish(ip(1))));
        let mut others = say("222");
        others.push(fixed(1));
        assert_eq!(verdict(&others, Some(ip(2)), 2), Some(Verdict::Publish(ip(1))));
        let two = verdict(&[fixed(1), fixed(2)], Some(ip(1)), 2);
        assert_eq!(two, Some(Verdict::Keep(ip(1), contradiction(&[1, 2]))));
    }

    #[test]
    fn ddns_a_method_that_is_named_twice_has_one_vote() {
        let same = |last| (Detection::Dns, Answer::Address(ip(last)));
        let twice = [same(1), same(1), (HTTPS, Answer::Failed("timeout".to_owned()))];
        assert_eq!(verdict(&twice, None, 2), Some(Verdict::Unknown(too_few(1, 1, 2))));
    }
}
