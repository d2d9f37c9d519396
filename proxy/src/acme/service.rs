//! The certificates of a configuration: looked at in rounds, ordered one at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::watch;

use super::account::{self, Ca};
use super::authority::Authorities;
use super::budget::History;
use super::challenge::TxtRecords;
use super::error::AcmeError;
use super::issued;
use super::order::{self, Ordering};
use super::plan::{self, Decision, Held, Situation, Wanted};
use super::records::{Failure, State};
use super::status::{CertificateStatus, Phase};
use super::store::{self, Document, Pair, Store, StoreError};
use super::view::{Showcase, View};
use crate::certs::Entry;
use crate::config::{Acme, UntilIssued, Zone, is_within};

/// Clocks are set, machines sleep: however far away the next thing to do is, it is looked for this often.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// However near.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// When the store fails there is nowhere to note that.
const STORE_AGAIN: time::Duration = time::Duration::MINUTE;

/// All certificates.
pub struct Certificates {
    pub(super) acme: Acme,
    pub(super) wanted: Vec<Wanted>,
    pub(super) store: Arc<dyn Store>,
    pub(super) records: Arc<dyn TxtRecords>,
    authorities: Authorities,
    showcase: Showcase,
    /// What the store did not take yet: nothing else is done for these certificates before it has.
    pub(super) unstored: BTreeMap<String, Unstored>,
    /// Whether it was looked for what certificates left that are no longer wanted.
    pub(super) swept: bool,
}

/// The time, as it goes on from what a round was told: an order takes minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    told: OffsetDateTime,
    at: Instant,
}

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// How long until there may be something to do again.
    pub next: Duration,
    /// Whether [`View::entries`] is not what it was.
    pub changed: bool,
}

/// One certificate as it was found.
pub(super) struct Found {
    pub(super) held: Option<Held>,
    entry: Option<Entry>,
    pub(super) state: State,
    /// Why the state is not what is stored: it could not be read. The certificate serves all the same.
    pub(super) unread: Option<StoreError>,
}

/// What was learnt, until it is stored.
pub(super) struct Unstored {
    pub(super) pair: Option<Pair>,
    pub(super) state: State,
}

impl Certificates {
    /// The certificates of these zones. Nothing is read or asked yet.
    pub fn new(
        zones: &[Zone],
        acme: &Acme,
        store: Arc<dyn Store>,
        records: Arc<dyn TxtRecords>,
        authorities: Authorities,
    ) -> Self {
        Self {
            acme: acme.clone(),
            wanted: wanted(zones),
            store,
            records,
            authorities,
            showcase: Showcase::new(acme.until_issued == UntilIssued::SelfSigned),
            unstored: BTreeMap::new(),
            swept: false,
        }
    }

    /// What serves and how it is, now and after each change.
    pub fn view(&self) -> watch::Receiver<Arc<View>> {
        self.showcase.subscribe()
    }

    /// Another configuration. What serves goes on serving until the next round or `follow`; subscribers stay.
    pub fn reconfigure(&mut self, zones: &[Zone], acme: &Acme, records: Arc<dyn TxtRecords>) {
        self.wanted = wanted(zones);
        self.acme = acme.clone();
        self.records = records;
        self.authorities.instead.clone_from(&acme.nameservers);
        self.showcase
            .set_stand_ins(acme.until_issued == UntilIssued::SelfSigned);
        self.showcase
            .retain(|name| self.wanted.iter().any(|wanted| wanted.name == name));
    }

    /// Reads what is stored, and orders nothing: at the start, and on replicas that do not lead.
    pub async fn follow(&mut self, now: OffsetDateTime) -> Round {
        let mut round = Round {
            next: LONGEST_PAUSE,
            changed: false,
        };
        // Somebody else writes now: what we could not store is not ours to store any more.
        self.unstored.clear();
        for wanted in self.wanted.clone() {
            let read = match self.find(&wanted).await {
                Ok(mut found) => {
                    round.changed |= self.show(&wanted, &found, None, now);
                    found.unread.take().map_or(Ok(()), Err)
                }
                Err(error) => Err(error),
            };
            if let Err(error) = read {
                self.store_failed(&wanted, &error, &mut round, now);
            }
        }
        round
    }

    /// Looks at every certificate, and orders those that are due. May be dropped at any time: what was begun is gone
    /// on with in the next round.
    pub async fn round(&mut self, now: OffsetDateTime) -> Round {
        let mut round = Round {
            next: LONGEST_PAUSE,
            changed: false,
        };
        let clock = Clock::from(now);
        let mut ca = None;
        for wanted in self.wanted.clone() {
            match self.look(&wanted, &mut ca, &mut round, clock).await {
                Ok(next) => round.next = round.next.min(next),
                Err(error) => self.store_failed(&wanted, &error, &mut round, clock.now()),
            }
        }
        self.sweep().await;
        round.next = round.next.max(SHORTEST_PAUSE);
        round
    }

    /// One certificate; returns when to look again.
    async fn look(
        &mut self,
        wanted: &Wanted,
        ca: &mut Option<Ca>,
        round: &mut Round,
        clock: Clock,
    ) -> Result<Duration, StoreError> {
        let now = clock.now();
        self.catch_up(wanted).await?;
        let mut found = self.find(wanted).await?;
        if let Some(error) = found.unread.take() {
            round.changed |= self.show(wanted, &found, None, now);
            return Err(error);
        }
        if let Err(error) = self.plan_renewal(wanted, &mut found, ca, now).await {
            round.changed |= self.show(wanted, &found, None, now);
            return Err(error);
        }
        let mut history = self.history(now).await?;
        let decision = self.decide(wanted, &found, &history, now);
        // What a crash left goes away, but for the challenges of an order that is gone on with: the CA may be looking at
        // them, and would count a failed validation.
        if found.state.order.is_none() || !matches!(decision, Decision::Order { .. }) {
            order::tidy(&*self.store, &*self.records, &wanted.name, &mut found.state).await?;
        }
        round.changed |= self.show(wanted, &found, Some(&decision), now);
        if let Decision::Order { replaces, reason } = &decision {
            tracing::info!(certificate = %wanted.name, %reason, replaces = replaces.as_deref(), "ordering");
            self.showcase
                .change(&wanted.name, |status| status.phase = Phase::Ordering);
            let ordered = self
                .order(wanted, &mut found, &mut history, ca, replaces.as_deref(), now)
                .await;
            let now = clock.now();
            self.conclude(wanted, &mut found, ordered, now);
            round.changed |= self.show(wanted, &found, None, now);
            self.catch_up(wanted).await?;
            self.plan_renewal(wanted, &mut found, ca, now).await?;
        } else if matches!(decision, Decision::Keep { .. }) {
            self.settle(wanted, &mut found).await?;
        }
        let now = clock.now();
        let decision = self.decide(wanted, &found, &history, now);
        round.changed |= self.show(wanted, &found, Some(&decision), now);
        Ok(pause(&decision, &found.state, now))
    }

    /// Nothing is to be done, but the state may say otherwise: the certificate came, and then we crashed; or someone
    /// put one there.
    async fn settle(&self, wanted: &Wanted, found: &mut Found) -> Result<(), StoreError> {
        let Found { held, state, .. } = found;
        if state.order.is_none() && state.failure.is_none() {
            return Ok(());
        }
        (state.order, state.failure) = (None, None);
        state.succeeded = state.succeeded.max(held.as_ref().map(|held| held.not_before));
        self.keep_state(wanted, &found.state).await
    }

    fn decide(&self, wanted: &Wanted, found: &Found, history: &History, now: OffsetDateTime) -> Decision {
        // What another CA refused is no reason to wait for this one.
        let failure = found.state.failure.as_ref();
        let failure = failure.filter(|failure| failure.is_with(&self.acme.directory));
        let setback = failure.map(Failure::setback);
        let situation = Situation {
            wanted,
            directory: &self.acme.directory,
            held: found.held.as_ref(),
            renew: found.state.schedule.as_ref().map(|schedule| schedule.renew),
            setback: setback.as_ref(),
            history,
            open: found.state.order.is_some(),
        };
        plan::decide(&situation, now)
    }

    /// What is stored of one certificate. What cannot be used is told, set aside and taken for absent. The certificate
    /// comes first: whatever there is to say about the state, it serves.
    pub(super) async fn find(&self, wanted: &Wanted) -> Result<Found, StoreError> {
        let mut found = Found {
            held: None,
            entry: None,
            state: State::default(),
            unread: None,
        };
        // Behind one that is set aside there may be the one before.
        while let Some(pair) = self.store.pair(&wanted.name).await? {
            match issued::read(&wanted.name, &pair) {
                Ok((entry, held)) => {
                    (found.entry, found.held) = (Some(entry), Some(held));
                    break;
                }
                Err(error) => {
                    tracing::error!(certificate = %wanted.name, %error, "damaged certificate; going on without it");
                    let place = self.store.set_pair_aside(&wanted.name).await?;
                    tracing::info!(certificate = %wanted.name, %place, "the damaged certificate is set aside");
                }
            }
        }
        let certificate = wanted.name.clone();
        match store::load(&*self.store, &Document::State { certificate }).await {
            Ok(state) => found.state = state.unwrap_or_default(),
            Err(error) => found.unread = Some(error),
        }
        Ok(found)
    }

    /// An order, and if the CA does not know our account any more, one with a new account.
    async fn order(
        &self,
        wanted: &Wanted,
        found: &mut Found,
        history: &mut History,
        ca: &mut Option<Ca>,
        replaces: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Pair, AcmeError> {
        let mut renewed = false;
        loop {
            let mut ordering = Ordering {
                acme: &self.acme,
                wanted,
                store: &*self.store,
                records: &*self.records,
                authorities: &self.authorities,
                ca: self.opened(ca).await?,
                state: &mut found.state,
                history,
                now,
            };
            match ordering.run(replaces).await {
                Err(error) if error.is_unknown_account() && !renewed => {
                    renewed = true;
                    account::forget(&self.acme, &*self.store).await?;
                    *ca = None;
                }
                result => return result,
            }
        }
    }

    /// What came of an order, as it is to be shown and stored.
    fn conclude(
        &mut self,
        wanted: &Wanted,
        found: &mut Found,
        ordered: Result<Pair, AcmeError>,
        now: OffsetDateTime,
    ) {
        let pair = match ordered {
            Ok(pair) => {
                if let Ok((entry, held)) = issued::read(&wanted.name, &pair) {
                    tracing::info!(certificate = %wanted.name, until = %held.not_after, issuer = %held.issuer, "issued");
                    (found.entry, found.held) = (Some(entry), Some(held));
                }
                (found.state.order, found.state.failure) = (None, None);
                found.state.succeeded = Some(now);
                Some(pair)
            }
            Err(error) => {
                tracing::error!(certificate = %wanted.name, %error, advice = error.advice(), "no certificate");
                let failure = Failure::after(found.state.failure.as_ref(), &self.acme.directory, &error, now);
                found.state.failure = Some(failure);
                None
            }
        };
        let state = found.state.clone();
        self.unstored
            .insert(wanted.name.clone(), Unstored { pair, state });
    }

    /// Stores what is not stored yet: the certificate before the state that says so.
    pub(super) async fn catch_up(&mut self, wanted: &Wanted) -> Result<(), StoreError> {
        let Some(Unstored { pair, state }) = self.unstored.get(&wanted.name) else {
            return Ok(());
        };
        if let Some(pair) = pair {
            self.store.install(&wanted.name, pair).await?;
        }
        self.keep_state(wanted, state).await?;
        self.unstored.remove(&wanted.name);
        Ok(())
    }

    pub(super) async fn opened<'ca>(&self, ca: &'ca mut Option<Ca>) -> Result<&'ca Ca, AcmeError> {
        let opened = match ca.take() {
            Some(opened) => opened,
            None => Ca::open(&self.acme, &*self.store).await?,
        };
        Ok(ca.insert(opened))
    }

    async fn history(&self, now: OffsetDateTime) -> Result<History, StoreError> {
        let which = Document::History {
            directory: self.acme.directory.clone(),
        };
        let history: Option<History> = store::load(&*self.store, &which).await?;
        let mut history = history.unwrap_or_default();
        if history.set_back(now) {
            store::keep(&*self.store, &which, &history).await?;
        }
        Ok(history)
    }

    pub(super) async fn keep_state(&self, wanted: &Wanted, state: &State) -> Result<(), StoreError> {
        order::keep_state(&*self.store, &wanted.name, state).await
    }

    /// Shows one certificate; returns whether what serves has changed.
    fn show(
        &mut self,
        wanted: &Wanted,
        found: &Found,
        decision: Option<&Decision>,
        now: OffsetDateTime,
    ) -> bool {
        let held = found.held.as_ref();
        let mut status = CertificateStatus::new(wanted, &self.acme.directory, held, &found.state, now);
        (status.next, status.why) = match decision {
            Some(Decision::Keep { until }) => (Some(*until), None),
            Some(Decision::Order { reason, .. }) => (Some(now), Some(reason.to_string())),
            Some(Decision::Wait { until, reason, why }) => (Some(*until), Some(format!("{reason}; {why}"))),
            None => (status.next, None),
        };
        let certificate = found.entry.clone().zip(found.held.clone());
        self.showcase.show(certificate, status)
    }

    /// What was shown before goes on serving; where nothing was, a stand-in may.
    fn store_failed(&mut self, wanted: &Wanted, error: &StoreError, round: &mut Round, now: OffsetDateTime) {
        tracing::error!(certificate = %wanted.name, %error, "the store fails");
        if !self.showcase.shows(&wanted.name) {
            let (directory, state) = (&self.acme.directory, State::default());
            let status = CertificateStatus::new(wanted, directory, None, &state, now);
            round.changed |= self.showcase.show(None, status);
        }
        self.showcase.change(&wanted.name, |status| {
            status.next = Some(now + STORE_AGAIN);
            status.why = Some(error.to_string());
        });
        round.next = round.next.min(STORE_AGAIN.unsigned_abs());
    }
}

impl From<OffsetDateTime> for Clock {
    fn from(told: OffsetDateTime) -> Self {
        Self {
            told,
            at: Instant::now(),
        }
    }
}

impl Clock {
    fn now(self) -> OffsetDateTime {
        self.told + self.at.elapsed()
    }
}

/// Each name and its wildcard. CAs count by registered domain; that is not more than what the widest zone is.
pub(super) fn wanted(zones: &[Zone]) -> Vec<Wanted> {
    let widest = |name: &str| {
        let around = zones.iter().filter(|zone| is_within(name, &zone.name));
        around
            .min_by_key(|zone| zone.name.len())
            .map_or(name, |zone| &zone.name)
            .to_owned()
    };
    let names = zones.iter().flat_map(|zone| &zone.certificates);
    names
        .map(|name| Wanted {
            name: name.clone(),
            names: vec![name.clone(), format!("*.{name}")],
            zone: widest(name),
        })
        .collect()
}

fn pause(decision: &Decision, state: &State, now: OffsetDateTime) -> Duration {
    let until = match decision {
        Decision::Keep { until } | Decision::Wait { until, .. } => *until,
        Decision::Order { .. } => now,
    };
    let ask = state.schedule.as_ref().map(|schedule| schedule.ask);
    let next = ask.map_or(until, |ask| ask.min(until));
    Duration::try_from(next - now)
        .unwrap_or_default()
        .clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
