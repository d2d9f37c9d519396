//! What listeners tell of connections, and of what they turned away.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::BanCause;
use crate::flow::{EdgeParts, TurnedAway};
use crate::listen::Gauge;
use crate::telemetry::metrics::ListenerLabels;
use crate::telemetry::{Metrics, RefusedRequest};

/// Counts, and passes on what the flow's logs and bans are for.
#[derive(Debug)]
pub(super) struct Tally {
    metrics: Arc<Metrics>,
    turned_away: TurnedAway,
}

impl Tally {
    pub(super) fn new(parts: &EdgeParts) -> Self {
        Self {
            metrics: Arc::clone(&parts.metrics),
            turned_away: TurnedAway::new(parts),
        }
    }
}

impl Gauge for Tally {
    fn opened(&self) {
        self.metrics.connections.inc();
        self.metrics.connections_total.inc();
    }

    fn closed(&self) {
        self.metrics.connections.dec();
    }

    fn handshake_failed(&self) {
        self.metrics.handshake_failures.inc();
    }

    fn refused(&self, why: &'static str) {
        let labels = ListenerLabels { reason: why };
        self.metrics.listener_refusals.get_or_create(&labels).inc();
    }

    fn request_refused(&self, request: RefusedRequest) {
        self.turned_away.request(request);
    }

    fn misbehaved(&self, client: SocketAddr, cause: BanCause) {
        self.turned_away.misdeed(client, cause);
    }
}
