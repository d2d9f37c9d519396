//! `palisade doctor`: whether what certificates and records need is there, looked at before anything is ordered or
//! written. Nothing is changed by looking.

mod address;
mod authority;
mod budget;
mod host;
mod zone;

use std::fmt;

use crate::config::Config;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub about: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, if anything.
    pub mend: Option<String>,
}

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, or may; not as it should.
    Doubtful,
    /// It will not work.
    Bad,
}

/// Looks at everything that the configuration needs. Each zone, the CA, the address and the host are
/// looked at beside each other.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let zones = config.zones.iter().map(|zone| zone::examine(zone, &config.acme));
    let zones = futures_util::future::join_all(zones);
    let (mut findings, authority, budget, zones, address) = tokio::join!(
        host::examine(config),
        authority::examine(config),
        budget::examine(config),
        zones,
        address::examine(config),
    );
    findings.extend(authority);
    findings.extend(budget);
    findings.extend(address);
    findings.extend(zones.into_iter().flatten());
    findings
}

impl Finding {
    fn good(about: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            verdict: Verdict::Good,
            seen: seen.into(),
            mend: None,
        }
    }

    fn doubtful(about: impl Into<String>, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Doubtful,
            mend: Some(mend.into()),
            ..Self::good(about, seen)
        }
    }

    fn bad(about: impl Into<String>, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Bad,
            ..Self::doubtful(about, seen, mend)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Doubtful => "warn",
            Verdict::Bad => "FAIL",
        };
        write!(f, "{mark}  {}: {}", self.about, self.seen)?;
        match &self.mend {
            Some(mend) => write!(f, "\n      -> {mend}"),
            None => Ok(()),
        }
    }
}
