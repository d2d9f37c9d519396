//! `TIME_*`: the request's time on the clock of the given UTC offset.

use std::ops::ControlFlow;

use crate::transaction::{Clock, Facts};

use super::Variable;
use super::view::{Visit, number, one};

pub(super) fn visit(facts: &Facts, variable: Variable, visit: &mut Visit<'_>) -> Option<ControlFlow<()>> {
    let origin = &facts.origin;
    let clock = || Clock::at(origin.unix_micros, origin.utc_offset_seconds);
    match variable {
        Variable::Time => {
            let Clock {
                hour, minute, second, ..
            } = clock();
            one(format!("{hour:02}:{minute:02}:{second:02}").as_bytes(), visit)
        }
        Variable::TimeEpoch => number(origin.unix_micros / 1_000_000, visit),
        Variable::TimeYear => number(clock().year, visit),
        // The manual says 0-11, every engine gives 1-12.
        Variable::TimeMon => number(clock().month, visit),
        Variable::TimeDay => number(clock().day, visit),
        Variable::TimeHour => number(clock().hour, visit),
        Variable::TimeMin => number(clock().minute, visit),
        Variable::TimeSec => number(clock().second, visit),
        Variable::TimeWday => number(clock().weekday, visit),
        _ => None,
    }
}
