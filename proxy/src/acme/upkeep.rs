//! What is done for certificates besides ordering them: trying again when somebody asks, and taking away what those left
//! that are no longer wanted.

use std::collections::BTreeSet;

use super::order;
use super::records::State;
use super::service::Certificates;
use super::store::{self, Document, StoreError};

impl Certificates {
    /// Forgets the failures of these, because someone has done something about them: the next round tries again, and
    /// asks the CA anew when they are due. The CA's budgets hold all the same, and so does a time that it named.
    pub async fn retry(&mut self, names: &BTreeSet<String>) -> Result<(), StoreError> {
        let asked = self.wanted.iter().filter(|wanted| names.contains(&wanted.name));
        for wanted in asked.cloned().collect::<Vec<_>>() {
            self.catch_up(&wanted).await?;
            let mut found = self.find(&wanted).await?;
            if let Some(error) = found.unread.take() {
                return Err(error);
            }
            if forget(&mut found.state) {
                self.keep_state(&wanted, &found.state).await?;
            }
        }
        Ok(())
    }

    /// Takes away the challenges of those that are not among `wanted`, while their zones are still known.
    pub async fn leave(&self, wanted: &[String]) {
        let left = self.wanted.iter().filter(|one| !wanted.contains(&one.name));
        for one in left {
            self.tidy_left(&one.name).await;
        }
    }

    /// Once in a process: what an edge left that was stopped during an order and is now told of other certificates.
    pub(super) async fn sweep(&mut self) {
        if std::mem::replace(&mut self.swept, true) {
            return;
        }
        let names = self.store.names().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what certificates left that are no longer wanted is not looked for");
            Vec::new()
        });
        let is_wanted = |name: &String| self.wanted.iter().any(|wanted| wanted.name == *name);
        for name in names.iter().filter(|name| !is_wanted(name)) {
            self.tidy_left(name).await;
        }
    }

    async fn tidy_left(&self, name: &str) {
        let certificate = name.to_owned();
        let state = store::load::<State>(&*self.store, &Document::State { certificate }).await;
        let tidied = match state {
            Ok(Some(mut state)) => order::tidy(&*self.store, &*self.records, name, &mut state).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = tidied {
            tracing::warn!(certificate = name, %error, "its challenges may still be published");
        }
    }
}

/// Returns whether there was something.
fn forget(state: &mut State) -> bool {
    let planned = state.schedule.as_mut().map(|schedule| {
        // In the past: it is time to ask.
        schedule.ask = time::OffsetDateTime::UNIX_EPOCH;
    });
    let failed = match &mut state.failure {
        // What it said is told until then; that we failed counts for nothing.
        Some(failure) if failure.retry_after.is_some() => {
            failure.count = 0;
            true
        }
        failure => failure.take().is_some(),
    };
    planned.is_some() || failed
}
