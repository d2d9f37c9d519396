//! Certificates as a background service: what comes of a round is served at once.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;

use crate::acme::{CertificateStatus, Certificates, Phase};
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
        let round = self.certificates.round(OffsetDateTime::now_utc()).await;
        if round.changed {
            self.publish();
        }
        settled(&self.statuses(), round.next)
    }

    fn detail(&self) -> Value {
        serde_json::to_value(self.statuses()).unwrap_or_default()
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
