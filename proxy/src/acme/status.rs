//! How each certificate is: for the command line, the status page and metrics.

use serde::Serialize;
use time::OffsetDateTime;

use super::plan::{Held, Wanted};
use super::records::{Failure, State};

/// One certificate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CertificateStatus {
    /// What it is called.
    pub name: String,
    /// The names it is to be for.
    pub names: Vec<String>,
    /// The CA's directory.
    pub directory: String,
    /// How it is.
    pub phase: Phase,
    /// A sixth of its life or less is left.
    pub critical: bool,
    /// Who signed the one there is.
    pub issuer: Option<String>,
    /// Begin of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_before: Option<OffsetDateTime>,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_after: Option<OffsetDateTime>,
    /// When the next order is due.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next: Option<OffsetDateTime>,
    /// Why then, and why not now.
    pub why: Option<String>,
    /// The last success.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_success: Option<OffsetDateTime>,
    /// The failures since.
    pub failure: Option<Failure>,
}

/// How a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// There is none yet.
    Absent,
    /// It is being ordered.
    Ordering,
    /// It serves.
    Valid,
    /// It serves, but renewing it failed.
    Failing,
    /// It is over.
    Expired,
}

impl CertificateStatus {
    /// From what is known.
    pub(super) fn new(
        wanted: &Wanted,
        directory: &str,
        held: Option<&Held>,
        state: &State,
        now: OffsetDateTime,
    ) -> Self {
        let phase = match held {
            None => Phase::Absent,
            Some(held) if now >= held.not_after => Phase::Expired,
            Some(_) if state.failure.is_some() => Phase::Failing,
            Some(_) => Phase::Valid,
        };
        Self {
            name: wanted.name.clone(),
            names: wanted.names.clone(),
            directory: directory.to_owned(),
            phase,
            critical: held.is_some_and(|held| now >= held.critical()),
            issuer: held.map(|held| held.issuer.clone()),
            not_before: held.map(|held| held.not_before),
            not_after: held.map(|held| held.not_after),
            next: state.schedule.as_ref().map(|schedule| schedule.renew),
            why: None,
            last_success: state.succeeded,
            failure: state.failure.clone(),
        }
    }
}
