//! Test harness.

pub mod corpus;
pub mod sources;
