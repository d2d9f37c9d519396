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

use super::Retries;

/// Orders, renews, publishes.
pub(in crate::app) struct CertificateService {
    certificates: Certificates,
    served: CertificateStore,
    retries: Retries,
}

impl CertificateService {
    /// What is stored serves from now on; nothing is ordered yet.
    pub(in crate::app) async fn new(
        mut certificates: Certificates,
        served: CertificateStore,
        retries: Retries,
    ) -> Self {
        certificates.follow(OffsetDateTime::now_utc()).await;
        let service = Self {
            certificates,
            served,
            retries,
        };
        service.publish();
        service
    }

    fn publish(&self) {
        publish(&self.certificates.view().borrow(), &self.served);
    }

    /// What somebody asked for is tried as if it had not failed.
    async fn retry(&mut self) {
        let asked = self.retries.take();
        if asked.is_empty() {
            return;
        }
        if let Err(error) = self.certificates.retry(&asked).await {
            tracing::error!(%error, "the store fails: what failed is not tried again before its time");
        }
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
        self.retry().await;
        let publish = publish_changes(self.certificates.view(), self.served.clone());
        let round = tokio::select! {
            round = self.certificates.round(OffsetDateTime::now_utc()) => round,
            never = publish => match never {},
        };
        self.publish();
        let statuses = self.statuses();
        tell_critical(&statuses);
        settled(&statuses, round.next)
    }

    fn detail(&self) -> Value {
        serde_json::to_value(self.statuses()).unwrap_or_default()
    }
}

/// What came of one order serves while the next one is under way.
async fn publish_changes(mut view: watch::Receiver<Arc<View>>, served: CertificateStore) -> Infallible {
    while view.changed().await.is_ok() {
        publish(&view.borrow_and_update(), &served);
    }
    std::future::pending().await
}

fn publish(view: &View, served: &CertificateStore) {
    let wanted: Vec<Vec<String>> = view.certificates.iter().map(|one| one.names.clone()).collect();
    served.publish_issued(view.entries.clone(), &wanted);
}

/// Each round anew, which is each hour at the least: what is about to end the site's service is not said once.
fn tell_critical(statuses: &[CertificateStatus]) {
    for status in statuses.iter().filter(|status| status.critical) {
        let failure = status.failure.as_ref().map(|failure| failure.message.as_str());
        let (certificate, until) = (&status.name, status.not_after.map(tracing::field::display));
        tracing::error!(%certificate, until, failure, "the certificate is about to expire, or has expired");
    }
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
