//! `[errors]`.

use std::path::PathBuf;

use crate::config::ready::{Page, PageOf};

/// `[errors]`.
#[derive(Debug, Default)]
pub(in crate::config) struct Errors {
    pub(in crate::config) pages: Vec<(PageOf, Page)>,
    /// Where the pages were read from.
    pub(in crate::config) files: Vec<PathBuf>,
}
