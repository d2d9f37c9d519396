//! What a CA allows us, counted over our own orders: a loop of crashes or of failures can never use it up, because
//! the history outlives the process. Pure.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::plan::CLOCK_WAS_WRONG;

/// Let's Encrypt's limits; those of the other CAs are no narrower.
const LIMITS: &[Limit] = &[
    Limit {
        budget: Budget::Orders,
        count: 300,
        within: Duration::hours(3),
    },
    Limit {
        budget: Budget::Zone,
        count: 50,
        within: Duration::days(7),
    },
    Limit {
        budget: Budget::Names,
        count: 5,
        within: Duration::days(7),
    },
    Limit {
        budget: Budget::Validations,
        count: 5,
        within: Duration::hours(1),
    },
];

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Budget {
    /// Orders of one account.
    Orders,
    /// Certificates of one registered domain.
    Zone,
    /// Certificates of exactly the same names.
    Names,
    /// Failed validations of one name.
    Validations,
}

struct Limit {
    budget: Budget,
    count: usize,
    within: Duration,
}

/// The orders of one account, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    orders: Vec<Placed>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Placed {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    names: Vec<String>,
    zone: String,
    outcome: Outcome,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Not known: under way, or we crashed. Counted as a certificate, for it may have become one.
    Open,
    /// A certificate.
    Issued,
    /// No certificate.
    Failed,
    /// No certificate, because a validation failed.
    Unvalidated,
}

impl History {
    /// Notes an order before it is made, and forgets what no limit reaches back to.
    pub(super) fn open(&mut self, names: &[String], zone: &str, now: OffsetDateTime) {
        let reach = LIMITS.iter().map(|limit| limit.within).max().unwrap_or_default();
        self.orders.retain(|order| order.at > now - reach);
        self.orders.push(Placed {
            at: now,
            names: sorted(names),
            zone: zone.to_owned(),
            outcome: Outcome::Open,
        });
    }

    /// Notes what became of the open orders for these names: there is one, and what crashes left of others.
    pub(super) fn close(&mut self, names: &[String], outcome: Outcome) {
        let names = sorted(names);
        let is_open = |order: &&mut Placed| order.names == names && order.outcome == Outcome::Open;
        let mut outcome = outcome;
        for order in self.orders.iter_mut().rev().filter(is_open) {
            order.outcome = std::mem::replace(&mut outcome, Outcome::Failed);
        }
    }

    /// After a clock that was wrong: orders that were noted far ahead of now were made, at a time that nobody knows. They
    /// count from now on, and no longer than others. Returns whether there were any.
    pub(super) fn set_back(&mut self, now: OffsetDateTime) -> bool {
        let ahead = self
            .orders
            .iter_mut()
            .filter(|order| order.at > now + CLOCK_WAS_WRONG);
        let moved = ahead.map(|order| order.at = now).count();
        self.orders.sort_by_key(|order| order.at);
        moved > 0
    }

    /// When an order for these names is within every budget again; `None` if it is now.
    pub(super) fn exhausted(
        &self,
        names: &[String],
        zone: &str,
        now: OffsetDateTime,
    ) -> Option<(OffsetDateTime, Budget)> {
        let names = sorted(names);
        LIMITS
            .iter()
            .filter_map(|limit| {
                let counts = |order: &&Placed| {
                    order.at > now - limit.within
                        && order.at <= now + CLOCK_WAS_WRONG
                        && limit.budget.counts(order, &names, zone)
                };
                let times: Vec<_> = self.orders.iter().filter(counts).map(|order| order.at).collect();
                let first_in_the_way = times.len().checked_sub(limit.count)?;
                Some((*times.get(first_in_the_way)? + limit.within, limit.budget))
            })
            .max_by_key(|(until, _)| *until)
    }
}

impl Budget {
    fn counts(self, order: &Placed, names: &[String], zone: &str) -> bool {
        let became_certificate = matches!(order.outcome, Outcome::Open | Outcome::Issued);
        match self {
            Self::Orders => true,
            Self::Zone => became_certificate && order.zone == zone,
            Self::Names => became_certificate && order.names == names,
            Self::Validations => {
                order.outcome == Outcome::Unvalidated && order.names.iter().any(|name| names.contains(name))
            }
        }
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Orders => "300 orders in 3 hours for the account",
            Self::Zone => "50 certificates in 7 days for the zone",
            Self::Names => "5 certificates in 7 days for exactly these names",
            Self::Validations => "5 failed validations in an hour for one of the names",
        })
    }
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-11-01 00:00 UTC);

    fn names(of: &str) -> Vec<String> {
        vec![of.to_owned(), format!("*.{of}")]
    }

    /// `count` orders a second apart, each with the outcome, for names of the pattern in the zone.
    fn history(count: usize, outcome: Outcome, name: impl Fn(usize) -> String, zone: &str) -> History {
        let mut history = History::default();
        for number in 0..count {
            let at = START + Duration::seconds(number as i64);
            history.open(&names(&name(number)), zone, at);
            if outcome != Outcome::Open {
                history.close(&names(&name(number)), outcome);
            }
        }
        history
    }

    #[test]
    fn certificates_budgets_end_where_their_window_does() {
        use Budget::*;
        use Outcome::*;
        let same = |_: usize| "example.com".to_owned();
        let other = |number: usize| format!("n{number}.example.com");
        type Exhausted = Option<(Budget, Duration)>;
        let table: [(&str, History, Exhausted); 9] = [
            ("none", History::default(), None),
            ("4 of the same", history(4, Issued, same, "example.com"), None),
            (
                "5 of the same",
                history(5, Issued, same, "example.com"),
                Some((Names, Duration::days(7))),
            ),
            (
                "5 crashed",
                history(5, Open, same, "example.com"),
                Some((Names, Duration::days(7))),
            ),
            (
                "5 that came to nothing",
                history(5, Failed, same, "example.com"),
                None,
            ),
            (
                "5 unvalidated",
                history(5, Unvalidated, same, "example.com"),
                Some((Validations, Duration::hours(1))),
            ),
            (
                "50 of the zone",
                history(50, Issued, other, "example.com"),
                Some((Zone, Duration::days(7))),
            ),
            (
                "50 of another zone",
                history(50, Issued, other, "example.org"),
                None,
            ),
            (
                "300 of the account",
                history(300, Failed, other, "example.org"),
                Some((Orders, Duration::hours(3))),
            ),
        ];
        for (what, history, expected) in table {
            let now = START + Duration::minutes(10);
            let found = history.exhausted(&names("example.com"), "example.com", now);
            assert_eq!(
                found,
                expected.map(|(budget, after)| (START + after, budget)),
                "{what}"
            );
            let later = START + Duration::days(8);
            assert_eq!(
                history.exhausted(&names("example.com"), "example.com", later),
                None,
                "{what}"
            );
        }
    }

    #[test]
    fn certificates_orders_of_a_clock_that_was_ahead_count_from_now_on() {
        let ahead = |_: usize| "example.com".to_owned();
        let mut history = history(5, Outcome::Issued, ahead, "example.com");
        let now = START - Duration::days(400);
        assert!(history.set_back(now));
        let names = names("example.com");
        let exhausted = history.exhausted(&names, "example.com", now + Duration::MINUTE);
        assert_eq!(exhausted, Some((now + Duration::days(7), Budget::Names)));
        assert_eq!(
            history.exhausted(&names, "example.com", now + Duration::days(8)),
            None
        );
        assert!(!history.set_back(now + Duration::MINUTE), "once");
    }

    #[test]
    fn certificates_history_forgets_what_no_limit_counts() {
        let mut history = history(40, Outcome::Issued, |_| "example.com".to_owned(), "example.com");
        history.open(&names("example.com"), "example.com", START + Duration::days(30));
        assert_eq!(history.orders.len(), 1);
    }
}
