//! Configuration: what the file says (raw), then what is true (ready). Pure: files arrive through
//! [`FileSource`]; every error is reported at once with its place.

mod ready;

pub use ready::*;
