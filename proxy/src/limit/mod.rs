//! Limits that are counted, without I/O.

mod budget;
mod clients;

pub use budget::{BodyBudget, Share};
pub use clients::{ClientConnection, ClientConnections, ClientKey};
