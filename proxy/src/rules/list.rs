//! What a rule set consists of, file by file.

use std::collections::BTreeMap;

use palisade_waf::rule::Rule;

/// The rules of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// The file's name within the installation.
    pub file: String,
    /// The version that its rules name (`ver`), if they agree.
    pub version: Option<String>,
    /// Rules by paranoia level: at index 0 those without one, which set up and evaluate.
    pub levels: [usize; 5],
}

/// Counts `rules` by file and paranoia level, in the order of the files' names. A chain counts once.
pub fn list<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Vec<FileSummary> {
    let mut files: BTreeMap<&str, FileSummary> = BTreeMap::new();
    for rule in rules {
        let head = rule.head();
        let summary = files.entry(&head.location.file).or_insert_with(|| FileSummary {
            file: head.location.file.to_string(),
            ..FileSummary::default()
        });
        if let Some(count) = summary.levels.get_mut(paranoia_level(&rule.tags)) {
            *count += 1;
        }
        if summary.version.is_none() {
            summary.version.clone_from(&head.actions.ver);
        }
    }
    files.into_values().collect()
}

/// From the tag `paranoia-level/N`; 0 without one.
pub(crate) fn paranoia_level(tags: &[String]) -> usize {
    tags.iter()
        .find_map(|tag| tag.strip_prefix("paranoia-level/")?.parse().ok())
        .unwrap_or(0)
}
