//! `@pmFromFile FILE...` (also `@pmf`): like `@pm`, with the phrases in files, one per line.
//!
//! Lines are trimmed; blank ones and those that begin with `#` are skipped. A phrase is taken as it stands,
//! spaces and bars included.
//!
//! Argument: names of files, with white space between them; relative ones count from the rule's file.
//!
//! Captures: as of `@pm`.
//!
//! Example: `SecRule REQUEST_FILENAME "@pmFromFile restricted-files.data" "id:1,capture,deny"`
//!
//! Source: SecLang reference, pmFromFile.

use std::sync::Arc;

use super::argument::refuse;
use super::phrases::Phrases;
use super::resource::lines;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@pmFromFile`.
#[derive(Debug)]
pub struct PmFromFile(Phrases);

impl Evaluate for PmFromFile {
    fn build(name: &'static str, argument: &str, build: &Build<'_>) -> Result<Self, OperatorError> {
        let mut phrases = Vec::new();
        for file in argument.split_whitespace() {
            if file.contains("://") {
                return Err(refuse(name, "phrases are read from files, not from the network"));
            }
            phrases.extend(lines(name, file, build)?);
        }
        Phrases::new(name, &phrases).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        self.0.matches(input, captures)
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        Some(self.0.requirement())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::build_with;
    use crate::MemorySource;
    use crate::macros::NoVariables;

    fn source() -> MemorySource {
        let mut source = MemorySource::new();
        source.insert(
            "rules/words.data",
            "# comment\n\n  wp-config  \r\n.git/ config\n#end",
        );
        source.insert("rules/more.data", "a|b\n");
        source.insert("/abs/x.data", "absolute");
        source.insert("rules/empty.data", "# nothing\n");
        source
    }

    #[test]
    fn each_line_is_a_phrase() {
        let operator = build_with("pmFromFile", "words.data", &source()).unwrap();
        for (input, expected) in [
            ("/WP-Config.php", true),
            ("/.git/ config", true),
            ("/.git/config", false),
            ("comment", false),
            ("", false),
        ] {
            assert_eq!(
                operator.matches(input.as_bytes(), &NoVariables, None),
                expected,
                "{input}"
            );
        }
    }

    #[test]
    fn several_files_and_absolute_names_are_read() {
        let operator = build_with("pmf", "more.data /abs/x.data", &source()).unwrap();
        assert_eq!(operator.name(), "pmFromFile");
        assert!(operator.matches(b"xA|By", &NoVariables, None));
        assert!(operator.matches(b"ABSOLUTELY", &NoVariables, None));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (argument, message) in [
            ("none.data", "@pmFromFile: rules/none.data: no such file"),
            ("empty.data", "@pmFromFile: no phrase to look for"),
            ("", "@pmFromFile: no phrase to look for"),
            (
                "https://x/y",
                "@pmFromFile: phrases are read from files, not from the network",
            ),
        ] {
            assert_eq!(
                build_with("pmFromFile", argument, &source())
                    .unwrap_err()
                    .to_string(),
                message
            );
        }
    }
}
