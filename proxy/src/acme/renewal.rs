//! Asking the CA when a certificate is to be renewed (ARI, RFC 9773).

use time::OffsetDateTime;

use super::account::Ca;
use super::error::{AcmeError, Step};
use super::order;
use super::plan::{self, Asked, Held, Wanted, Window};
use super::service::{Certificates, Found, Unstored};
use super::store::StoreError;

impl Certificates {
    /// Asks the CA when to renew, if it is time to ask.
    pub(super) async fn plan_renewal(
        &mut self,
        wanted: &Wanted,
        found: &mut Found,
        ca: &mut Option<Ca>,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let Some(held) = &found.held else {
            return Ok(());
        };
        // What is further ahead was noted by a clock that was wrong.
        let due = now..now + plan::ASK_AT_LATEST;
        let planned =
            |schedule: &plan::Schedule| schedule.serial == held.serial && due.contains(&schedule.ask);
        if found.state.schedule.as_ref().is_some_and(planned) {
            return Ok(());
        }
        let asked = self.ask(held, ca).await;
        let schedule = plan::schedule(held, &asked, found.state.schedule.as_ref(), now, rand::random());
        found.state.schedule = Some(schedule);
        let state = found.state.clone();
        let unstored = Unstored { pair: None, state };
        // What cannot be stored is known all the same: the CA is not asked again each minute.
        self.unstored.insert(wanted.name.clone(), unstored);
        self.catch_up(wanted).await
    }

    async fn ask(&self, held: &Held, ca: &mut Option<Ca>) -> Asked {
        let ours = held.directory.as_ref() == Some(&self.acme.directory);
        let identifier = held.identifier.as_deref().and_then(order::identifier);
        let Some(identifier) = identifier.filter(|_| ours) else {
            return Asked::Unsupported;
        };
        let answer = match self.opened(ca).await {
            Ok(ca) => ca
                .account
                .renewal_info(&identifier)
                .await
                .map_err(ca.failed(Step::RenewalInfo)),
            Err(error) => Err(error),
        };
        match answer {
            Ok((info, again)) => Asked::Suggested {
                window: Window {
                    start: info.suggested_window.start,
                    end: info.suggested_window.end,
                },
                explanation: info.explanation_url,
                retry_after: again.try_into().unwrap_or(time::Duration::DAY),
            },
            Err(AcmeError::Exchange {
                source: instant_acme::Error::Unsupported(_),
                ..
            }) => Asked::Unsupported,
            Err(error) => {
                tracing::warn!(%error, "the CA did not say when to renew");
                Asked::Failed
            }
        }
    }
}
