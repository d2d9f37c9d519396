//! The home's public address: found by several methods, published when they agree.

pub mod address;
pub mod agreement;
pub mod detect;

pub use address::Family;
