//! Certificates by ACME (RFC 8555, DNS-01): what is to be done (`plan`, `budget`: pure), and the doing.

mod budget;
mod disk;
mod files;
mod plan;
mod store;

pub use budget::{Budget, History, Outcome};
pub use disk::DiskStore;
pub use plan::{
    Asked, Decision, Held, Obstacle, Reason, Schedule, Setback, Situation, Wanted, Window, decide, schedule,
};
pub use store::{Document, Pair, Store, StoreError};
