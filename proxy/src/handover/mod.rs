//! An edge that runs hands its sockets to the one that follows it: a new binary, or the same one with options that are
//! read once. Nobody is refused in between, and only one of the two orders certificates and writes records.
//!
//! ```text
//! successor                        predecessor, on a socket of its own user
//!   "palisade 1"            ->
//!                           <-     what each socket is for, the sockets
//!   reads its configuration, proves its rules, accepts
//!   "serving", "counts 1"   ->
//!                                  accepts no more
//!                           <-     "counts 1", what was counted until now
//!                                  ends its background services
//!                           <-     "draining"
//!   begins its background services
//!                           <-     now and then, and at its end, on a connection of its own:
//!                                  "counts 1", what was counted since
//!   "taken"                 ->
//! ```
//!
//! A successor that comes to nothing is gone, and its predecessor has never stopped serving. What is said of counts may
//! be left out by either side, or not be understood: then they begin anew, and that is all.
//! (docs/decisions/0021-sockets-handed-over.md, 0053-counts-handed-over.md)

mod counts;
mod error;
mod offer;
mod place;
mod predecessor;
#[cfg(test)]
mod tests;
mod wire;

pub use counts::{Delivery, Heir, TakeCounts};
pub use error::HandoverError;
pub use offer::{Lingering, Offer, Successor};
pub use predecessor::Predecessor;
pub use wire::{Purpose, Socket};
