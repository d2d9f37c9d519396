//! Round after round: find the zone, list, plan, apply. One zone's trouble is not another's.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::{Applied, Desired, Options, Plan, Refusal, apply, plan};
use crate::cloudflare::{ApiError, Client, Clients};
use crate::config::{Dns, Zone};
use crate::secret::SecretError;

/// The records of all zones, and how the last round went.
#[derive(Debug, Default)]
pub struct Records {
    clients: Clients,
    /// Zones' identifiers, by API and name.
    ids: HashMap<(String, String), String>,
    noted: Noted,
    last: Outcome,
}

/// The notes that were told already, by zone: the same one every five minutes is heard by nobody.
#[derive(Debug, Default)]
struct Noted(HashMap<String, BTreeSet<String>>);

/// How a round is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// Only plan.
    pub dry_run: bool,
    /// Deletions that the guard would refuse are meant.
    pub allow_deletes: bool,
}

/// How a round went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Zone by zone.
    pub zones: Vec<ZoneOutcome>,
}

/// How a round went in one zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ZoneOutcome {
    /// The zone.
    pub zone: String,
    /// What was to be done, for people. Empty if the zone could not be read.
    pub plan: String,
    /// Records to make, marks among them.
    pub creates: usize,
    /// Records to change.
    pub updates: usize,
    /// Records to delete, marks among them.
    pub deletes: usize,
    /// How many of them were done.
    pub done: usize,
    /// What is left undone on purpose, and why.
    pub notes: Vec<String>,
    /// Deletions that the guard held back, the first of them by name; `plan` has them all.
    pub refused: Option<String>,
    /// Changes that the API refused.
    pub failures: Vec<Trouble>,
    /// Why the zone's round ended early, or did not begin.
    pub stopped: Option<Trouble>,
    /// Seconds to wait before the API may be asked again.
    pub wait: Option<u64>,
}

/// Something that did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What.
    pub what: String,
    /// Why.
    pub error: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// Why a zone could not be read.
#[derive(Debug, thiserror::Error)]
enum ZoneError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl Records {
    /// None known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Likewise; the clients are shared with others that ask the same APIs.
    pub fn sharing(clients: Clients) -> Self {
        Self {
            clients,
            ..Self::default()
        }
    }

    /// How the last round went.
    pub fn last(&self) -> &Outcome {
        &self.last
    }

    /// One round: a list per zone, and calls only where something is to change. May be dropped at any point.
    pub async fn round(&mut self, desired: &[Desired], zones: &[Zone], dns: &Dns, how: How) -> Outcome {
        let options = Options::new(dns, how.allow_deletes);
        let mut outcome = Outcome::default();
        for desired in desired {
            if let Some(zone) = zones.iter().find(|zone| zone.name == desired.zone) {
                let zone = self.zone(zone, desired, &options, how).await;
                for note in self.noted.news(&zone) {
                    tracing::warn!(zone = zone.zone, "{note}");
                }
                outcome.zones.push(zone);
            }
        }
        self.last = outcome.clone();
        outcome
    }

    async fn zone(&mut self, zone: &Zone, desired: &Desired, options: &Options, how: How) -> ZoneOutcome {
        let (id, client, plan) = match self.planned(zone, desired, options).await {
            Ok(planned) => planned,
            Err(error) => return ZoneOutcome::unread(zone, &error),
        };
        let mut outcome = ZoneOutcome::planned(&plan);
        if !how.dry_run && !plan.is_empty() {
            outcome.applied(zone, apply(&plan, &id, &client).await);
        }
        outcome
    }

    async fn planned(
        &mut self,
        zone: &Zone,
        desired: &Desired,
        options: &Options,
    ) -> Result<(String, Client, Plan), ZoneError> {
        let (id, client) = self.found(zone).await?;
        let records = client.records(&id).await.inspect_err(|error| {
            // A zone that was made anew has another identifier, and the API's words for that differ.
            if !error.is_transient() {
                self.ids.remove(&(zone.api.clone(), zone.name.clone()));
            }
        })?;
        let plan = plan(desired, &records, options);
        Ok((id, client, plan))
    }

    /// The zone's identifier, and the client for it.
    async fn found(&mut self, zone: &Zone) -> Result<(String, Client), ZoneError> {
        let client = self.clients.of(&zone.api, &zone.token)?;
        if let Some(id) = self.ids.get(&(zone.api.clone(), zone.name.clone())) {
            return Ok((id.clone(), client));
        }
        let found = client.zone(&zone.name).await?;
        self.ids
            .insert((zone.api.clone(), zone.name.clone()), found.id.clone());
        Ok((found.id, client))
    }
}

impl Noted {
    /// What was not noted in the round before, and takes note of it.
    fn news(&mut self, outcome: &ZoneOutcome) -> Vec<String> {
        // Nothing was seen of the zone: what is known of it stays.
        if outcome.plan.is_empty() {
            return Vec::new();
        }
        let notes = outcome.notes.iter().cloned().collect();
        let before = self.0.insert(outcome.zone.clone(), notes).unwrap_or_default();
        let news = outcome.notes.iter().filter(|note| !before.contains(*note));
        news.cloned().collect()
    }
}

impl Outcome {
    /// Whether everything is as it should be, or was made so.
    pub fn is_ok(&self) -> bool {
        let bad = |zone: &ZoneOutcome| {
            zone.stopped.is_some() || zone.refused.is_some() || !zone.failures.is_empty()
        };
        !self.zones.iter().any(bad)
    }
}

impl ZoneOutcome {
    fn unread(zone: &Zone, error: &ZoneError) -> Self {
        let (advice, wait) = match error {
            ZoneError::Secret(_) => (
                Some("put the zone's API token there: it is read again at each round"),
                None,
            ),
            ZoneError::Api(error) => (error.advice(), wait(error)),
        };
        Self {
            zone: zone.name.clone(),
            stopped: Some(Trouble {
                what: zone.name.clone(),
                error: error.to_string(),
                advice: advice.map(str::to_owned),
            }),
            wait,
            ..Self::default()
        }
    }

    fn planned(plan: &Plan) -> Self {
        Self {
            zone: plan.zone.clone(),
            plan: plan.to_string(),
            creates: plan.creates.len(),
            updates: plan.updates.len(),
            deletes: plan.deletes.len(),
            notes: plan.notes.iter().map(ToString::to_string).collect(),
            refused: plan.refusal.as_ref().map(Refusal::brief),
            ..Self::default()
        }
    }

    fn applied(&mut self, zone: &Zone, applied: Applied) {
        self.done = applied.done;
        self.failures = applied
            .failures
            .iter()
            .map(|failure| Trouble::new(&failure.what, &failure.error))
            .collect();
        self.wait = applied.stopped.as_ref().and_then(wait);
        self.stopped = applied
            .stopped
            .as_ref()
            .map(|error| Trouble::new(&zone.name, error));
    }
}

impl Trouble {
    fn new(what: &str, error: &ApiError) -> Self {
        Self {
            what: what.to_owned(),
            error: error.to_string(),
            advice: error.advice().map(str::to_owned),
        }
    }
}

/// Whole seconds, rounded up: nobody is to come too early.
fn wait(error: &ApiError) -> Option<u64> {
    match error {
        ApiError::RateLimited { retry_after } => Some(retry_after.as_millis().div_ceil(1000) as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_a_note_is_told_when_it_is_new() {
        let round = |plan: &str, notes: &[&str]| ZoneOutcome {
            zone: "ex.com".to_owned(),
            plan: plan.to_owned(),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            ..ZoneOutcome::default()
        };
        let mut noted = Noted::default();
        let table: [(&str, &[&str], &[&str]); 6] = [
            ("read", &["taken"], &["taken"]),
            ("read", &["taken", "differ"], &["differ"]),
            ("read", &["taken", "differ"], &[]),
            // The API does not answer.
            ("", &[], &[]),
            ("read", &["differ"], &[]),
            ("read", &["taken", "differ"], &["taken"]),
        ];
        for (nth, (plan, notes, news)) in table.into_iter().enumerate() {
            assert_eq!(noted.news(&round(plan, notes)), news, "round {nth}");
        }
        let mut elsewhere = round("read", &["taken"]);
        elsewhere.zone = "ex.org".to_owned();
        assert_eq!(noted.news(&elsewhere), ["taken"]);
    }
}
