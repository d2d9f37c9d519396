//! What hostile clients send, byte for byte, and what comes back: from the edge, and from other proxies beside it.
//!
//! `tests/tests/edge/hostile.rs` holds the edge to the table; `make hostile` sends the same bytes to Envoy and nginx and
//! writes tests/HOSTILE.md.

// A harness that cannot do its work has nothing better to do than to fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exchange;
pub mod frames;
mod http1;
mod http2;
mod ours;
mod peers;
mod recorder;
mod table;

pub use exchange::{Outcome, exchange};
pub use ours::edge;
pub use peers::{Absent, Peer};
pub use recorder::Recorder;
pub use table::{Row, table};

/// The host that everything is sent for.
pub const HOST: &str = "app.test";

/// One hostile input.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it plays with.
    pub group: &'static str,
    /// What it is.
    pub name: String,
    /// The bytes.
    pub input: Input,
    /// What the edge answers.
    pub wanted: Outcome,
    /// What no upstream may see; empty where it may see nothing at all.
    pub never: &'static str,
    /// Why the edge is less strict than another proxy, where it is.
    pub why: &'static str,
}

/// Bytes over TLS, and the protocol that was agreed on.
#[derive(Debug, Clone)]
pub enum Input {
    /// HTTP/1.1.
    Http1(Vec<u8>),
    /// HTTP/2, the preface included.
    Http2(Vec<u8>),
    /// HTTP/2 where what counts is how the connection ends, whatever else is answered before.
    Flood(Vec<u8>),
}

impl Case {
    /// Whether it is to be answered as any request, though cleaned.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.wanted == Outcome::Status(200)
    }
}

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut all = http1::cases();
    all.extend(http2::cases());
    all
}
