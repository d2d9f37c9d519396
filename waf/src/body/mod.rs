//! Body processors: bytes in, named values out. Bounded by [`crate::Limits`]; no input can panic them.
//!
//! Each follows ModSecurity v3 or Coraza where the two agree, and says so where it had to choose. They
//! share one attitude: what is malformed is *flagged, not lost*. A parser that stops at the first error
//! hides the rest of the body from the rules, so an error here carries what was read before it, and the
//! multipart parser reads on.
//!
//! Their error texts are those of ModSecurity's parsers. `REQBODY_ERROR_MSG` and
//! `REQBODY_PROCESSOR_ERROR_MSG` show them behind `Multipart parsing error: `, `JSON parsing error: ` or
//! `XML parsing error: `, which the caller puts there.

pub mod cookies;
#[cfg(test)]
mod fuzzing;
pub mod json;
pub mod multipart;
pub mod urlencoded;
mod work;
pub mod xml;
