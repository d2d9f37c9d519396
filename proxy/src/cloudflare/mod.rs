//! Cloudflare's API, version 4, as far as records of zones go: a thin client, the records as they are, and what its
//! errors mean to whoever reads them. Why it is our own: docs/decisions/0018-own-cloudflare-client.md.

mod answer;
mod batch;
mod client;
mod clients;
mod error;
mod quota;
mod record;
#[cfg(test)]
mod tests;

pub use batch::{BATCH_LIMIT, Batch};
pub use client::{Client, Token, Zone};
pub use clients::Clients;
pub use error::{ApiError, ApiMessage};
pub use quota::Quota;
pub use record::{NewRecord, Record, RecordPatch, RecordType};
