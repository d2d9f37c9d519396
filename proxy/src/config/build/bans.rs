//! Bans: defaults.

use std::time::Duration;

use ipnet::IpNet;

use crate::config::raw;
use crate::config::ready::{AddressSet, BanCause, Bans};

/// This machine and networks at home: behind a proxy that tells nothing of its clients all of them look like it, and a
/// ban would keep out everybody.
const AT_HOME: [&str; 7] = [
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// `[bans]`.
pub(super) fn bans(raw: raw::Bans) -> Bans {
    let at_home = || {
        AT_HOME
            .iter()
            .filter_map(|network| network.parse::<IpNet>().ok())
            .collect()
    };
    Bans {
        enabled: raw.enabled.unwrap_or(false),
        count: raw.count.unwrap_or_else(|| vec![BanCause::Waf]),
        incidents: raw.incidents.unwrap_or(5),
        window: raw.window.unwrap_or(Duration::from_secs(10 * 60)),
        duration: raw.duration.unwrap_or(Duration::from_secs(60 * 60)),
        most: raw.most.unwrap_or(10_000),
        never: AddressSet::new(raw.never.unwrap_or_else(at_home)),
        keep: raw.keep.unwrap_or(true),
    }
}
