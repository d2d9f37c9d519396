//! Limits that are counted, without I/O.

mod budget;

pub use budget::{BodyBudget, Share};
