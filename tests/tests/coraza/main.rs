//! The edge served by Coraza, and watched by it. Built with the feature `coraza` only: `make coraza`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod engine;
mod policy;
mod shadow;
