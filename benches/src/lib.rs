//! What the benchmarks measure with: configurations from text, rule sets as the edge compiles them, requests,
//! and one request's way through the engine. How to measure and what came out: `BENCHMARKS.md`.

pub mod configuration;
pub mod policy;

pub use palisade_bench_engine::{inspect, requests};

/// The edge's own: the engine makes many small allocations.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
