//! A route's `health`: defaults, and options held against one another.

use std::time::Duration;

use crate::config::errors::{Place, Problem, Report};
use crate::config::raw::Health;
use crate::config::ready::{GrpcProbe, HealthCheck, HttpProbe, Probe};

/// A path makes it a request; without one a connection is enough.
pub(super) fn health(raw: Health, report: &Report) -> HealthCheck {
    let interval = raw.interval.unwrap_or(Duration::from_secs(10));
    HealthCheck {
        port: raw.port,
        interval,
        timeout: raw.timeout.unwrap_or(Duration::from_secs(5)),
        up: raw.up.unwrap_or(2),
        down: raw.down.unwrap_or(3),
        jitter: raw.jitter.unwrap_or(10),
        probe: probe(raw, report),
    }
}

fn probe(raw: Health, report: &Report) -> Probe {
    let of_requests: [(&str, Option<&Place>); 3] = [
        ("method", raw.method.as_ref().map(|at| &at.place)),
        ("statuses", raw.statuses.as_ref().map(|at| &at.place)),
        ("body", raw.body.as_ref().map(|at| &at.place)),
    ];
    let without_effect = |options: &[(&str, Option<&Place>)], why: &str| {
        for (option, place) in options {
            if let Some(place) = place {
                let reason = format!("`{option}` has no effect {why}");
                report.problem(place, Problem::Contradiction(reason));
            }
        }
    };
    if let Some(grpc) = raw.grpc {
        without_effect(&of_requests, "with `grpc`: what is asked and answered is defined");
        if raw.path.is_some() {
            let reason = "a check is a request (`path`) or a call (`grpc`)".to_owned();
            report.problem(&grpc.place, Problem::Contradiction(reason));
        }
        return Probe::Grpc(GrpcProbe {
            service: grpc.value,
            host: raw.host.map(|at| at.value),
        });
    }
    let Some(path) = raw.path else {
        let host = ("host", raw.host.as_ref().map(|at| &at.place));
        let why = "without `path`: only a connection is made";
        without_effect(&of_requests, why);
        without_effect(&[host], why);
        return Probe::Tcp;
    };
    Probe::Http(HttpProbe {
        method: raw.method.map_or_else(|| "GET".to_owned(), |at| at.value),
        path,
        host: raw.host.map(|at| at.value),
        statuses: raw.statuses.map_or_else(|| vec![(200, 299)], |at| at.value),
        body: raw.body.map(|at| at.value),
    })
}
