//! What the files say about bans.

use std::time::Duration;

use ipnet::IpNet;

use crate::config::ready::BanCause;

/// `[bans]`.
#[derive(Debug)]
pub(in crate::config) struct Bans {
    pub(in crate::config) enabled: Option<bool>,
    pub(in crate::config) count: Option<Vec<BanCause>>,
    pub(in crate::config) incidents: Option<usize>,
    pub(in crate::config) window: Option<Duration>,
    pub(in crate::config) duration: Option<Duration>,
    pub(in crate::config) most: Option<usize>,
    pub(in crate::config) never: Option<Vec<IpNet>>,
    pub(in crate::config) keep: Option<bool>,
}
