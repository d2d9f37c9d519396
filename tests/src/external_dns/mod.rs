//! Our records beside those of external-dns: the same wishes, each side in a zone of its own and then in the other's.
//!
//! What external-dns wrote is kept in [`FIXTURE`]; [`hold`] holds our planner against it without external-dns.
//! `make external-dns` asks external-dns itself, with the program of `tests/lab/external-dns`.

// A harness that cannot do its work has nothing better to do than to fail the test that asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod case;
mod cases;
mod compare;
mod ours;
mod theirs;
mod wrote;
mod zone;

pub use case::{Case, Difference, Stage, Want};
pub use cases::cases;
pub use compare::{Finding, Findings, ask, hold};
pub use theirs::ExternalDns;
pub use wrote::{FIXTURE, Wrote, keep, kept};
