//! What is counted of backends.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::metrics::RouteLabels;

/// An address of a route's backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BackendLabels {
    /// The route's name.
    pub route: Arc<str>,
    /// The backend, as the configuration names it.
    pub backend: String,
    /// Its address.
    pub address: String,
}

/// What is counted of backends. Gauges are set when they are asked for.
#[derive(Debug, Default)]
pub struct BackendMetrics {
    /// Whether it takes requests: 1 or 0.
    pub up: Family<BackendLabels, Gauge<i64, AtomicI64>>,
    /// Requests in flight.
    pub in_flight: Family<BackendLabels, Gauge<i64, AtomicI64>>,
    /// How often its failures had it left alone.
    pub ejections: Family<BackendLabels, Gauge<u64, AtomicU64>>,
    /// Requests that wait for a backend with room.
    pub waiting: Family<RouteLabels, Gauge<i64, AtomicI64>>,
    /// Requests tried again after an exchange that failed.
    pub retries: Family<RouteLabels, Counter>,
}

impl BackendMetrics {
    /// Enters all.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "backend_up",
            "Whether an address of a backend takes requests",
            self.up.clone(),
        );
        registry.register(
            "backend_requests_in_flight",
            "Requests at an address of a backend now",
            self.in_flight.clone(),
        );
        registry.register(
            "backend_ejections",
            "How often an address of a backend was left alone for its failures",
            self.ejections.clone(),
        );
        registry.register(
            "upstream_waiting_requests",
            "Requests that wait for a backend with room now",
            self.waiting.clone(),
        );
        registry.register(
            "upstream_retries",
            "Requests tried again after an exchange that failed",
            self.retries.clone(),
        );
    }

    /// Backends come and go.
    pub fn clear(&self) {
        self.up.clear();
        self.in_flight.clear();
        self.ejections.clear();
        self.waiting.clear();
    }
}
