//! Records for the hostnames of routes: what should be there (`desired`), whose what is there is (`registry`), what to
//! do about the difference (`plan`: pure, as data), doing it (`apply`), round after round (`service`).
//!
//! Nothing is touched that does not carry our mark. The marks are external-dns': who comes from there, or goes back,
//! loses no record.

mod actual;
mod apply;
mod desired;
mod plan;
mod record;
mod registry;
mod service;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use apply::{Applied, Failure, apply};
pub use desired::{Addresses, Desired, Found, desired};
pub use plan::{Create, Delete, Guard, Limit, Note, Options, Part, Plan, Refusal, Subject, Update, plan};
pub use record::{Host, Kind, Wants, Wish};
pub use registry::{Labels, MarkProblem, Registry, Typed};
pub use service::{How, Outcome, Records, Trouble, ZoneOutcome};
