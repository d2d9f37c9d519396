//! Certificates by ACME (RFC 8555), validated by DNS-01: each configured name and its wildcard on one certificate.
//!
//! `plan` and `budget` are pure: what is stored and what the CA suggests become a decision. `service` looks at every
//! certificate in rounds and does what was decided: `order` (with `authorize`, over `account` and `client`) gets a
//! certificate, `challenge` and `authority` (over `lookup`) have the TXT records written and see that the world sees
//! them, `renewal` asks the CA when the next one is due, `store` (on `disk`, by `files`) keeps it all, `upkeep` tidies, `view`
//! shows it to others.

mod account;
mod authority;
mod authorize;
mod budget;
mod chain;
mod challenge;
mod client;
mod disk;
mod error;
mod files;
mod issued;
mod lookup;
mod order;
mod plan;
mod problem;
mod records;
mod renewal;
mod service;
mod spent;
mod status;
mod store;
#[cfg(test)]
mod testing;
mod upkeep;
mod view;

pub use authority::{Authorities, Lack, LookupError, Server};
pub use challenge::{CHALLENGE_TTL, TxtError, TxtRecords};
pub use disk::DiskStore;
pub use error::{AcmeError, Step, Unfit, Unvalidated};
pub use lookup::Bootstrap;
pub use problem::{Problem, Subproblem};
pub use records::Failure;
pub use service::{Certificates, Round};
pub use spent::{HeldBack, held_back};
pub use status::{CertificateStatus, Phase};
pub use store::{Document, Pair, Store, StoreError};
pub use view::View;
