//! What the flow needs of the rest of the house.

use std::sync::Arc;

use crate::certs::CertificateStore;
use crate::limit::Bans;
use crate::snapshot::SnapshotHandle;
use crate::telemetry::access::Style;
use crate::telemetry::{Metrics, Sink};

/// What the flow needs of the rest of the house; cheap to clone.
#[derive(Clone)]
pub struct EdgeParts {
    /// The configuration that serves.
    pub snapshots: SnapshotHandle,
    /// What handshakes are answered with.
    pub certificates: CertificateStore,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Clients that are kept out.
    pub bans: Arc<Bans>,
    /// The access log.
    pub access: Sink,
    /// How its lines look.
    pub style: Style,
    /// The audit log.
    pub audit: Sink,
    /// The log of matches.
    pub matches: Sink,
}

impl std::fmt::Debug for EdgeParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EdgeParts")
    }
}
