//! Our engine beside Coraza and libmodsecurity: the same rules, the same requests.
//!
//! ```text
//! generate   seed, index                         -> a request
//! setup      the installed rules, probes         -> SecLang for all three
//! peer       a request, over a pipe              -> what another engine made of it
//! ours       a request, in process               -> what our engine made of it
//! views      what an engine saw (ARGS, FILES...) -> comparable values
//! compare    two observations                    -> differences
//! known      differential-known.toml             -> which difference has which explanation
//! shrink     a request that differs              -> a smaller one that still does
//! run        all of that, and the last line
//! ```
//!
//! A rule differs for a reason: the engines disagree about a variable or a transformation that it asks, or
//! about the rule itself. Probe rules write down what each engine sees, so that the first kind is known
//! from the second, and a file of known differences need not list rules by the hundred.

mod compare;
pub mod generate;
mod known;
mod observation;
mod ours;
mod peer;
mod random;
mod report;
mod run;
mod setup;
mod shrink;
mod views;
mod wire;

pub use known::{Known, KnownError};
pub use run::{Plan, RunError, Totals, run};
