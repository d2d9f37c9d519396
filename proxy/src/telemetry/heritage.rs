//! Counts over upgrades. Whoever scrapes sees one edge: its counters and histograms go on where those of the edge before
//! stood, and at each moment one process alone tells them.
//!
//! ```text
//! predecessor                         successor
//!   tells                               waits
//!   hand_over: tells no more      ->    inherit: tells what it was given and what it counts itself
//!   counts what it still serves   ->    add
//! ```
//!
//! What is inherited is added to the text when it is asked for: where requests are counted nothing changes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Counts, Metrics};

/// What edges before this one counted, and who tells it.
#[derive(Debug)]
pub(super) struct Heritage {
    counts: Mutex<Counts>,
    teller: watch::Sender<Teller>,
}

/// Who tells what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Teller {
    /// The edge before this one.
    Predecessor,
    /// This one.
    This,
    /// The one after this one.
    Successor,
}

impl Default for Heritage {
    fn default() -> Self {
        Self {
            counts: Mutex::default(),
            teller: watch::Sender::new(Teller::This),
        }
    }
}

impl Heritage {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Metrics {
    /// Has [`Metrics::told`] wait for [`Metrics::inherit`]: there is an edge that runs.
    pub fn await_inheritance(&self) {
        self.heritage.teller.send_replace(Teller::Predecessor);
    }

    /// From now on this edge tells. `counts` is what the edge before had counted; without it this one's begin at zero.
    /// Returns how many series were left out. Only the first call does anything.
    pub fn inherit(&self, counts: Option<&Counts>) -> usize {
        let mut inherited = self.heritage.counts();
        if *self.heritage.teller.borrow() != Teller::Predecessor {
            return 0;
        }
        let left_out = counts.map_or(0, |counts| inherited.add(counts));
        self.heritage.teller.send_replace(Teller::This);
        left_out
    }

    /// Adds what an edge before this one has counted since it handed over. Returns how many series were left out.
    pub fn add(&self, counts: &Counts) -> usize {
        self.heritage.counts().add(counts)
    }

    /// Everything that has been counted until now, for the edge that follows. From now on that one tells.
    pub fn hand_over(&self) -> Counts {
        let inherited = self.heritage.counts();
        self.heritage.teller.send_replace(Teller::Successor);
        self.total(&inherited)
    }

    /// Everything that has been counted until now.
    pub fn counts(&self) -> Counts {
        self.total(&self.heritage.counts())
    }

    /// The text that Prometheus scrapes (OpenMetrics 1.0), once it is known what to begin with; none from the time on
    /// when another edge tells.
    pub async fn told(&self) -> Option<String> {
        let mut teller = self.heritage.teller.subscribe();
        // Its sender is here.
        let _ = teller.wait_for(|teller| *teller != Teller::Predecessor).await;
        // Held until the text is there: what is handed over is never less.
        let inherited = self.heritage.counts();
        let teller = *self.heritage.teller.borrow();
        (teller == Teller::This).then(|| self.text(&inherited))
    }

    fn total(&self, inherited: &Counts) -> Counts {
        // The text is our own: there is nothing in it that cannot be read.
        let (counts, _) = Counts::read(&self.text(inherited));
        counts
    }

    fn text(&self, inherited: &Counts) -> String {
        let own = self.encode_own();
        match inherited.is_empty() {
            true => own,
            false => inherited.woven_into(&own),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::telemetry::metrics::{RequestLabels, RouteLabels};

    fn count(metrics: &Metrics, route: &str, code: u16, seconds: f64) {
        let route: Arc<str> = route.into();
        let labels = RouteLabels {
            route: Arc::clone(&route),
        };
        metrics
            .duration
            .get_or_create(&labels)
            .observe(Duration::from_secs_f64(seconds));
        metrics
            .requests
            .get_or_create(&RequestLabels { route, code })
            .inc();
    }

    async fn told(metrics: &Metrics) -> String {
        metrics.told().await.unwrap_or_default()
    }

    #[tokio::test]
    async fn three_edges_count_as_one() {
        let one = Metrics::default();
        let [a, b, c] = [(); 3].map(|()| Metrics::default());
        for (edge, route) in [(&a, "x"), (&a, "y"), (&b, "x"), (&c, "z")] {
            for metrics in [edge, &one] {
                count(metrics, route, 200, 0.25);
            }
        }
        b.await_inheritance();
        let given_by_a = a.hand_over();
        assert_eq!(b.inherit(Some(&given_by_a)), 0);
        // `a` drains, while `c` follows `b`.
        for metrics in [&a, &one] {
            count(metrics, "late", 502, 2.0);
        }
        c.await_inheritance();
        let given_by_b = b.hand_over();
        assert_eq!(c.inherit(Some(&given_by_b)), 0);
        for metrics in [&b, &one] {
            count(metrics, "x", 200, 40.0);
        }
        // `a` finds `b` still, and `b` passes it on.
        b.add(&a.counts().since(&given_by_a));
        c.add(&b.counts().since(&given_by_b));
        assert_eq!(c.counts(), one.counts());
        assert!(a.told().await.is_none() && b.told().await.is_none());
        assert!(told(&c).await.ends_with("# EOF\n"));
    }

    #[tokio::test]
    async fn nothing_is_told_before_it_is_known_what_to_begin_with() {
        let metrics = Metrics::default();
        metrics.await_inheritance();
        count(&metrics, "app", 200, 0.1);
        let mut waits = std::pin::pin!(metrics.told());
        assert!(futures_util::poll!(&mut waits).is_pending());
        metrics.inherit(None);
        assert!(waits.await.is_some_and(|text| text.contains("code=\"200\"} 1\n")));
        // What comes too late is no part of it: it would look like a burst of requests.
        let late = Metrics::default();
        count(&late, "app", 200, 0.1);
        metrics.inherit(Some(&late.counts()));
        assert!(told(&metrics).await.contains("code=\"200\"} 1\n"));
    }

    #[test]
    fn all_that_is_counted_can_be_handed_over() {
        let metrics = Metrics::default();
        count(&metrics, "app", 200, 0.1);
        metrics.connections_total.inc();
        metrics.reloaded(true);
        let text = metrics.encode_own();
        let (counts, unread) = Counts::read(&text);
        assert_eq!(unread, 0, "{text}");
        let kinds = |text: &str| {
            let kinds = text.lines().filter(|line| line.starts_with("# TYPE"));
            kinds
                .filter(|line| line.ends_with(" counter") || line.ends_with(" histogram"))
                .count()
        };
        assert!(!counts.text().contains(" gauge"));
        // Single counters are there from the beginning, families with their first series.
        let (own, handed) = (kinds(&text), kinds(&counts.text()));
        assert_eq!(own, handed, "{text}");
        assert!(own >= 5, "{text}");
    }
}
