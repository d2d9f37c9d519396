//! Showing the CA that the names of an order are ours.

use instant_acme::{AuthorizationStatus, ChallengeType, Order, OrderStatus};

use super::challenge::{self, Published};
use super::error::{AcmeError, Step, Unvalidated};
use super::order::{Ordering, patience};

impl Ordering<'_> {
    /// Shows the CA that the names are ours.
    pub(super) async fn authorize(&mut self, order: &mut Order) -> Result<(), AcmeError> {
        let mut challenges = Vec::new();
        for (name, value) in self.challenges(order).await? {
            challenges.push((self.authorities.final_name(&name).await?, value));
        }
        let wanted = challenge::gathered(challenges);
        self.publish(&wanted).await?;
        for Published { name, values } in &wanted {
            let limit = self.acme.propagation_timeout;
            self.authorities.await_txt(name, values, limit).await?;
        }
        self.set_ready(order).await?;
        self.await_verdict(order).await
    }

    /// Name and value of the challenges that are still to be met.
    async fn challenges(&self, order: &mut Order) -> Result<Vec<(String, String)>, AcmeError> {
        let mut challenges = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(self.ca.failed(Step::Authorization))?;
            if authorization.status != AuthorizationStatus::Pending {
                continue;
            }
            let name = authorization.identifier().to_string();
            let challenge = authorization
                .challenge(ChallengeType::Dns01)
                .ok_or_else(|| AcmeError::NoDnsChallenge(name.clone()))?;
            let value = challenge.key_authorization().dns_value();
            challenges.push((challenge::challenge_name(&name), value));
        }
        Ok(challenges)
    }

    async fn publish(&mut self, wanted: &[Published]) -> Result<(), AcmeError> {
        self.state.published.extend_from_slice(wanted);
        self.keep_state().await?;
        for Published { name, values } in wanted {
            let failed = |source| AcmeError::Txt {
                name: name.clone(),
                source,
            };
            let stale = self.records.stale(name).await.map_err(failed)?;
            let stale: Vec<_> = stale
                .into_iter()
                .filter(|value| !values.contains(value))
                .collect();
            if !stale.is_empty() {
                self.records.withdraw(name, &stale).await.map_err(failed)?;
            }
            self.records.publish(name, values).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn set_ready(&self, order: &mut Order) -> Result<(), AcmeError> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(self.ca.failed(Step::Validation))?;
            // An order that is gone on with may have been validated since it was last looked at: a CA that is told once
            // more takes that for an error.
            let state = authorization.refresh().await;
            let status = state.map_err(self.ca.failed(Step::Validation))?.status;
            if status != AuthorizationStatus::Pending {
                continue;
            }
            if let Some(mut challenge) = authorization.challenge(ChallengeType::Dns01) {
                challenge
                    .set_ready()
                    .await
                    .map_err(self.ca.failed(Step::Validation))?;
            }
        }
        Ok(())
    }

    async fn await_verdict(&self, order: &mut Order) -> Result<(), AcmeError> {
        let verdict = order.poll_ready(&patience()).await;
        // Whatever the order says is less than what its authorizations say.
        if order.state().status == OrderStatus::Invalid {
            return Err(AcmeError::Unvalidated(self.unvalidated(order).await?));
        }
        match verdict {
            Ok(_) => Ok(()),
            Err(error) => Err(self.late(Step::Validation, error)),
        }
    }

    async fn unvalidated(&self, order: &mut Order) -> Result<Vec<Unvalidated>, AcmeError> {
        let mut unvalidated = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let authorization = authorization.map_err(self.ca.failed(Step::Validation))?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let problem = authorization
                .challenges
                .iter()
                .find_map(|challenge| challenge.error.clone());
            unvalidated.push(Unvalidated {
                name: authorization.identifier().to_string(),
                problem: problem.map(Into::into),
            });
        }
        Ok(unvalidated)
    }
}
