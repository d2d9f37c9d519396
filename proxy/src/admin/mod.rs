//! The admin listener: health and metrics, for probes and Prometheus; how background services stand, and a word to
//! them; bans. Never on a public address.

mod bans;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::{HeaderValue, Method, Response, StatusCode, header};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;
use serde_json::Value;

use crate::limit::Bans;
use crate::telemetry::Metrics;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Asks for certificates to be tried again; `?name=` for one.
pub const RETRY_PATH: &str = "/certificates/retry";

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
    tell: Tell,
}

/// What the admin listener asks of the edge.
pub struct Tell {
    /// How all stands, for people.
    pub status: Box<dyn Fn() -> Value + Send + Sync>,
    /// What will be in the way of requests soon, a line each, though nothing is now.
    pub concerns: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Brings gauges up to date that nobody pushes, before each scrape.
    pub refresh: Box<dyn Fn(&Metrics) + Send + Sync>,
    /// Has certificates tried again.
    pub retry: Retry,
}

/// Has certificates tried again, all or the one of this name; false if there is no such.
pub type Retry = Box<dyn Fn(Option<&str>) -> bool + Send + Sync>;

impl Admin {
    /// The application.
    pub fn new(metrics: Arc<Metrics>, readiness: Readiness, bans: Arc<Bans>, tell: Tell) -> Self {
        Self {
            metrics,
            readiness,
            bans,
            tell,
        }
    }

    fn answer(&self, path: &str) -> (StatusCode, &'static str, String) {
        match path {
            "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            "/readyz" if self.readiness.is_ready() => {
                let concerns = (self.tell.concerns)().into_iter();
                let lines = std::iter::once("ready".to_owned()).chain(concerns);
                (StatusCode::OK, TEXT, lines.map(|line| line + "\n").collect())
            }
            "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "not ready\n".to_owned()),
            "/status" => (StatusCode::OK, JSON, format!("{:#}\n", (self.tell.status)())),
            "/metrics" => {
                (self.tell.refresh)(&self.metrics);
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

    /// What is asked of the edge by POST; not by a page that somebody's browser happens to show.
    fn obey(&self, path: &str, query: &str, browser: bool) -> (StatusCode, &'static str, String) {
        let name = query.strip_prefix("name=");
        let (status, text) = match (path, browser) {
            (_, true) => (StatusCode::FORBIDDEN, "not for browsers"),
            (RETRY_PATH, _) if (self.tell.retry)(name) => (StatusCode::OK, "tried again now"),
            (RETRY_PATH, _) => (StatusCode::NOT_FOUND, "no such certificate in [[zones]]"),
            _ => (StatusCode::NOT_FOUND, RETRY_PATH),
        };
        (status, TEXT, format!("{text}\n"))
    }
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        if !session.is_body_done() {
            session.set_keepalive(None);
        }
        let head = session.req_header();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let (status, content_type, body) = match bans::to_lift(head) {
            Some(address) => {
                let (status, text) = bans::lift(&self.bans, head, address);
                (status, TEXT, text)
            }
            None if head.method == Method::POST => self.obey(path, query, bans::of_browser(head)),
            None => self.answer(path),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn admin() -> Admin {
        let tell = Tell {
            status: Box::new(|| Value::Null),
            concerns: Box::new(|| vec!["the certificate example.com expires soon".to_owned()]),
            refresh: Box::new(|_| ()),
            retry: Box::new(|name| name.is_none_or(|name| name == "example.com")),
        };
        let readiness = Readiness::default();
        readiness.set(true);
        Admin::new(
            Arc::new(Metrics::default()),
            readiness,
            Arc::new(Bans::new(Default::default())),
            tell,
        )
    }

    #[test]
    fn readiness_tells_what_will_be_in_the_way() {
        let (status, _, text) = admin().answer("/readyz");
        assert_eq!(status, StatusCode::OK);
        assert_eq!(text, "ready\nthe certificate example.com expires soon\n");
    }

    #[test]
    fn certificates_are_tried_again_for_whoever_means_it() {
        for (path, query, browser, status) in [
            (RETRY_PATH, "", false, 200),
            (RETRY_PATH, "name=example.com", false, 200),
            (RETRY_PATH, "name=example.org", false, 404),
            (RETRY_PATH, "", true, 403),
            ("/", "", false, 404),
        ] {
            let found = admin().obey(path, query, browser).0;
            assert_eq!(found, status, "{path}?{query} {browser}");
        }
    }
}
