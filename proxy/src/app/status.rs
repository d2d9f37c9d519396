//! What the admin listener tells: gauges that nobody pushes, and how all stands.

use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::backends;
use super::reload::Reloader;
use super::services::{Retries, names};
use crate::admin::{Admin, Readiness, Tell};
use crate::certs::{CertificateStore, Entry};
use crate::limit::Bans;
use crate::listen::Spread;
use crate::service::Board;
use crate::telemetry::metrics::{CertificateLabels, LogLabels, ServiceLabels, WorkerLabels};
use crate::telemetry::{Metrics, Sink};

/// The admin application.
pub(super) fn admin(
    reloader: &Reloader,
    logs: &[Sink; 3],
    readiness: &Readiness,
    board: &Board,
    retries: &Retries,
    (bans, spread): (&Arc<Bans>, &Spread),
) -> Admin {
    let (snapshots, logs) = (reloader.snapshots.clone(), logs.clone());
    let (certificates, told) = (reloader.certificates.clone(), board.clone());
    let (concerned, banned) = (board.clone(), Arc::clone(bans));
    let spread = spread.clone();
    let tell = Tell {
        status: Box::new(status(reloader, readiness, board)),
        concerns: Box::new(move || concerns(&concerned)),
        retry: Box::new(retry(reloader, retries)),
        refresh: Box::new(move |metrics| {
            let held = snapshots.load().body_budget.held();
            metrics.body_memory.set(i64::try_from(held).unwrap_or(i64::MAX));
            for (log, sink) in ["access", "audit", "matches"].into_iter().zip(&logs) {
                let dropped = metrics.dropped_lines.get_or_create(&LogLabels { log });
                dropped.set(sink.dropped());
            }
            tell_workers(metrics, &spread);
            backends::tell(&metrics.backends, &snapshots.load());
            let now = OffsetDateTime::now_utc().unix_timestamp();
            let banned = banned.list(u64::try_from(now).unwrap_or_default()).len();
            metrics.bans.set(i64::try_from(banned).unwrap_or(i64::MAX));
            tell_services(metrics, &told);
            tell_certificates(metrics, &certificates);
        }),
    };
    Admin::new(
        Arc::clone(&reloader.metrics),
        readiness.clone(),
        Arc::clone(bans),
        tell,
    )
}

/// Asks for all certificates of what serves now, or for the one of this name.
fn retry(reloader: &Reloader, retries: &Retries) -> impl Fn(Option<&str>) -> bool + Send + Sync + 'static {
    let (snapshots, retries) = (reloader.snapshots.clone(), retries.clone());
    move |only| {
        let config = Arc::clone(&snapshots.load().config);
        let asked = names(&config).filter(|name| only.is_none_or(|only| only == name));
        let asked: Vec<String> = asked.collect();
        let some = !asked.is_empty();
        retries.ask(asked);
        some
    }
}

/// Certificates that are not there yet, and those of whose life a sixth is left, or less.
fn concerns(board: &Board) -> Vec<String> {
    let services = board.read();
    let certificates = services.get("certificates").map(|status| &status.detail);
    let certificates = certificates.and_then(Value::as_array).into_iter().flatten();
    let told = certificates.filter_map(|one| {
        let name = one["name"].as_str().unwrap_or("?");
        match one["not_after"].as_str() {
            None => Some(format!("the certificate {name} is not there yet")),
            Some(end) if one["critical"] == true => Some(format!("the certificate {name} expires {end}")),
            Some(_) => None,
        }
    });
    told.collect()
}

/// How all stands, for `palisade status` and `palisade certs`.
fn status(
    reloader: &Reloader,
    readiness: &Readiness,
    board: &Board,
) -> impl Fn() -> Value + Send + Sync + 'static {
    let (readiness, board) = (readiness.clone(), board.clone());
    let (certificates, snapshots) = (reloader.certificates.clone(), reloader.snapshots.clone());
    move || {
        let set = certificates.current();
        json!({
            "ready": readiness.is_ready(),
            "generation": snapshots.load().generation,
            "backends": backends::status(&snapshots.load()),
            "services": board.read(),
            "certificates": set.entries().iter().map(certificate).collect::<Vec<_>>(),
        })
    }
}

fn certificate(entry: &Entry) -> Value {
    let expires = OffsetDateTime::from_unix_timestamp(entry.not_after).ok();
    json!({
        "names": entry.names,
        "origin": entry.origin,
        "expires": expires.and_then(|time| time.format(&Rfc3339).ok()),
    })
}

fn tell_workers(metrics: &Metrics, spread: &Spread) {
    for (worker, count) in spread.counts().enumerate() {
        let connections = metrics.worker_connections.get_or_create(&WorkerLabels { worker });
        connections.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

fn tell_services(metrics: &Metrics, board: &Board) {
    metrics.service_healthy.clear();
    metrics.service_last_success.clear();
    // Of one that is at its first round nothing is known.
    let known = board
        .read()
        .into_iter()
        .filter(|(_, status)| status.last_round.is_some());
    for (service, status) in known {
        let labels = ServiceLabels { service };
        let healthy = metrics.service_healthy.get_or_create(&labels);
        healthy.set(i64::from(status.trouble.is_none()));
        let last = status.last_success.map_or(0, |time| time.unix_timestamp());
        metrics.service_last_success.get_or_create(&labels).set(last);
    }
}

fn tell_certificates(metrics: &Metrics, certificates: &CertificateStore) {
    metrics.certificate_expiry.clear();
    for entry in certificates.current().entries() {
        let name = entry.names.first().cloned().unwrap_or_default();
        let labels = CertificateLabels { name };
        metrics
            .certificate_expiry
            .get_or_create(&labels)
            .set(entry.not_after);
    }
}
