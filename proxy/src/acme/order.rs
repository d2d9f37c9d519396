//! One order, from its making or from where a crash left it, to a certificate that has been checked.
//!
//! Everything is stored before the step that needs it to be: the order in the history before it is made, its URL and
//! its key before anything is done with it, a TXT record before it is written. So whenever the process dies, the next
//! run knows what to go on with and what to take away. Dropping the future is as good as dying.

use std::time::Duration;

use instant_acme::{CertificateIdentifier, Error, Identifier, NewOrder, Order, OrderStatus, RetryPolicy};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use time::OffsetDateTime;

use super::account::Ca;
use super::authority::Authorities;
use super::budget::{History, Outcome};
use super::challenge::{self, TxtRecords};
use super::error::{AcmeError, Step};
use super::issued;
use super::plan::Wanted;
use super::records::{OpenOrder, Purpose, State};
use super::store::{self, Document, Pair, Store, StoreError};
use crate::config::Acme;
use crate::secret::Secret;

/// How long the CA may take to validate, and then to issue. Most take seconds; issuance may wait for CT logs.
const CA_PATIENCE: Duration = Duration::from_secs(180);

/// Let's Encrypt gives an order seven days. One that a CA keeps open for ever, and never fills, would hold the budgets
/// back from counting what is tried.
const OPEN_AT_MOST: time::Duration = time::Duration::days(7);

/// All that an order needs.
pub(super) struct Ordering<'a> {
    pub(super) acme: &'a Acme,
    pub(super) wanted: &'a Wanted,
    pub(super) store: &'a dyn Store,
    pub(super) records: &'a dyn TxtRecords,
    pub(super) authorities: &'a Authorities,
    pub(super) ca: &'a Ca,
    pub(super) state: &'a mut State,
    pub(super) history: &'a mut History,
    pub(super) now: OffsetDateTime,
}

impl Ordering<'_> {
    /// Orders, and takes the challenges away again whatever came of it.
    pub(super) async fn run(&mut self, replaces: Option<&str>) -> Result<Pair, AcmeError> {
        let result = self.obtain(replaces).await;
        let tidied = tidy(self.store, self.records, &self.wanted.name, self.state).await;
        let Err(error) = &result else {
            // What is left of the challenges is in the state, which is stored with the certificate.
            return result;
        };
        self.give_up(error).await?;
        tidied?;
        result
    }

    async fn obtain(&mut self, replaces: Option<&str>) -> Result<Pair, AcmeError> {
        let mut order = match self.resume().await? {
            Some(order) => order,
            None => self.place(replaces).await?,
        };
        if order.state().status == OrderStatus::Pending {
            self.authorize(&mut order).await?;
        }
        let pair = self.finalize(&mut order).await?;
        let (_, held) = issued::read(&self.wanted.name, &pair)?;
        issued::check(&held, &self.wanted.names, self.now)?;
        // The order stays open until its certificate is stored: it could bring it again. An order that the history
        // goes on calling open counts as a certificate too, so nothing is lost if that cannot be noted now.
        if let Err(error) = self.note(Outcome::Issued).await {
            tracing::error!(certificate = %self.wanted.name, %error, "issued, but the history does not say so");
        }
        Ok(pair)
    }

    /// The order that is open already, if it is for the same and can still become a certificate.
    async fn resume(&mut self) -> Result<Option<Order>, AcmeError> {
        let Some(open) = &self.state.order else {
            return Ok(None);
        };
        let old = open.made.is_some_and(|made| self.now - made > OPEN_AT_MOST);
        if open.purpose == self.purpose() && !old {
            match self.ca.account.order(open.url.clone()).await {
                Ok(mut order) => {
                    if order.state().status != OrderStatus::Invalid {
                        tracing::info!(certificate = %self.wanted.name, order = order.url(), "going on with an order");
                        return Ok(Some(order));
                    }
                }
                Err(error) => {
                    let error = self.ca.failed(Step::Order)(error);
                    if error.leaves_order_open() {
                        return Err(error);
                    }
                    // It has expired and is forgotten: that the CA says, and nobody else.
                    tracing::info!(certificate = %self.wanted.name, %error, "an order is gone");
                }
            }
        }
        let names = open.purpose.names.clone();
        self.history.close(&names, Outcome::Failed);
        self.keep_history().await?;
        self.state.order = None;
        self.keep_state().await?;
        Ok(None)
    }

    /// A new order.
    async fn place(&mut self, replaces: Option<&str>) -> Result<Order, AcmeError> {
        self.check_profile()?;
        let key = KeyPair::generate()?.serialize_pem();
        self.history.open(&self.wanted.names, &self.wanted.zone, self.now);
        self.keep_history().await?;
        let order = self.request(replaces).await?;
        self.state.order = Some(OpenOrder {
            url: order.url().to_owned(),
            made: Some(self.now),
            purpose: self.purpose(),
            key,
        });
        self.keep_state().await?;
        Ok(order)
    }

    /// A CA without ARI knows nothing of `replaces`, and one with it may find that the certificate has been replaced
    /// already: either is no reason to go without a certificate.
    async fn request(&self, replaces: Option<&str>) -> Result<Order, AcmeError> {
        let identifiers: Vec<_> = self.wanted.names.iter().cloned().map(Identifier::Dns).collect();
        let mut new = NewOrder::new(&identifiers);
        if let Some(profile) = &self.acme.profile {
            new = new.profile(profile);
        }
        if let Some(replaced) = replaces.and_then(identifier) {
            let mut replacing = NewOrder::new(&identifiers).replaces(replaced);
            if let Some(profile) = &self.acme.profile {
                replacing = replacing.profile(profile);
            }
            match self.ca.account.new_order(&replacing).await {
                Ok(order) => return Ok(order),
                Err(error) if is_about_replacing(&error) => {
                    tracing::info!(certificate = %self.wanted.name, %error, "ordering without `replaces`");
                }
                Err(error) => return Err(self.ca.failed(Step::Order)(error)),
            }
        }
        self.ca
            .account
            .new_order(&new)
            .await
            .map_err(self.ca.failed(Step::Order))
    }

    fn check_profile(&self) -> Result<(), AcmeError> {
        let Some(asked) = &self.acme.profile else {
            return Ok(());
        };
        let offered: Vec<_> = self
            .ca
            .account
            .profiles()
            .map(|profile| profile.name.to_owned())
            .collect();
        if offered.contains(asked) {
            return Ok(());
        }
        Err(AcmeError::Profile {
            asked: asked.clone(),
            offered,
        })
    }

    /// Sends the request, unless that was done before a crash, and fetches the chain.
    async fn finalize(&self, order: &mut Order) -> Result<Pair, AcmeError> {
        let key = self
            .state
            .order
            .as_ref()
            .map(|open| open.key.as_str())
            .unwrap_or_default();
        if order.state().status == OrderStatus::Ready {
            let mut request = CertificateParams::new(self.wanted.names.clone())?;
            request.distinguished_name = DistinguishedName::new();
            let request = request.serialize_request(&KeyPair::from_pem(key)?)?;
            let sent = order.finalize_csr(request.der()).await;
            sent.map_err(self.ca.failed(Step::Finalization))?;
        }
        let chain = order.poll_certificate(&patience()).await;
        let chain = chain.map_err(|error| self.late(Step::Finalization, error))?;
        let root = self.acme.preferred_chain.as_deref();
        Ok(Pair {
            chain: self.ca.preferred(chain, root).await,
            key: Secret::new(key),
            directory: Some(self.acme.directory.clone()),
        })
    }

    /// An order that failed for good is closed; one that only met trouble stays open for the next attempt.
    async fn give_up(&mut self, error: &AcmeError) -> Result<(), AcmeError> {
        if self.state.order.is_some() && error.leaves_order_open() {
            return Ok(());
        }
        self.state.order = None;
        self.keep_state().await?;
        self.note(match error {
            AcmeError::Unvalidated(_) => Outcome::Unvalidated,
            AcmeError::Unfit(_) => Outcome::Issued,
            _ => Outcome::Failed,
        })
        .await
    }

    async fn note(&mut self, outcome: Outcome) -> Result<(), AcmeError> {
        self.history.close(&self.wanted.names, outcome);
        self.keep_history().await
    }

    pub(super) fn late(&self, step: Step, error: Error) -> AcmeError {
        match error {
            Error::Timeout(_) => AcmeError::Late {
                step,
                after: CA_PATIENCE,
            },
            error => self.ca.failed(step)(error),
        }
    }

    fn purpose(&self) -> Purpose {
        Purpose {
            directory: self.acme.directory.clone(),
            names: self.wanted.names.clone(),
            profile: self.acme.profile.clone(),
        }
    }

    pub(super) async fn keep_state(&self) -> Result<(), AcmeError> {
        Ok(keep_state(self.store, &self.wanted.name, self.state).await?)
    }

    async fn keep_history(&self) -> Result<(), AcmeError> {
        let directory = self.acme.directory.clone();
        Ok(store::keep(self.store, &Document::History { directory }, self.history).await?)
    }
}

/// Takes away what is published. What stays is told; the next run tries again.
pub(super) async fn tidy(
    store: &dyn Store,
    records: &dyn TxtRecords,
    name: &str,
    state: &mut State,
) -> Result<(), StoreError> {
    if state.published.is_empty() {
        return Ok(());
    }
    state.published = challenge::withdraw(records, &state.published).await;
    keep_state(store, name, state).await
}

pub(super) async fn keep_state(store: &dyn Store, name: &str, state: &State) -> Result<(), StoreError> {
    let certificate = name.to_owned();
    store::keep(store, &Document::State { certificate }, state).await
}

pub(super) fn patience() -> RetryPolicy {
    RetryPolicy::new()
        .initial_delay(Duration::from_millis(500))
        .backoff(1.5)
        .timeout(CA_PATIENCE)
}

/// The library's identifier can only be read from JSON.
pub(super) fn identifier(text: &str) -> Option<CertificateIdentifier<'static>> {
    let json = serde_json::to_string(text).ok()?;
    let identifier: CertificateIdentifier<'_> = serde_json::from_str(&json).ok()?;
    Some(identifier.into_owned())
}

/// RFC 9773, section 5: `alreadyReplaced`, or that the CA does not know or mirror what we say. One that breaks down may
/// have done so over the certificate that it is told of: the same order would fail as long as that one lives.
fn is_about_replacing(error: &Error) -> bool {
    match error {
        Error::Unsupported(_) | Error::Other(_) => true,
        Error::Api(problem) => {
            let about = |text: &Option<String>| {
                text.as_ref()
                    .is_some_and(|text| text.to_lowercase().contains("replace"))
            };
            let broke_down = problem
                .r#type
                .as_ref()
                .is_some_and(|kind| kind.ends_with(":serverInternal"));
            broke_down || about(&problem.r#type) || about(&problem.detail)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_ordered_without_replaces_where_that_is_what_fails() {
        for (kind, detail, about) in [
            ("alreadyReplaced", "", true),
            ("malformed", "cannot parse the ARI CertID in 'replaces'", true),
            (
                "serverInternal",
                "could not find an order for the given certificate",
                true,
            ),
            ("rateLimited", "too many certificates", false),
            ("rejectedIdentifier", "policy forbids", false),
        ] {
            let problem = serde_json::json!({
                "type": format!("urn:ietf:params:acme:error:{kind}"),
                "detail": detail,
            });
            let error = Error::Api(serde_json::from_value(problem).unwrap());
            assert_eq!(is_about_replacing(&error), about, "{kind}");
        }
    }
}
