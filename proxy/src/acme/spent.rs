//! What has been spent of the CA's budgets, for whoever wants to know before an order.

use std::fmt;

use time::OffsetDateTime;

use super::budget::{Budget, History};
use super::service::wanted;
use super::store::{Document, Store, StoreError};
use crate::config::{Acme, Zone};

/// A certificate that could not be ordered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// Its name.
    pub name: String,
    /// When it can be.
    pub until: OffsetDateTime,
    budget: Budget,
}

/// The certificates of these zones that a budget would hold back. Reads only.
pub async fn held_back(
    store: &dyn Store,
    acme: &Acme,
    zones: &[Zone],
    now: OffsetDateTime,
) -> Result<Vec<HeldBack>, StoreError> {
    let directory = acme.directory.clone();
    let text = store.document(&Document::History { directory }).await?;
    // A damaged history is set aside by the edge; to look is not to change.
    let history = text.and_then(|text| serde_json::from_str::<History>(&text).ok());
    let history = history.unwrap_or_default();
    let held = wanted(zones).into_iter().filter_map(|wanted| {
        let (until, budget) = history.exhausted(&wanted.names, &wanted.zone, now)?;
        Some(HeldBack {
            name: wanted.name,
            until,
            budget,
        })
    });
    Ok(held.collect())
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, until, budget } = self;
        write!(f, "no order for {name} before {until}: the CA allows {budget}")
    }
}
