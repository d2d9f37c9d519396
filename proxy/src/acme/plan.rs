//! What is to be done for one certificate. Pure: the time and the dice are arguments.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::budget::{Budget, History};

/// The first wait after a failure; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::HOUR;

/// Likewise, where the CA had no part in it.
const FIRST_WAIT_FOR_US: Duration = Duration::MINUTE;

/// The sixth failure in a row waits this long, and so does every later one.
const LONGEST_WAIT: Duration = Duration::hours(32);

/// RFC 9773, section 4.3.2: what a CA may ask for with Retry-After.
const ASK_AT_EARLIEST: Duration = Duration::MINUTE;
pub(super) const ASK_AT_LATEST: Duration = Duration::DAY;

/// RFC 9773, section 4.3.3: after a failed question.
const ASK_AFTER_FAILURE: Duration = Duration::hours(6);

/// What CAs ask for at most; more is a mistake.
const LONGEST_REQUEST: Duration = Duration::days(7);

/// Clocks are set back. What was noted so far ahead of now was noted by a wrong clock.
pub(super) const CLOCK_WAS_WRONG: Duration = Duration::HOUR;

/// A certificate that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What it is called: the first of its names.
    pub name: String,
    /// DNS names, wildcards as `*.example.com`.
    pub names: Vec<String>,
    /// What the CA counts certificates by.
    pub zone: String,
}

/// A certificate that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// The leaf's DNS names, lower case.
    pub names: Vec<String>,
    /// Begin of its validity.
    pub not_before: OffsetDateTime,
    /// End of its validity.
    pub not_after: OffsetDateTime,
    /// Who signed it.
    pub issuer: String,
    /// Which certificate it is: its serial number.
    pub serial: String,
    /// Its identifier for ARI and `replaces` (RFC 9773, section 4.1); absent without an authority key identifier.
    pub identifier: Option<String>,
    /// The directory of the CA it was ordered from; unknown if someone else put it there.
    pub directory: Option<String>,
}

/// When a stored certificate is to be renewed. Stored, so that a restart throws no new dice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Schedule {
    /// The serial number of the certificate it is for.
    pub serial: String,
    /// The moment.
    #[serde(with = "time::serde::rfc3339")]
    pub renew: OffsetDateTime,
    /// What the CA suggests.
    pub window: Option<Window>,
    /// Why, if the CA says.
    pub explanation: Option<String>,
    /// When the CA is to be asked again.
    #[serde(with = "time::serde::rfc3339")]
    pub ask: OffsetDateTime,
}

/// The window that a CA suggests for renewal (RFC 9773).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    /// From.
    #[serde(with = "time::serde::rfc3339")]
    pub start: OffsetDateTime,
    /// To.
    #[serde(with = "time::serde::rfc3339")]
    pub end: OffsetDateTime,
}

/// What came of asking the CA for a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// A window.
    Suggested {
        /// It.
        window: Window,
        /// Why.
        explanation: Option<String>,
        /// When to ask again.
        retry_after: Duration,
    },
    /// The CA has no such thing.
    Unsupported,
    /// No answer.
    Failed,
}

/// Failures in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setback {
    /// How many.
    pub count: u32,
    /// The last.
    pub at: OffsetDateTime,
    /// The CA wants to hear nothing before.
    pub retry_after: Option<OffsetDateTime>,
    /// The last one cost the CA nothing: it was ours, or the zone's.
    pub ours: bool,
}

/// All that a decision rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation<'a> {
    /// What is wanted.
    pub wanted: &'a Wanted,
    /// From which CA.
    pub directory: &'a str,
    /// What is stored.
    pub held: Option<&'a Held>,
    /// When that is to be renewed.
    pub renew: Option<OffsetDateTime>,
    /// Failures since the last success.
    pub setback: Option<&'a Setback>,
    /// The account's orders.
    pub history: &'a History,
    /// An order is open at the CA: going on with it costs no budget.
    pub open: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// Nothing.
    Keep {
        /// When it is renewed.
        until: OffsetDateTime,
    },
    /// An order.
    Order {
        /// ARI identifier of the certificate that it replaces.
        replaces: Option<String>,
        /// Why.
        reason: Reason,
    },
    /// An order, but later.
    Wait {
        /// When.
        until: OffsetDateTime,
        /// Why one is needed.
        reason: Reason,
        /// Why not now.
        why: Obstacle,
    },
}

/// Why a certificate is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    /// There is none.
    Missing,
    /// The one there is has other names.
    Names,
    /// It is from another CA.
    Directory,
    /// It is over.
    Expired,
    /// Its time has come.
    Due,
}

/// Why an order has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// After that many failures.
    Failures(u32),
    /// The CA's Retry-After.
    Asked,
    /// It would be one too many.
    Budget(Budget),
}

/// What is to be done now.
pub(super) fn decide(situation: &Situation<'_>, now: OffsetDateTime) -> Decision {
    let reason = match reason(situation, now) {
        Ok(until) => return Decision::Keep { until },
        Err(reason) => reason,
    };
    match obstacle(situation, now) {
        Some((until, why)) => Decision::Wait { until, reason, why },
        None => Decision::Order {
            replaces: replaces(situation),
            reason,
        },
    }
}

/// When a certificate is to be renewed, given what the CA said just now. `dice` is uniform in [0, 1).
pub(super) fn schedule(
    held: &Held,
    asked: &Asked,
    before: Option<&Schedule>,
    now: OffsetDateTime,
    dice: f64,
) -> Schedule {
    let before = before.filter(|schedule| schedule.serial == held.serial);
    let (window, explanation, ask) = match asked {
        Asked::Suggested {
            window,
            explanation,
            retry_after,
        } => {
            let wait = (*retry_after).clamp(ASK_AT_EARLIEST, ASK_AT_LATEST);
            (Some(*window).filter(Window::is_one), explanation.clone(), wait)
        }
        Asked::Unsupported => (None, None, ASK_AT_LATEST),
        Asked::Failed => (
            before.and_then(|schedule| schedule.window),
            before.and_then(|schedule| schedule.explanation.clone()),
            ASK_AFTER_FAILURE,
        ),
    };
    let renew = match before {
        Some(before) if before.window == window => before.renew,
        _ => moment(held, window, dice),
    };
    Schedule {
        serial: held.serial.clone(),
        renew,
        window,
        explanation,
        ask: now + ask,
    }
}

/// A moment in the CA's window; without one, a little after two thirds of the life (of all the certificates made
/// in one hour not all are renewed in one hour). No CA's window lets a certificate become critical.
fn moment(held: &Held, window: Option<Window>, dice: f64) -> OffsetDateTime {
    let life = held.not_after - held.not_before;
    let moment = match window {
        Some(window) => window.start + (window.end - window.start) * dice,
        None => held.not_before + life * (2.0 / 3.0) + life * (dice / 24.0),
    };
    moment.min(held.critical())
}

/// Until when the stored certificate will do, or why it will not.
fn reason(situation: &Situation<'_>, now: OffsetDateTime) -> Result<OffsetDateTime, Reason> {
    let held = situation.held.ok_or(Reason::Missing)?;
    let renew = situation.renew.unwrap_or_else(|| held.critical());
    let elsewhere = |from: &String| from != situation.directory;
    if !held.covers(&situation.wanted.names) {
        Err(Reason::Names)
    } else if held.directory.as_ref().is_some_and(elsewhere) {
        Err(Reason::Directory)
    } else if now >= held.not_after {
        Err(Reason::Expired)
    } else if now >= renew {
        Err(Reason::Due)
    } else {
        Ok(renew)
    }
}

/// The obstacle that lasts longest.
fn obstacle(situation: &Situation<'_>, now: OffsetDateTime) -> Option<(OffsetDateTime, Obstacle)> {
    let Wanted { names, zone, .. } = situation.wanted;
    let setback = situation
        .setback
        .filter(|setback| setback.at <= now + CLOCK_WAS_WRONG);
    let failures = setback.map(|setback| {
        let until = setback.at + setback.wait(situation.held);
        (until, Obstacle::Failures(setback.count))
    });
    let asked = setback.and_then(|setback| {
        let until = setback.retry_after?.min(setback.at + LONGEST_REQUEST);
        Some((until, Obstacle::Asked))
    });
    let exhausted = if situation.open {
        None
    } else {
        situation.history.exhausted(names, zone, now)
    };
    let budget = exhausted.map(|(until, budget)| (until, Obstacle::Budget(budget)));
    [failures, asked, budget]
        .into_iter()
        .flatten()
        .filter(|(until, _)| *until > now)
        .max_by_key(|(until, _)| *until)
}

/// Only the CA that made a certificate knows its identifier, and old and new must share a name.
fn replaces(situation: &Situation<'_>) -> Option<String> {
    let held = situation.held?;
    let same_ca = held.directory.as_deref() == Some(situation.directory);
    let shares = situation
        .wanted
        .names
        .iter()
        .any(|name| held.names.contains(name));
    held.identifier.clone().filter(|_| same_ca && shares)
}

impl Held {
    /// Whether it may answer for all these names: itself, or by the wildcard of the parent.
    pub(super) fn covers(&self, names: &[String]) -> bool {
        names.iter().all(|name| {
            let by_wildcard = || {
                let (label, parent) = name.split_once('.')?;
                (label != "*").then(|| format!("*.{parent}"))
            };
            self.names.contains(name) || by_wildcard().is_some_and(|wildcard| self.names.contains(&wildcard))
        })
    }

    /// From when on it is critical that it is still not renewed: a sixth of its life is left.
    pub(super) fn critical(&self) -> OffsetDateTime {
        self.not_after - (self.not_after - self.not_before) / 6
    }
}

impl Setback {
    /// An hour, doubled by each further failure, as CAs count them; a minute where the CA had no part in it, since
    /// somebody may be mending that now. A certificate that is running out is not left to a wait longer
    /// than half of what remains: one of six days would else expire between its fifth attempt and its sixth.
    fn wait(&self, held: Option<&Held>) -> Duration {
        // Somebody asked for it to be forgotten.
        if self.count == 0 {
            return Duration::ZERO;
        }
        let (first, longest) = match self.ours {
            true => (FIRST_WAIT_FOR_US, FIRST_WAIT),
            false => (FIRST_WAIT, LONGEST_WAIT),
        };
        let doublings = self.count.saturating_sub(1).min(6);
        let wait = (first * 2_i32.pow(doublings)).min(longest);
        match held {
            Some(held) if held.not_after > self.at => {
                wait.min(FIRST_WAIT.max((held.not_after - self.at) / 2))
            }
            _ => wait,
        }
    }
}

impl Window {
    /// RFC 9773, section 4.2: a window that ends before it begins is none.
    fn is_one(&self) -> bool {
        self.start < self.end
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is none",
            Self::Names => "it is for other names",
            Self::Directory => "it is from another CA",
            Self::Expired => "it has expired",
            Self::Due => "it is due for renewal",
        })
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failures(1) => f.write_str("the last attempt failed"),
            Self::Failures(count) => write!(f, "the last {count} attempts failed"),
            Self::Asked => f.write_str("the CA asked to wait"),
            Self::Budget(budget) => write!(f, "the CA allows {budget}"),
        }
    }
}

#[cfg(test)]
mod tests;
