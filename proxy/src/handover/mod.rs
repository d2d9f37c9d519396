//! An edge that runs hands its sockets to the one that follows it: a new binary, or the same one with options that are
//! read once. Nobody is refused in between, and only one of the two orders certificates and writes records.
//!
//! ```text
//! successor                        predecessor, on a socket of its own user
//!   "palisade 1"            ->
//!                           <-     what each socket is for, the sockets
//!   reads its configuration, proves its rules, accepts
//!   "serving"               ->
//!                                  accepts no more, ends its background services
//!                           <-     "draining"
//!   begins its background services
//! ```
//!
//! A successor that comes to nothing is gone, and its predecessor has never stopped serving.
//! (docs/decisions/0021-sockets-handed-over.md)

mod error;
mod offer;
mod predecessor;
mod wire;

pub use error::HandoverError;
pub use offer::{Offer, Successor};
pub use predecessor::Predecessor;
pub use wire::{Purpose, Socket};
