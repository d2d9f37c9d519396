//! The composition root: it alone sees every room. Read it as a table of contents.

mod backends;
mod bans;
mod build;
mod counts;
mod descriptors;
mod error;
mod gauge;
mod reload;
mod run;
mod running;
mod services;
mod sockets;
mod start;
mod status;
#[cfg(test)]
mod tests;
mod upkeep;
mod wiring;
mod workers;

pub use build::App;
pub use error::{ReloadError, StartError};
pub use run::run;
pub use running::Running;
pub use services::addresses;
pub use sockets::Addresses;
