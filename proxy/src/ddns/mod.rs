//! The home's public address: found by several methods, published when they agree.

pub mod address;
pub mod agreement;
pub mod detect;
mod known;
mod notify;
mod outcome;
mod service;
mod watch;

pub use address::Family;
pub use notify::{Notifier, NotifyError, Report};
pub use outcome::{Found, Outcome, Said};
pub use service::{Addresses, log};
pub use watch::HostWatch;
