//! The ways to choose among backends, each a pure function of what it is told.

mod least;
mod rendezvous;
mod round_robin;

pub(super) use least::{Busy, least_of_two};
pub use rendezvous::key;
pub(super) use rendezvous::{Seeded, highest, seed};
pub(super) use round_robin::{Mask, Schedule, shares};
