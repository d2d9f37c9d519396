//! Which clients are kept out for a time.

use std::time::Duration;

use super::AddressSet;

/// `[bans]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bans {
    /// Whether anybody is.
    pub enabled: bool,
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
