//! Certificates that somebody wants to be tried again now: `palisade certs retry`, SIGHUP, a changed configuration.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The names that were asked for and not tried yet. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(in crate::app) struct Retries {
    names: Arc<Mutex<BTreeSet<String>>>,
    wake: Arc<Notify>,
}

impl Retries {
    /// These are to be tried, as soon as somebody can.
    pub(in crate::app) fn ask(&self, names: impl IntoIterator<Item = String>) {
        let mut asked = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        asked.extend(names);
        if !asked.is_empty() {
            self.wake.notify_one();
        }
    }

    /// What was asked for since it was taken last.
    pub(super) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What tells that there is something to take.
    pub(super) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }
}
