//! The admin listener: health and metrics, for probes and Prometheus; how background services stand; bans. Never on a
//! public address.

mod bans;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::{HeaderValue, Response, StatusCode, header};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;
use serde_json::Value;

use crate::limit::Bans;
use crate::telemetry::Metrics;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the edge takes requests: false before it listens and while it drains.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Changes it.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    /// How it stands.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The admin application.
pub struct Admin {
    metrics: Arc<Metrics>,
    readiness: Readiness,
    bans: Arc<Bans>,
    status: Box<dyn Fn() -> Value + Send + Sync>,
    refresh: Box<dyn Fn(&Metrics) + Send + Sync>,
}

impl Admin {
    /// `status` tells how all stands, for people; `refresh` brings gauges up to date that nobody pushes, before each
    /// scrape.
    pub fn new(
        metrics: Arc<Metrics>,
        readiness: Readiness,
        bans: Arc<Bans>,
        status: impl Fn() -> Value + Send + Sync + 'static,
        refresh: impl Fn(&Metrics) + Send + Sync + 'static,
    ) -> Self {
        Self {
            metrics,
            readiness,
            bans,
            status: Box::new(status),
            refresh: Box::new(refresh),
        }
    }

    fn answer(&self, path: &str) -> (StatusCode, &'static str, String) {
        match path {
            "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            "/readyz" if self.readiness.is_ready() => (StatusCode::OK, TEXT, "ready\n".to_owned()),
            "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "not ready\n".to_owned()),
            "/status" => (StatusCode::OK, JSON, format!("{:#}\n", (self.status)())),
            "/metrics" => {
                (self.refresh)(&self.metrics);
                (StatusCode::OK, OPENMETRICS, self.metrics.encode())
            }
            "/bans" => (StatusCode::OK, JSON, format!("{:#}\n", bans::list(&self.bans))),
            _ => (
                StatusCode::NOT_FOUND,
                TEXT,
                "/healthz /readyz /status /metrics /bans\n".to_owned(),
            ),
        }
    }
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        if !session.is_body_done() {
            session.set_keepalive(None);
        }
        let head = session.req_header();
        let (status, content_type, body) = match bans::to_lift(head) {
            Some(address) => {
                let (status, text) = bans::lift(&self.bans, head, address);
                (status, TEXT, text)
            }
            None => self.answer(head.uri.path()),
        };
        let mut response = Response::new(Vec::new());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        *response.body_mut() = body.into_bytes();
        response
    }
}
