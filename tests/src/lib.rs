//! Test harness.

pub mod corpus;
