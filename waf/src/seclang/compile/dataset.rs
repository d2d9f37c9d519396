//! `SecDataset`: Coraza's list of phrases inside the rule text, for `@pmFromDataset` and
//! `@ipMatchFromDataset`.

use std::collections::BTreeMap;

use crate::source::{RuleSource, SourceError};

/// Stands in front of a data set's name where a file's name is expected.
const PREFIX: &str = "dataset:";

/// The operator and argument that ask for a data set as if it were a file: a data set is nothing else
/// than a data file that stands in the rule text.
pub(super) fn as_file(name: &str, argument: &str) -> Option<(&'static str, String)> {
    let from_file = match name.to_ascii_lowercase().as_str() {
        "pmfromdataset" => "pmFromFile",
        "ipmatchfromdataset" => "ipMatchFromFile",
        _ => return None,
    };
    Some((from_file, format!("{PREFIX}{}", argument.trim_ascii())))
}

/// A source that knows the data sets as well.
pub(super) struct WithDatasets<'a> {
    pub(super) source: &'a dyn RuleSource,
    pub(super) datasets: &'a BTreeMap<String, Vec<u8>>,
}

impl RuleSource for WithDatasets<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        // The operator has resolved the name against the folder of its rule.
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.strip_prefix(PREFIX) {
            Some(dataset) => self
                .datasets
                .get(dataset)
                .cloned()
                .ok_or_else(|| SourceError::NotFound {
                    path: format!("SecDataset {dataset}"),
                }),
            None => self.source.read(path),
        }
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        self.source.list(pattern)
    }
}
