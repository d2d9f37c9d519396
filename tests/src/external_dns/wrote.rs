//! What external-dns wrote, as data.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::harness::workspace;

/// Where it is kept.
pub const FIXTURE: &str = "tests/external-dns.json";

/// What external-dns wrote in a case: whole zones, a line for each record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrote {
    /// Into a zone of its own.
    pub first: Vec<String>,
    /// There, when the wishes changed.
    pub then: Vec<String>,
    /// Into a zone that we wrote, when the wishes changed.
    pub taken: Vec<String>,
}

/// What it wrote when it was asked last, by the names of cases.
pub fn kept() -> io::Result<BTreeMap<String, Wrote>> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path())?)?)
}

/// Keeps it.
pub fn keep(wrote: &BTreeMap<String, Wrote>) -> io::Result<()> {
    std::fs::write(path(), serde_json::to_string_pretty(wrote)? + "\n")
}

fn path() -> PathBuf {
    workspace().join(Path::new(FIXTURE))
}
