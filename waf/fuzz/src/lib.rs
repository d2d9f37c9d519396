//! What the fuzz targets do with their bytes. Each is a function that takes any bytes and panics if the engine
//! breaks a promise.
//!
//! The fuzzer calls them from `fuzz_targets/`; `waf/tests/fuzz_found.rs` includes this very file and runs them
//! over seeds and found cases, without a fuzzer and without a nightly compiler.

mod agreement;
mod bodies;
mod exchange;
mod libinjection;
mod operator;
mod own_rules;
mod release;
mod seclang;
mod transaction;
mod transformation;

pub use agreement::agree;
pub use bodies::{json, multipart, urlencoded, xml};
pub use exchange::Exchange;
pub use libinjection::libinjection;
pub use operator::operator;
pub use own_rules::{OPERATORS, own_rules};
pub use release::{load, release};
pub use seclang::seclang;
pub use transaction::{crs, transaction};
pub use transformation::transformation;

/// The body of a target.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folders.
pub const TARGETS: [(&str, Target); 10] = [
    ("seclang", seclang),
    ("operator", operator),
    ("transformation", transformation),
    ("urlencoded", urlencoded),
    ("multipart", multipart),
    ("json", json),
    ("xml", xml),
    ("libinjection", libinjection),
    ("transaction", transaction),
    ("crs", crs),
];
