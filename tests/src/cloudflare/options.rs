//! How the fake is to be.

use std::time::Duration;

use super::limit::Quota;

/// What differs from test to test; [`Default`] is a new free account without zones.
#[derive(Debug, Clone)]
pub struct FakeOptions {
    /// The zones that are there from the start.
    pub zones: Vec<String>,
    /// Requests for each token.
    pub quota: Quota,
    /// Records for each zone: 200 for free zones made since September 2024.
    pub record_quota: usize,
    /// Operations in a batch: 200 on the free plan.
    pub batch_limit: usize,
    /// One for each name server: how long after a change it shows it.
    pub name_servers: Vec<Duration>,
    /// Puts TXT content that came without quotation marks between some, as the real API says it may.
    pub quotes_txt: bool,
}

impl FakeOptions {
    /// With these zones.
    pub fn zones(names: &[&str]) -> Self {
        FakeOptions {
            zones: names.iter().map(|name| name.to_string()).collect(),
            ..Self::default()
        }
    }
}

impl Default for FakeOptions {
    fn default() -> Self {
        FakeOptions {
            zones: Vec::new(),
            quota: Quota {
                requests: 1200,
                window: Duration::from_secs(300),
            },
            record_quota: 200,
            batch_limit: 200,
            name_servers: vec![Duration::ZERO],
            quotes_txt: false,
        }
    }
}
