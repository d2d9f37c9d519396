//! From TOML's tree to values, one key at a time. A decoder returns its value, or reports what is wrong and
//! returns nothing, so that reading goes on and every fault is found in one go.
//!
//! `None` therefore means absent or wrong; what must tell them apart (a required key) asks the table.

mod decoders;
mod node;
mod table;

pub(super) use decoders::{boolean, integer, list, one_of, parsed, some};
pub(super) use node::Node;
pub(super) use table::Table;

use super::FileSource;
use super::document::Document;
use super::errors::{Diagnostic, Place, Report};

/// A value and the place it was written at, for faults that show only later.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::config) struct At<T> {
    pub(in crate::config) value: T,
    pub(in crate::config) place: Place,
}

/// Why a text is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Fault {
    pub(in crate::config) reason: String,
    pub(in crate::config) suggestion: Option<String>,
}

impl Fault {
    pub(in crate::config) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            suggestion: None,
        }
    }

    /// With what was probably meant.
    pub(in crate::config) fn suggesting(self, suggestion: impl Into<String>) -> Self {
        Self {
            suggestion: Some(suggestion.into()).filter(|text| !text.is_empty()),
            ..self
        }
    }
}

/// What all nodes of one document share.
#[derive(Clone, Copy)]
pub(in crate::config) struct Scope<'a> {
    pub(in crate::config) document: &'a Document,
    pub(in crate::config) report: &'a Report,
    pub(in crate::config) files: &'a dyn FileSource,
    /// From this line on the tree may not be what its author wrote: nothing is reported about it.
    pub(in crate::config) broken_from: Option<usize>,
}

impl Scope<'_> {
    fn add(&self, diagnostic: Diagnostic) {
        let trusted = self.broken_from.is_none_or(|line| diagnostic.place.line < line);
        if trusted {
            self.report.add(diagnostic);
        }
    }
}
