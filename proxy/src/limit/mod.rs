//! Limits that are counted, without I/O.

mod bans;
mod buckets;
mod budget;
mod client;
mod connections;
mod quota;

pub use bans::{Ban, BanRules, Bans};
pub use buckets::Buckets;
pub use budget::{BodyBudget, Share};
pub use client::ClientKey;
pub use connections::{ClientConnection, ClientConnections};
pub use quota::{Decision, Quota, Standing};
