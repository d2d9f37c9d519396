//! Certificates over years, by a clock that is set on.

use super::super::*;
use super::{CA, START, wanted};
use crate::acme::budget::Outcome;

/// A certificate's owner over many lives, with a CA that fails when `fails` says so. Returns how many orders were
/// made and the least time that was ever left.
fn live(life: Duration, span: Duration, ari: bool, fails: impl Fn(usize) -> bool) -> (usize, Duration) {
    let wanted = wanted();
    let (mut now, mut dice) = (START, 0.37_f64);
    let (mut held, mut plan): (Option<Held>, Option<Schedule>) = (None, None);
    let (mut setback, mut history) = (None::<Setback>, History::default());
    let (mut orders, mut least) = (0, life);
    while now < START + span {
        dice = (dice * 7.13 + 0.11).fract();
        if let Some(held) = &held {
            least = least.min(held.not_after - now);
            let asked = if ari {
                let start = held.not_before + life / 2;
                Asked::Suggested {
                    window: Window {
                        start,
                        end: start + life / 40,
                    },
                    explanation: None,
                    retry_after: Duration::hours(6),
                }
            } else {
                Asked::Unsupported
            };
            plan = Some(schedule(held, &asked, plan.as_ref(), now, dice));
        }
        let situation = Situation {
            wanted: &wanted,
            directory: CA,
            held: held.as_ref(),
            renew: plan.as_ref().map(|plan| plan.renew),
            setback: setback.as_ref(),
            history: &history,
            open: false,
        };
        match decide(&situation, now) {
            Decision::Keep { until } | Decision::Wait { until, .. } => {
                assert!(until > now, "no waiting for what is over");
                now = until.min(now + Duration::hours(6));
            }
            Decision::Order { .. } => {
                orders += 1;
                history.open(&wanted.names, &wanted.zone, now);
                if fails(orders) {
                    history.close(&wanted.names, Outcome::Unvalidated);
                    let count = setback.map_or(1, |setback: Setback| setback.count + 1);
                    setback = Some(Setback {
                        count,
                        at: now,
                        retry_after: None,
                        ours: false,
                    });
                } else {
                    history.close(&wanted.names, Outcome::Issued);
                    setback = None;
                    held = Some(Held {
                        not_before: now,
                        not_after: now + life,
                        serial: orders.to_string(),
                        ..super::held(life)
                    });
                }
            }
        }
    }
    (orders, least)
}

#[test]
fn certificates_of_six_days_live_a_year_without_a_gap() {
    let (six_days, year) = (Duration::hours(160), Duration::days(365));
    let lives = [
        // 8760 h / (106.7 h to 113.3 h).
        (
            "no ARI",
            live(six_days, year, false, |_| false),
            76..=83,
            six_days / 4,
        ),
        // In the middle of its life.
        (
            "ARI",
            live(six_days, year, true, |_| false),
            104..=110,
            six_days * 9 / 20,
        ),
        // Every renewal takes five attempts: 15 hours.
        (
            "four of five fail",
            live(six_days, year, false, |order| order % 5 != 0),
            335..=365,
            Duration::HOUR,
        ),
    ];
    for (what, (orders, least), expected, margin) in lives {
        assert!(expected.contains(&orders), "{what}: {orders} orders");
        assert!(least > margin, "{what}: {least} left");
    }
}

#[test]
fn certificates_of_every_life_are_renewed_in_time() {
    for (life, orders) in [
        (Duration::days(45), 12..=13),
        (Duration::days(64), 9..=9),
        (Duration::days(90), 6..=7),
    ] {
        let (made, least) = live(life, Duration::days(365), false, |_| false);
        assert!(orders.contains(&made), "{life}: {made} orders");
        assert!(least > life / 4, "{life}: {least} left");
    }
}

#[test]
fn certificates_that_never_come_cost_few_orders() {
    let (orders, _) = live(Duration::days(90), Duration::days(30), false, |_| true);
    // 1, 2, 4, 8, 16 hours, then every 32.
    assert!((22..=29).contains(&orders), "{orders}");
}
