//! Certificates as a background service: what comes of a round is served at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::acme::{CertificateStatus, Certificates, Phase, View};
use crate::certs::CertificateStore;
use crate::service::{Round, Service};

/// Orders, renews, publishes.
pub(in crate::app) struct CertificateService {
    certificates: Certificates,
    served: CertificateStore,
}

impl CertificateService {
    /// What is stored serves from now on; nothing is ordered yet.
    pub(in crate::app) async fn new(mut certificates: Certificates, served: CertificateStore) -> Self {
        certificates.follow(OffsetDateTime::now_utc()).await;
        let service = Self { certificates, served };
        service.publish();
        service
    }

    fn publish(&self) {
        let view = self.certificates.view();
        let entries = view.borrow().entries.clone();
        self.served.publish_issued(entries);
    }

    fn statuses(&self) -> Vec<CertificateStatus> {
        self.certificates.view().borrow().certificates.clone()
    }
}

#[async_trait]
impl Service for CertificateService {
    fn name(&self) -> &'static str {
        "certificates"
    }

    async fn round(&mut self) -> Round {
        let publish = publish_changes(self.certificates.view(), self.served.clone());
        let round = tokio::select! {
            round = self.certificates.round(OffsetDateTime::now_utc()) => round,
            never = publish => match never {},
        };
        self.publish();
        settled(&self.statuses(), round.next)
    }

    fn detail(&self) -> Value {
        serde_json::to_value(self.statuses()).unwrap_or_default()
    }
}

/// What came of one order serves while the next one is under way.
async fn publish_changes(mut view: watch::Receiver<Arc<View>>, served: CertificateStore) -> Infallible {
    while view.changed().await.is_ok() {
        let entries = view.borrow_and_update().entries.clone();
        served.publish_issued(entries);
    }
    std::future::pending().await
}

/// One certificate in trouble is a service in trouble.
fn settled(statuses: &[CertificateStatus], next: Duration) -> Round {
    let troubles: Vec<String> = statuses.iter().filter_map(trouble).collect();
    if troubles.is_empty() {
        return Round::Settled(next);
    }
    Round::Troubled {
        why: troubles.join("\n"),
        again: Some(next),
    }
}

fn trouble(status: &CertificateStatus) -> Option<String> {
    let failure = status.failure.as_ref();
    let failure = failure.map(|failure| match &failure.advice {
        Some(advice) => format!("{} ({advice})", failure.message),
        None => failure.message.clone(),
    });
    let end = match status.phase {
        Phase::Expired => Some("it has expired".to_owned()),
        _ if status.critical => Some("it is about to expire: a sixth of its life is left".to_owned()),
        _ => None,
    };
    let told: Vec<String> = end.into_iter().chain(failure).collect();
    (!told.is_empty()).then(|| format!("{}: {}", status.name, told.join("; ")))
}
