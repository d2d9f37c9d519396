//! The rule set on disk: obtained from the first source that works, verified file by file, recorded.
//!
//! The repository holds no rule text. [`install()`] fetches a pinned OWASP CRS release into a folder of one
//! normalised layout, whatever the source looked like:
//!
//! ```text
//! DIR/rules/*.conf, rules/*.data     the rules and the lists they read
//! DIR/crs-setup.conf.example         the release's own settings
//! DIR/tests/regression/tests/**      its regression tests, where the source has them
//! DIR/LICENSE
//! DIR/installed.json                 what this is: version, source, manifest, time
//! ```
//!
//! Every file is held against a SHA-256 manifest that is part of this binary (`waf-rules/manifests/`), at
//! installation and again at each start ([`verify()`]). What was verified is kept in memory, so that the
//! engine compiles exactly the bytes that were checked ([`DiskSource`]).

mod archive;
mod command;
mod disk;
mod error;
mod install;
mod layout;
mod list;
mod manifest;
mod sources;
mod tree;
mod verify;

pub use disk::{DiskSource, FileStamp};
pub use error::{Attempt, RulesError};
pub use install::{Event, Installation, Request, install};
pub use layout::manifest_of;
pub use list::{FileSummary, list};
pub use manifest::{Difference, Manifest, Origin};
pub use verify::{InstalledRules, Record, verify};

/// The release that this build is meant for: tried first, and what its tests are held against.
pub const PINNED_VERSION: &str = "4.28.0";

/// The environment variable that names a folder or archive to install from.
pub const FROM_VARIABLE: &str = "PALISADE_CRS_FROM";
