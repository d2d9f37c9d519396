//! The real library on port 0, with upstreams of the test's own and clients of both kinds.
//!
//! A scenario reads: start upstreams, start an edge over them, act as a client, assert what the client, the
//! upstream or the operator would notice. Everything that waits is bounded by [`within`].

// A harness that cannot do its work has nothing better to do than to fail the test that asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod answer;
mod ask;
mod ca;
mod country_database;
mod edge;
mod identity;
mod logs;
pub mod polite;
mod process;
mod raw;
mod route;
mod rules;
mod scraper;
mod shared;
pub mod upstream;

use std::future::Future;
use std::time::Duration;

pub use answer::Answer;
pub use ask::{Ask, PROBE, probe};
pub use ca::{Leaf, TestCa};
pub use country_database::country_database;
pub use edge::{EdgeBuilder, EdgeFiles, TestEdge, replace, websocket};
pub use identity::Identity;
pub use logs::LogFile;
pub use polite::Versions;
pub use process::{EdgeProcess, binary, run_binary, said, signal};
pub use raw::{Connection, Handshake, Tls, tls_client, tls_stream};
pub use route::{Backend, Route};
pub use rules::{crs_rules, crs_source, workspace};
pub use scraper::{Scrape, Scraper, scrape};
pub use shared::{SQL_ERROR_PAGE, World, world};
pub use upstream::Upstream;

/// More than any step of a scenario needs on a busy machine of two cores.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for `future`, and fails the test with `what` if it takes longer than [`PATIENCE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain: {what}"),
    }
}

/// Asks `check` again and again until it gives a value; fails with `what` after [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut check: impl FnMut() -> F) -> T {
    within(what, async {
        loop {
            if let Some(value) = check().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}
