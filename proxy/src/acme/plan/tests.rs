mod lives;

use time::macros::datetime;

use super::*;

const START: OffsetDateTime = datetime!(2026-11-01 00:00 UTC);
const CA: &str = "https://ca.example/directory";

fn wanted() -> Wanted {
    Wanted {
        name: "example.com".to_owned(),
        names: names(&["example.com", "*.example.com"]),
        zone: "example.com".to_owned(),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn held(life: Duration) -> Held {
    Held {
        names: wanted().names,
        not_before: START,
        not_after: START + life,
        issuer: "CN=Test".to_owned(),
        serial: "01".to_owned(),
        identifier: Some("aki.serial".to_owned()),
        directory: Some(CA.to_owned()),
    }
}

fn window(start: Duration, end: Duration) -> Window {
    Window {
        start: START + start,
        end: START + end,
    }
}

fn suggested(start: Duration, end: Duration) -> Asked {
    Asked::Suggested {
        window: window(start, end),
        explanation: None,
        retry_after: Duration::hours(6),
    }
}

/// What is decided about a certificate of 90 days that is renewed after 60, changed by `change`.
fn decided(
    now: Duration,
    change: impl FnOnce(&mut Option<Held>, &mut Option<Setback>, &mut History),
) -> Decision {
    let wanted = wanted();
    let (mut held, mut setback, mut history) = (Some(held(Duration::days(90))), None, History::default());
    change(&mut held, &mut setback, &mut history);
    let situation = Situation {
        wanted: &wanted,
        directory: CA,
        held: held.as_ref(),
        renew: held.as_ref().map(|_| START + Duration::days(60)),
        setback: setback.as_ref(),
        history: &history,
        open: false,
    };
    decide(&situation, START + now)
}

fn order(replaces: bool, reason: Reason) -> Decision {
    Decision::Order {
        replaces: replaces.then(|| "aki.serial".to_owned()),
        reason,
    }
}

#[test]
fn certificates_are_ordered_for_a_reason_only() {
    type Change = fn(&mut Option<Held>);
    let keep = Decision::Keep {
        until: START + Duration::days(60),
    };
    let table: [(&str, i64, Change, Decision); 11] = [
        ("fresh", 1, |_| {}, keep.clone()),
        ("due", 60, |_| {}, order(true, Reason::Due)),
        ("over", 90, |_| {}, order(true, Reason::Expired)),
        ("none", 1, |held| *held = None, order(false, Reason::Missing)),
        (
            "a name less",
            1,
            |held| held.as_mut().unwrap().names = names(&["example.com"]),
            order(true, Reason::Names),
        ),
        (
            "the wildcard is not for its own name",
            1,
            |held| held.as_mut().unwrap().names = names(&["*.example.com"]),
            order(true, Reason::Names),
        ),
        (
            "a name more",
            1,
            |held| held.as_mut().unwrap().names.push("www.example.org".to_owned()),
            keep.clone(),
        ),
        (
            "other names",
            1,
            |held| held.as_mut().unwrap().names = names(&["example.org"]),
            order(false, Reason::Names),
        ),
        (
            "another CA",
            1,
            |held| held.as_mut().unwrap().directory = Some("https://other.example/".to_owned()),
            order(false, Reason::Directory),
        ),
        (
            "put there by hand",
            1,
            |held| held.as_mut().unwrap().directory = None,
            keep,
        ),
        (
            "put there by hand, due",
            60,
            |held| held.as_mut().unwrap().directory = None,
            order(false, Reason::Due),
        ),
    ];
    for (what, day, change, expected) in table {
        assert_eq!(
            decided(Duration::days(day), |held, _, _| change(held)),
            expected,
            "{what}"
        );
    }
}

#[test]
fn certificates_wait_twice_as_long_after_each_failure() {
    let table = [
        (1, 1),
        (2, 2),
        (3, 4),
        (4, 8),
        (5, 16),
        (6, 32),
        (7, 32),
        (4_000_000_000, 32),
    ];
    for (count, hours) in table {
        let failed = |retry_after| {
            move |held: &mut Option<Held>, setback: &mut Option<Setback>, _: &mut History| {
                *held = None;
                *setback = Some(Setback {
                    count,
                    at: START,
                    retry_after,
                    ours: false,
                });
            }
        };
        let until = START + Duration::hours(hours);
        let wait = |until, why| Decision::Wait {
            until,
            reason: Reason::Missing,
            why,
        };
        assert_eq!(
            decided(Duration::MINUTE, failed(None)),
            wait(until, Obstacle::Failures(count))
        );
        let over = decided(Duration::hours(hours), failed(None));
        assert_eq!(over, order(false, Reason::Missing));
        let asked = START + Duration::hours(50);
        let longer = decided(Duration::MINUTE, failed(Some(asked)));
        assert_eq!(longer, wait(asked, Obstacle::Asked));
    }
}

#[test]
fn certificates_do_not_wait_for_what_a_wrong_clock_noted() {
    let failed = |at, retry_after| {
        decided(Duration::DAY, move |held, setback, history| {
            *held = None;
            for _ in 0..5 {
                history.open(&wanted().names, "example.com", START + at);
            }
            *setback = Some(Setback {
                count: 9,
                at: START + at,
                retry_after,
                ours: false,
            });
        })
    };
    assert_eq!(failed(Duration::days(400), None), order(false, Reason::Missing));
    let far = failed(Duration::DAY, Some(START + Duration::days(4000)));
    assert!(
        matches!(far, Decision::Wait { until, .. } if until == START + Duration::days(8)),
        "{far:?}"
    );
}

#[test]
fn certificates_are_tried_soon_again_where_the_ca_had_no_part() {
    for (count, minutes) in [(1, 1), (2, 2), (5, 16), (7, 60), (4_000_000_000, 60)] {
        let setback = Setback {
            count,
            at: START,
            retry_after: None,
            ours: true,
        };
        assert_eq!(setback.wait(None), Duration::minutes(minutes), "{count}");
    }
}

#[test]
fn certificates_that_run_out_are_tried_more_often() {
    let wait = |left: i64, count| {
        let mut held = held(Duration::days(6));
        held.not_after = START + Duration::hours(left);
        let setback = Setback {
            count,
            at: START,
            retry_after: None,
            ours: false,
        };
        setback.wait(Some(&held)).whole_minutes()
    };
    let table = [
        (40, 6, 20 * 60),
        (10, 6, 5 * 60),
        (1, 6, 60),
        (0, 6, 32 * 60),
        (400, 6, 32 * 60),
        (40, 1, 60),
    ];
    for (left, count, minutes) in table {
        assert_eq!(wait(left, count), minutes, "{left} hours left, {count} failures");
    }
}

#[test]
fn certificates_budgets_hold_orders_back_but_not_one_that_is_open() {
    let spend = |history: &mut History| {
        for _ in 0..5 {
            history.open(&wanted().names, "example.com", START);
        }
    };
    let wait = decided(Duration::DAY, |held, _, history| {
        *held = None;
        spend(history);
    });
    let expected = Decision::Wait {
        until: START + Duration::days(7),
        reason: Reason::Missing,
        why: Obstacle::Budget(Budget::Names),
    };
    assert_eq!(wait, expected);

    let (wanted, mut history) = (wanted(), History::default());
    spend(&mut history);
    let open = Situation {
        wanted: &wanted,
        directory: CA,
        held: None,
        renew: None,
        setback: None,
        history: &history,
        open: true,
    };
    assert_eq!(
        decide(&open, START + Duration::DAY),
        order(false, Reason::Missing)
    );
}

#[test]
fn certificates_are_renewed_in_the_window_or_after_two_thirds() {
    let days = Duration::days;
    let hours = Duration::hours;
    let table: [(&str, Duration, Asked, f64, Duration); 12] = [
        ("90 days, no ARI", days(90), Asked::Unsupported, 0.0, days(60)),
        (
            "90 days, no ARI, late",
            days(90),
            Asked::Unsupported,
            1.0,
            hours(60 * 24 + 90),
        ),
        ("90 days, no answer", days(90), Asked::Failed, 0.0, days(60)),
        ("45 days, no ARI", days(45), Asked::Unsupported, 0.0, days(30)),
        (
            "160 hours, no ARI",
            hours(160),
            Asked::Unsupported,
            0.0,
            Duration::minutes(6400),
        ),
        (
            "window, early",
            days(90),
            suggested(days(50), days(52)),
            0.0,
            days(50),
        ),
        (
            "window, middle",
            days(90),
            suggested(days(50), days(52)),
            0.5,
            days(51),
        ),
        (
            "160 hours, window",
            hours(160),
            suggested(hours(80), hours(84)),
            0.5,
            hours(82),
        ),
        (
            "revoked: window in the past",
            days(90),
            suggested(days(-3), days(-2)),
            0.5,
            hours(-60),
        ),
        (
            "window after the end",
            days(90),
            suggested(days(95), days(96)),
            0.5,
            days(75),
        ),
        (
            "window that is none",
            days(90),
            suggested(days(10), days(10)),
            0.0,
            days(60),
        ),
        (
            "window turned around",
            days(90),
            suggested(days(10), days(1)),
            0.0,
            days(60),
        ),
    ];
    for (what, life, asked, dice, expected) in table {
        let schedule = schedule(&held(life), &asked, None, START, dice);
        let found = (schedule.renew - START).whole_minutes();
        assert!(
            (found - expected.whole_minutes()).abs() <= 1,
            "{what}: {found} min"
        );
    }
}

#[test]
fn certificates_dice_are_thrown_once_for_a_window() {
    let held = held(Duration::days(90));
    let same = suggested(Duration::days(50), Duration::days(52));
    let first = schedule(&held, &same, None, START, 0.1);
    let later = START + Duration::hours(6);
    assert_eq!(
        schedule(&held, &same, Some(&first), later, 0.9).renew,
        first.renew
    );
    assert_eq!(
        schedule(&held, &Asked::Failed, Some(&first), later, 0.9).renew,
        first.renew
    );
    let moved = suggested(Duration::days(-2), Duration::days(-1));
    assert!(schedule(&held, &moved, Some(&first), later, 0.9).renew < START);
    let next = Held {
        serial: "02".to_owned(),
        ..held
    };
    assert_ne!(
        schedule(&next, &same, Some(&first), later, 0.9).renew,
        first.renew
    );
}

#[test]
fn certificates_retry_after_is_respected_within_reason() {
    let table = [
        (Duration::ZERO, Duration::MINUTE),
        (Duration::hours(6), Duration::hours(6)),
        (Duration::days(400), Duration::DAY),
    ];
    for (retry_after, expected) in table {
        let asked = Asked::Suggested {
            window: window(Duration::days(50), Duration::days(51)),
            explanation: None,
            retry_after,
        };
        let schedule = schedule(&held(Duration::days(90)), &asked, None, START, 0.0);
        assert_eq!(schedule.ask, START + expected);
    }
}
