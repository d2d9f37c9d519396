//! Log files of JSON lines that are written while a test reads them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::eventually;

/// A log file.
#[derive(Debug, Clone)]
pub struct LogFile(PathBuf);

impl LogFile {
    /// The log at `path`, which may not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        LogFile(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// All of it.
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }

    /// The whole lines so far.
    pub fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let complete = text.rsplit_once('\n').map(|(lines, _)| lines).unwrap_or_default();
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        complete
            .lines()
            .filter(|line| !line.is_empty())
            .map(parse)
            .collect()
    }

    /// The first line that `wanted` accepts, as soon as it is there.
    pub async fn line(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || async {
            self.lines().into_iter().find(|line| wanted(line))
        })
        .await
    }
}
