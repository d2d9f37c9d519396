//! The certificate set: which certificate answers which SNI, and its hot swap.

mod client_trust;
mod error;
mod load;
mod peer;
mod resolver;
mod self_signed;
mod set;

pub use client_trust::{ClientTrust, ClientTrusts};
pub use error::CertificateError;
pub use load::load;
pub use peer::Peer;
pub use resolver::{CertificateStore, SniResolver};
pub use self_signed::stand_in;
pub use set::{CertificateSet, Entry};
