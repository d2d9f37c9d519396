//! What tests share.

pub mod dice;
pub mod patterns;
pub mod requests;
#[path = "../../fuzz/src/lib.rs"]
pub mod targets;
