//! The regression corpus of the OWASP CRS, run in process and, by [`live`], through a running edge.
//!
//! The CRS ships its tests as YAML for go-ftw, a client that speaks to a live server. Here every part of
//! that set-up has a small stand-in, so that the engine alone is under test:
//!
//! ```text
//! installation  where rules and tests lie            (three known layouts)
//! suite         the YAML                              -> stages
//! request       what go-ftw would send                -> bytes on the wire
//! wire          what an HTTP server makes of them     -> message, objections
//! origin        what the application behind answers   -> response
//! engine        the five phases                       -> log lines
//! judge         expectations against all of that      -> verdict
//! report        the table and the last line
//! ```
//!
//! Nothing here knows a single test by name but the file of known failures, which only says what may fail.

pub mod engine;
pub mod installation;
pub mod judge;
pub mod known;
pub mod live;
pub mod origin;
pub mod report;
pub mod request;
mod run;
pub mod source;
pub mod suite;
pub mod template;
pub mod wire;

pub use installation::Installation;
pub use report::Report;
pub use run::{Selection, run};
