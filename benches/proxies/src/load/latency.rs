//! Latencies, all of them: some hundred thousand fit in memory, and no histogram rounds them.

use std::time::Duration;

/// What requests took.
#[derive(Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// One more.
    pub fn push(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Others too.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// So many of a hundred took no longer.
    #[must_use]
    pub fn percentile(&mut self, percent: usize) -> Duration {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * percent / 100).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted() {
        let mut latencies = Latencies::default();
        (1..=101)
            .rev()
            .for_each(|micros| latencies.push(Duration::from_micros(micros)));
        assert_eq!(latencies.percentile(50), Duration::from_micros(51));
        assert_eq!(latencies.percentile(99), Duration::from_micros(100));
        assert_eq!(Latencies::default().percentile(99), Duration::ZERO);
    }
}
