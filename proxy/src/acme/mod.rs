//! Certificates by ACME (RFC 8555, DNS-01): what is to be done (`plan`, `budget`: pure), and the doing.

mod account;
mod authority;
mod budget;
mod challenge;
mod client;
mod disk;
mod error;
mod files;
mod issued;
mod order;
mod plan;
mod records;
mod service;
mod status;
mod store;
#[cfg(test)]
mod testing;

pub use authority::{Authorities, Bootstrap, Lack, LookupError, Server};
pub use budget::{Budget, History, Outcome};
pub use challenge::{CHALLENGE_TTL, Published, TxtError, TxtRecords};
pub use disk::DiskStore;
pub use error::{AcmeError, Problem, Step, Subproblem, Unfit, Unvalidated};
pub use plan::{
    Asked, Decision, Held, Obstacle, Reason, Schedule, Setback, Situation, Wanted, Window, decide, schedule,
};
pub use records::Failure;
pub use service::{Certificates, Round, View};
pub use status::{CertificateStatus, Phase};
pub use store::{Document, Pair, Store, StoreError};
