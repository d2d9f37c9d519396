//! What is known about a certificate beside itself, as it is stored.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::challenge::Published;
use super::error::AcmeError;
use super::plan::{Schedule, Setback};
use super::problem::Problem;

/// `state.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// When it is renewed.
    pub(super) schedule: Option<Schedule>,
    /// The failures since the last success.
    pub(super) failure: Option<Failure>,
    /// The last success.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) succeeded: Option<OffsetDateTime>,
    /// The order that is under way.
    pub(super) order: Option<OpenOrder>,
    /// TXT records that may be there.
    pub(super) published: Vec<Published>,
}

/// Failures in a row; the last one told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// How many.
    pub count: u32,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The CA wants to hear nothing before.
    #[serde(with = "time::serde::rfc3339::option")]
    pub retry_after: Option<OffsetDateTime>,
    /// What happened.
    pub message: String,
    /// The CA's own account of it.
    pub problem: Option<Problem>,
    /// What to do about it.
    pub advice: Option<String>,
    /// It cost the CA nothing.
    #[serde(default)]
    pub ours: bool,
    /// The directory of the CA that it was with; empty if it was noted by an edge that did not say.
    #[serde(default)]
    pub directory: String,
}

/// An order at the CA. Its key is stored before the CA can make a certificate for it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenOrder {
    /// Its URL.
    pub(super) url: String,
    /// When it was made.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(super) made: Option<OffsetDateTime>,
    /// What it was made for; an order for anything else is not gone on with.
    pub(super) purpose: Purpose,
    /// PEM.
    pub(super) key: String,
}

/// What tells orders apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Purpose {
    pub(super) directory: String,
    pub(super) names: Vec<String>,
    pub(super) profile: Option<String>,
}

impl Failure {
    /// One failure more.
    pub(super) fn after(
        before: Option<&Self>,
        directory: &str,
        error: &AcmeError,
        now: OffsetDateTime,
    ) -> Self {
        let before = before.filter(|failure| failure.is_with(directory));
        Self {
            count: before.map_or(0, |failure| failure.count).saturating_add(1),
            at: now,
            retry_after: error.retry_after(),
            message: error.to_string(),
            problem: error.problem().cloned(),
            advice: error.advice().map(str::to_owned),
            ours: error.is_ours(),
            directory: directory.to_owned(),
        }
    }

    /// Whether this CA has anything to do with it.
    pub(super) fn is_with(&self, directory: &str) -> bool {
        self.directory.is_empty() || self.directory == directory
    }

    pub(super) fn setback(&self) -> Setback {
        Setback {
            count: self.count,
            at: self.at,
            retry_after: self.retry_after,
            ours: self.ours,
        }
    }
}

/// Without the key.
impl std::fmt::Debug for OpenOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOrder")
            .field("url", &self.url)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
