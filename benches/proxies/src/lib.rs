//! Whole proxies against each other: the requests, a client that loads, an upstream that answers, how each proxy is
//! configured and started, what it used, and the measurement. How to measure and what came out: `BENCHMARKS.md`.
//!
//! All proxies are set up alike: one worker on one core, the same certificate, kept connections to the same
//! upstream, no access log. Where a proxy's own default differs its file says so.

mod envoy;
mod go_coraza;
mod haproxy;
mod nginx;
mod palisade;

pub mod accounting;
pub mod cases;
pub mod hold;
pub mod load;
pub mod measure;
pub mod peer;
pub mod place;
pub mod running;
pub mod table;
pub mod upstream;
