//! The composition root: it alone sees every room. Read it as a table of contents.

mod backends;
mod build;
mod error;
mod reload;
mod run;
mod services;
mod start;
mod status;
#[cfg(test)]
mod tests;
mod upkeep;

pub use build::{Addresses, App};
pub use error::{ReloadError, StartError};
pub use run::run;
pub use services::addresses;
pub use start::Running;
