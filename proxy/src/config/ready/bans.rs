//! Which clients are kept out for a time.

use std::time::Duration;

use super::AddressSet;

/// `[bans]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bans {
    /// Whether anybody is.
    pub enabled: bool,
    /// What an incident is.
    pub count: Vec<BanCause>,
    /// So many incidents,
    pub incidents: usize,
    /// in so much time,
    pub window: Duration,
    /// keep a client out for so long.
    pub duration: Duration,
    /// Bans at once.
    pub most: usize,
    /// Never banned.
    pub never: AddressSet,
    /// Whether bans are kept in the data folder, over restarts.
    pub keep: bool,
}

/// What may count against a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanCause {
    /// A request that the WAF has stopped.
    Waf,
    /// A request that is none, or that could be read in two ways (400, 501, 505).
    Malformed,
    /// An HTTP/2 connection that was ended for a flood of frames.
    Flood,
    /// A password when there were too many wrong ones already.
    Attempts,
}
