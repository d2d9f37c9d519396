//! A histogram that all workers count into at once: prometheus-client's has one lock, and each request would take it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Durations by size; clones count into the same.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Upper bounds in seconds, ascending, each with what was no longer and longer than the one before.
    buckets: Box<[(f64, AtomicU64)]>,
    /// What was longer than all.
    beyond: AtomicU64,
    /// Enough for five hundred years together.
    nanos: AtomicU64,
}

impl Histogram {
    /// With these upper bounds in seconds, ascending.
    pub fn new(bounds: &[f64]) -> Self {
        Self(Arc::new(Inner {
            buckets: bounds.iter().map(|bound| (*bound, AtomicU64::new(0))).collect(),
            beyond: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
        }))
    }

    /// Counts one.
    pub fn observe(&self, duration: Duration) {
        let (inner, seconds) = (&*self.0, duration.as_secs_f64());
        let bucket = inner.buckets.iter().find(|(bound, _)| seconds <= *bound);
        let count = bucket.map_or(&inner.beyond, |(_, count)| count);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        inner.nanos.fetch_add(nanos, Ordering::Relaxed);
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let inner = &*self.0;
        let known = inner.buckets.iter().map(|(bound, count)| (*bound, count));
        // Without a bound.
        let all = known.chain([(f64::INFINITY, &inner.beyond)]);
        let counts: Vec<(f64, u64)> = all
            .map(|(bound, count)| (bound, count.load(Ordering::Relaxed)))
            .collect();
        let count = counts.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(inner.nanos.load(Ordering::Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &counts, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::histogram::Histogram as Theirs;
    use prometheus_client::registry::Registry;

    use super::*;

    fn text(metric: impl prometheus_client::registry::Metric) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        registry.register("took", "Time", metric);
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn says_what_the_librarys_own_says() {
        const BOUNDS: [f64; 3] = [0.25, 0.5, 2.0];
        let (ours, theirs) = (Histogram::new(&BOUNDS), Theirs::new(BOUNDS));
        let both = || (text(ours.clone()), text(theirs.clone()));
        let (one, other) = both();
        assert_eq!(one, other);
        for millis in [0, 125, 250, 375, 500, 1000, 1500, 2000, 4000, 60_000] {
            let duration = Duration::from_millis(millis);
            ours.observe(duration);
            theirs.observe(duration.as_secs_f64());
        }
        let (one, other) = both();
        assert_eq!(one, other);
        assert!(one.contains("took_count 10"), "{one}");
    }

    #[test]
    fn threads_count_together() {
        let histogram = Histogram::new(&[1.0]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| histogram.observe(Duration::from_secs(1))));
            }
        });
        let [(_, count)] = &*histogram.0.buckets else {
            panic!()
        };
        assert_eq!(count.load(Ordering::Relaxed), 4000);
        assert_eq!(histogram.0.nanos.load(Ordering::Relaxed), 4_000_000_000_000);
    }
}
