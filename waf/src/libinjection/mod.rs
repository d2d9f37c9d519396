//! Injection detection by grammar rather than by pattern: libinjection's method, in our own words.
//!
//! [`sqli()`] reads a value as a piece of SQL, reduces it to a fingerprint of at most five tokens and looks the
//! fingerprint up among those that only attacks have. [`xss()`] reads a value as HTML in each place where a page
//! could have put it and looks for tags, attributes and addresses that run script.
//!
//! Both borrow from the value, allocate nothing, cannot panic and take time linear in the value's length.
//! `docs/decisions/0014-own-libinjection.md` says why this is our own, which implementation it is held against
//! and how; `NOTICE` says whose data tables these are.

use crate::prefilter::ByteSet;

#[cfg(test)]
mod samples;
mod search;
mod sqli;
mod words;
mod xss;

/// The bytes of which each value that [`sqli()`] takes for an injection holds one.
pub(crate) fn needed_by_sqli() -> ByteSet {
    let mut needed = ByteSet::EMPTY;
    needed.extend((0..=u8::MAX).filter(|byte| !sqli::is_plain(*byte)));
    needed
}

/// The bytes of which each value that [`xss()`] takes for an injection holds one.
pub(crate) fn needed_by_xss() -> ByteSet {
    ByteSet::of(b"<=")
}

pub use sqli::{Fingerprint, sqli, sqli_ungated};
pub use xss::{xss, xss_ungated};
