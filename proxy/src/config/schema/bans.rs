//! `[bans]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::access::network;
use crate::config::decode::{Table, boolean, integer, list, one_of, some};
use crate::config::raw::Bans;
use crate::config::ready::BanCause;
use crate::config::values::units::duration;

const TIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(366 * 24 * 60 * 60);

const CAUSES: &[(&str, BanCause)] = &[
    ("waf", BanCause::Waf),
    ("malformed", BanCause::Malformed),
    ("flood", BanCause::Flood),
    ("attempts", BanCause::Attempts),
];

/// `[bans]`.
pub(super) fn bans(table: &mut Table<'_>) -> Bans {
    Bans {
        enabled: table.take("enabled", boolean),
        count: table.take("count", some("causes", one_of(CAUSES))),
        incidents: table.take("incidents", integer(1..=100)),
        window: table.take("window", duration(TIME)),
        duration: table.take("duration", duration(TIME)),
        most: table.take("most", integer(100..=1_000_000)),
        never: table.take("never", list("networks", network)),
        keep: table.take("keep", boolean),
    }
}
