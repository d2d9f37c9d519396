//! Stories about whole configurations, read from memory.

mod faults;
mod mutations;
pub(super) mod schema;
mod stories;

use std::path::Path;

use super::testing::MemoryFiles;
use super::{Config, load};

/// The configuration of one file `p.toml`.
fn one(text: &str) -> Result<Config, String> {
    all(MemoryFiles::default().with("p.toml", text))
}

/// The configuration that begins with `p.toml`; the errors as they are shown, without the count.
fn all(files: MemoryFiles) -> Result<Config, String> {
    load(Path::new("p.toml"), &files).map_err(|errors| {
        let shown = errors.to_string();
        let (lines, count) = shown.rsplit_once('\n').expect("a count line");
        let total = errors.diagnostics().len();
        assert!(count.starts_with(&format!("{total} error")), "{count}");
        assert_eq!(lines.lines().count(), total, "one line each: {lines}");
        lines.to_owned()
    })
}
