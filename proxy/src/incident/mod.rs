//! Incidents: why a request was stopped, in plain words, and the narrowest exclusion that would let it pass.
//! Pure: the record comes from the flow or from a line of the audit log.

mod exclusion;
mod explain;
mod record;
#[cfg(test)]
mod tests;

pub use exclusion::{Advice, advise};
pub use explain::explain;
pub use record::{Facts, Incident};
