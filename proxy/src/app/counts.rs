//! Counts over an upgrade: what this edge counted goes to the one that follows it, at once when that one serves, and what
//! is counted from then on now and then and once at the end. None of it is worth a request, or a second of a drain.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::handover::{Delivery, Heir, Lingering, Offer, Successor};
use crate::telemetry::{Counts, Metrics};

/// What is lost when a process that drains is killed is what it counted in this time.
const EVERY: Duration = Duration::from_secs(15);

/// What is still to be handed over, until it is.
#[derive(Debug)]
pub(super) struct Remainder {
    drained: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

impl Remainder {
    /// Hands over what has been counted, and begins to hand over what is counted from now on. None if the successor does
    /// not ask for it, or could not be told.
    pub(super) async fn of(
        metrics: &Arc<Metrics>,
        successor: &mut Successor,
        offer: Option<Offer>,
    ) -> Option<Self> {
        let given = metrics.hand_over();
        if !successor.wants_counts() {
            warn!("the successor does not ask for counts, as another version does: its metrics begin anew");
            return None;
        }
        if let Err(error) = successor.tell_counts(&given.text()).await {
            warn!(%error, "counts are not handed over; the successor's metrics begin anew");
            return None;
        }
        info!(series = given.len(), "counts handed over");
        let (drained, told) = oneshot::channel();
        let work = hand_on(Arc::clone(metrics), given, offer?.linger(), told);
        Some(Self {
            drained,
            work: tokio::spawn(work),
        })
    }

    /// The last of it.
    pub(super) async fn settle(self) {
        let _ = self.drained.send(());
        let _ = self.work.await;
    }
}

/// Takes what edges before say; at the start of a successor.
pub(super) fn inherit(metrics: &Metrics, text: Option<&str>) {
    let counts = text.map(read);
    let left_out = metrics.inherit(counts.as_ref());
    tell_left_out(left_out);
    match counts {
        Some(counts) => info!(
            series = counts.len(),
            "counts go on where those of the edge before stood"
        ),
        None => warn!("the edge before does not hand its counts over: metrics begin anew"),
    }
}

/// Takes what an edge before this one has counted while it drains.
pub(super) fn add(metrics: &Metrics, text: &str) {
    tell_left_out(metrics.add(&read(text)));
}

fn read(text: &str) -> Counts {
    let (counts, unread) = Counts::read(text);
    if unread > 0 {
        warn!(
            lines = unread,
            "counts of an edge before, as another version tells them, are left out"
        );
    }
    counts
}

fn tell_left_out(series: usize) {
    if series > 0 {
        warn!(
            series,
            "counts of an edge before are left out: too many, or of another kind than here"
        );
    }
}

/// Returns once the last is handed over, or cannot be.
async fn hand_on(
    metrics: Arc<Metrics>,
    mut given: Counts,
    (lingering, heir): (Lingering, Heir),
    mut drained: oneshot::Receiver<()>,
) {
    let take = |text: &str| add(&metrics, text);
    let now_and_then = async {
        // A delivery is never broken off: it might be counted twice.
        while timeout(EVERY, &mut drained).await.is_err() {
            hand_on_since(&metrics, &mut given, &heir).await;
        }
    };
    tokio::select! {
        () = now_and_then => {}
        () = lingering.pass_on(&take) => {}
    }
    // Nobody is heard here any more: what edges before this one still count goes where this edge's goes.
    drop(lingering);
    hand_on_since(&metrics, &mut given, &heir).await;
}

async fn hand_on_since(metrics: &Metrics, given: &mut Counts, heir: &Heir) {
    let now = metrics.counts();
    let since = now.since(given);
    if since.is_empty() {
        return;
    }
    match heir.deliver(&since.text()).await {
        Delivery::Taken => {
            info!(
                series = since.len(),
                "what was counted while draining is handed over"
            );
            *given = now;
        }
        Delivery::Unknown => {
            warn!("the edge that runs does not say whether it has what was counted while draining");
            *given = now;
        }
        Delivery::Refused(error) => {
            warn!(%error, "what was counted while draining is not handed over");
        }
    }
}
