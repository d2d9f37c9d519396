//! What an operator sees: metrics, the access log, the audit log, the log of matches, diagnostics.

pub mod access;
pub mod backends;
mod counts;
mod diagnostics;
mod heritage;
mod histogram;
pub mod matches;
pub mod metrics;
mod refused;
mod sink;

pub use counts::Counts;
pub use diagnostics::init_diagnostics;
pub use metrics::Metrics;
pub use refused::RefusedRequest;
pub use sink::{Sink, SinkError};
