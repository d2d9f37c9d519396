//! How backends stand, for metrics and `/status`.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::snapshot::Snapshot;
use crate::telemetry::backends::{BackendLabels, BackendMetrics};
use crate::telemetry::metrics::RouteLabels;
use crate::upstream::{Endpoint, Standing};

/// Brings the gauges up to date.
pub(super) fn tell(metrics: &BackendMetrics, snapshot: &Snapshot) {
    let (now, whole) = (Instant::now(), |count: usize| {
        i64::try_from(count).unwrap_or(i64::MAX)
    });
    metrics.clear();
    for route in snapshot.routes() {
        for endpoint in route.balancer.endpoints() {
            let labels = BackendLabels {
                route: Arc::clone(&route.label),
                backend: endpoint.backend().to_string(),
                address: endpoint.address().to_string(),
            };
            metrics
                .up
                .get_or_create(&labels)
                .set(i64::from(endpoint.is_up(now)));
            metrics
                .in_flight
                .get_or_create(&labels)
                .set(whole(endpoint.in_flight()));
            metrics.ejections.get_or_create(&labels).set(endpoint.ejections());
        }
        if route.balancer.policy().capacity.max_requests.is_some() {
            let labels = RouteLabels {
                route: Arc::clone(&route.label),
            };
            metrics
                .waiting
                .get_or_create(&labels)
                .set(whole(route.balancer.waiting()));
        }
    }
}

/// Each route's backends, with what is wrong with them.
pub(super) fn status(snapshot: &Snapshot) -> Value {
    let now = Instant::now();
    let route = |route: &Arc<crate::snapshot::LiveRoute>| {
        let endpoints = route.balancer.endpoints();
        let mut told: Vec<Value> = endpoints.iter().map(|endpoint| backend(endpoint, now)).collect();
        let unknown = route
            .balancer
            .sources()
            .filter(|source| source.endpoints().is_empty());
        told.extend(unknown.map(|source| {
            json!({ "backend": source.backend().to_string(), "state": "unknown", "trouble": "its name leads to no address" })
        }));
        (route.route.name.clone(), Value::Array(told))
    };
    Value::Object(snapshot.routes().map(route).collect::<Map<_, _>>())
}

fn backend(endpoint: &Endpoint, now: Instant) -> Value {
    let standing = endpoint.standing(now);
    let trouble = match standing {
        Standing::Ejected => Some("its requests failed: left alone for a while".to_owned()),
        _ => endpoint.complaint().map(|complaint| complaint.to_string()),
    };
    json!({
        "backend": endpoint.backend().to_string(),
        "address": endpoint.address().to_string(),
        "state": match standing {
            Standing::Up => "up",
            Standing::Ejected => "ejected",
            Standing::Down => "down",
        },
        "in_flight": endpoint.in_flight(),
        "ejections": endpoint.ejections(),
        "trouble": trouble,
    })
}
