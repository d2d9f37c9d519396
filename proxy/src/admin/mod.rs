//! The admin listener: health and metrics, for probes and Prometheus; how background services stand, and a word to
//! them; bans. Never on a public address.

mod bans;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::{Method, StatusCode, header};
use pingora_core::apps::{HttpPersistentSettings, HttpServerApp, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use pingora_http::{RequestHeader, ResponseHeader};
use serde_json::Value;

use crate::limit::Bans;
use crate::telemetry::Metrics;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// Between two scrapes of those who do not ask often.
const KEEPALIVE_SECONDS: u64 = 60;

/// Status, content type, body.
type Answer = (StatusCode, &'static str, String);

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

    /// None where another edge answers from now on.
    async fn told(&self, head: &RequestHeader) -> Option<Answer> {
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        if let Some(address) = bans::to_lift(head) {
            let (status, text) = bans::lift(&self.bans, head, address);
            return Some((status, TEXT, text));
        }
        if head.method == Method::POST {
            return Some(self.obey(path, query, bans::of_browser(head)));
        }
        match path {
            "/metrics" => {
                (self.tell.refresh)(&self.metrics);
                let text = self.metrics.told().await?;
                Some((StatusCode::OK, OPENMETRICS, text))
            }
            _ => Some(self.answer(path)),
        }
    }

    fn answer(&self, path: &str) -> Answer {
        match path {
            "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            "/readyz" if self.readiness.is_ready() => {
                let concerns = (self.tell.concerns)().into_iter();
                let lines = std::iter::once("ready".to_owned()).chain(concerns);
                (StatusCode::OK, TEXT, lines.map(|line| line + "\n").collect())
            }
            "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "not ready\n".to_owned()),
            "/status" => (StatusCode::OK, JSON, format!("{:#}\n", (self.tell.status)())),
            "/bans" => (StatusCode::OK, JSON, format!("{:#}\n", bans::list(&self.bans))),
            _ => (
                StatusCode::NOT_FOUND,
                TEXT,
                "/healthz /readyz /status /metrics /bans\n".to_owned(),
            ),
        }
    }

    /// What is asked of the edge by POST; not by a page that somebody's browser happens to show.
    fn obey(&self, path: &str, query: &str, browser: bool) -> Answer {
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
impl HttpServerApp for Admin {
    /// As Pingora's `ServeHttp`, but a connection on which nobody asks ends at once with the listener: a scraper that
    /// keeps it would go on asking an edge that has handed over.
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let mut ended = shutdown.clone();
        let read = tokio::select! {
            biased;
            read = session.read_request() => read,
            _ = ended.wait_for(|ended| *ended) => return None,
        };
        if !matches!(read, Ok(true)) {
            return None;
        }
        let answer = self.told(session.req_header()).await?;
        let last = *shutdown.borrow() || !session.is_body_done();
        session.set_keepalive((!last).then_some(KEEPALIVE_SECONDS));
        write(session, answer).await.ok()?
    }
}

async fn write(
    mut session: ServerSession,
    (status, content_type, body): Answer,
) -> pingora_error::Result<Option<ReusedHttpStream>> {
    let mut head = ResponseHeader::build(status, Some(2))?;
    head.insert_header(header::CONTENT_TYPE, content_type)?;
    head.insert_header(header::CONTENT_LENGTH, body.len())?;
    session.write_response_header(Box::new(head)).await?;
    session.write_response_body(body.into(), true).await?;
    let settings = HttpPersistentSettings::for_session(&session);
    let kept = session.finish().await?;
    Ok(kept.map(|stream| ReusedHttpStream::from_reusable_stream(stream, settings)))
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
