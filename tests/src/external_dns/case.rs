//! What a case is: wishes, what they become, and where the two sides may differ.

use std::fmt;
use std::net::IpAddr;

/// Wishes that both sides carry out.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Its name, in the fixture as well.
    pub name: &'static str,
    /// Whose the records are: `default` unless it says so.
    pub owner: &'static str,
    /// How marks are named; empty is none.
    pub prefix: &'static str,
    /// Likewise.
    pub suffix: &'static str,
    /// What stands for `*` in the names of marks.
    pub wildcard: &'static str,
    /// What may be changed: `sync` unless it says so.
    pub policy: &'static str,
    /// What is in the zone before anybody came: lines as of a [`super::Wrote`].
    pub before: Vec<String>,
    /// What should be there.
    pub first: Vec<Want>,
    /// What should be there afterwards.
    pub then: Vec<Want>,
    /// Where the two differ, and mean to.
    pub differences: Vec<Difference>,
}

/// A host that should be there.
#[derive(Debug, Clone)]
pub struct Want {
    /// Its name.
    pub host: &'static str,
    /// Addresses, or one name.
    pub targets: Vec<&'static str>,
    /// Seconds, if it says so.
    pub ttl: Option<u32>,
    /// Whether Cloudflare stands in front of it, if it says so.
    pub proxied: Option<bool>,
}

/// A difference that is meant.
#[derive(Debug, Clone)]
pub struct Difference {
    /// When it shows.
    pub stage: Stage,
    /// The records: `- ` and what should be there, `+ ` and what is there instead.
    pub lines: Vec<String>,
    /// Why.
    pub because: &'static str,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// What both wrote into a fresh zone: `-` theirs, `+` ours.
    Fresh,
    /// What we change in what they wrote: nothing.
    OursOnTheirs,
    /// What they change in what we wrote: nothing.
    TheirsOnOurs,
    /// What both made of their own zones when the wishes changed: `-` theirs, `+` ours.
    Changed,
    /// What we made of theirs when the wishes changed: `-` as they would, `+` as we did.
    TakenByUs,
    /// What they made of ours when the wishes changed: `-` as we would, `+` as they did.
    TakenByThem,
    /// What we change when we come back after that: nothing.
    BackAgain,
}

impl Case {
    /// A case of the usual settings.
    pub fn new(name: &'static str, first: Vec<Want>, then: Vec<Want>) -> Self {
        Self {
            name,
            owner: "default",
            policy: "sync",
            first,
            then,
            ..Self::default()
        }
    }

    /// Allows the same difference at these stages.
    #[must_use]
    pub fn differs(mut self, stages: &[Stage], lines: &[&str], because: &'static str) -> Self {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let differences = stages.iter().map(|stage| Difference {
            stage: *stage,
            lines: lines.clone(),
            because,
        });
        self.differences.extend(differences);
        self
    }

    /// With this in the zone already.
    #[must_use]
    pub fn with(mut self, before: &[&str]) -> Self {
        self.before = before.iter().map(|line| (*line).to_owned()).collect();
        self
    }
}

impl Want {
    /// With the default TTL and not proxied.
    pub fn new(host: &'static str, targets: &[&'static str]) -> Self {
        Self {
            host,
            targets: targets.to_vec(),
            ttl: None,
            proxied: None,
        }
    }

    /// With a TTL of its own.
    #[must_use]
    pub fn ttl(self, seconds: u32) -> Self {
        Self {
            ttl: Some(seconds),
            ..self
        }
    }

    /// With or without Cloudflare in front of it.
    #[must_use]
    pub fn proxied(self, proxied: bool) -> Self {
        Self {
            proxied: Some(proxied),
            ..self
        }
    }

    /// The name of the route that stands for it.
    pub(super) fn route(&self) -> String {
        format!("r{}", self.host.replace(['.', '*'], "-"))
    }

    /// The record sets that it comes to: type and targets.
    pub(super) fn sets(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let kind = |target: &&str| match target.parse() {
            Ok(IpAddr::V4(_)) => "A",
            Ok(IpAddr::V6(_)) => "AAAA",
            Err(_) => "CNAME",
        };
        let of = |wanted: &'static str| {
            let targets = self.targets.iter().filter(|target| kind(target) == wanted);
            (wanted, targets.copied().collect::<Vec<_>>())
        };
        let sets = ["A", "AAAA", "CNAME"].map(of);
        sets.into_iter()
            .filter(|(_, targets)| !targets.is_empty())
            .collect()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fresh => "fresh zones (- theirs, + ours)",
            Self::OursOnTheirs => "what we change in what they wrote",
            Self::TheirsOnOurs => "what they change in what we wrote",
            Self::Changed => "a change, each in its own zone (- theirs, + ours)",
            Self::TakenByUs => "a change by us in their zone (- as they would, + as we did)",
            Self::TakenByThem => "a change by them in our zone (- as we would, + as they did)",
            Self::BackAgain => "what we change when we come back",
        })
    }
}
