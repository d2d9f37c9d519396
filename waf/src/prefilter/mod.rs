//! What a value must hold for an operator to match it at all, and one scan that tells it for all operators.
//!
//! Hardly any value matches hardly any rule. Each operator says at load what it needs ([`Requirement`]): some
//! of a set of literals, some of a set of bytes. A scanner reads a value once and answers for every
//! operator together whether its needs are met; only then the operator itself is asked. It errs on one side
//! alone: an operator that matches is always among the candidates.

mod bytes;
mod literals;
mod rarity;
mod requirement;
mod scanner;
mod windows;

pub use bytes::ByteSet;
pub(crate) use bytes::append_kept;
pub(crate) use literals::of_pattern;
pub use requirement::{Clause, Requirement};
pub(crate) use scanner::{Room, Scanner, ScannerBuilder};
