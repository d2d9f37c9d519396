//! Active checks: backends are asked whether they are well, on nobody's way.

mod count;
mod grpc;
mod probe;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora_core::connectors::http::Connector;
use tracing::{info, warn};

use super::dialer::Dialer;
use super::endpoint::{Endpoint, Verdict};
use crate::config::HealthCheck;

use count::Count;
pub use probe::ProbeError;

/// What a check is made with.
#[derive(Clone)]
pub(super) struct Checker {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) dialer: Arc<Dialer>,
    pub(super) check: HealthCheck,
    pub(super) connector: Arc<Connector>,
}

impl Checker {
    /// Checks the endpoint for ever; the first time at once.
    pub(super) async fn run(self) {
        let mut count = Count::new(&self.check);
        loop {
            let result = self.once().await;
            if let Some(is_up) = count.step(result.is_ok()) {
                self.tell(is_up, result.as_ref().err());
            } else if let Err(error) = &result {
                self.endpoint.complained(error);
            }
            tokio::time::sleep(self.pause(rand::random())).await;
        }
    }

    async fn once(&self) -> Result<(), ProbeError> {
        let checked = probe::probe(&self.check, &self.dialer, &self.endpoint, &self.connector);
        tokio::time::timeout(self.check.timeout, checked)
            .await
            .unwrap_or(Err(ProbeError::Timeout))
    }

    fn tell(&self, is_up: bool, error: Option<&ProbeError>) {
        let backend = self.endpoint.label();
        let verdict = match error {
            Some(error) if !is_up => {
                warn!(%backend, %error, "backend is down");
                Verdict::Down
            }
            _ => {
                info!(%backend, "backend is up");
                Verdict::Up
            }
        };
        self.endpoint.judge(verdict, error, Instant::now());
    }

    /// Checks that began together, of many edges or many backends, drift apart.
    fn pause(&self, chance: f64) -> Duration {
        let jitter = f64::from(self.check.jitter) / 100.0;
        self.check.interval.mul_f64(1.0 - jitter + 2.0 * jitter * chance)
    }
}
