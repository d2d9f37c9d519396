//! `@ipMatchFromFile FILE` (also `@ipMatchF`): like `@ipMatch`, with the list in a file.
//!
//! One address or network per line, or several with commas between them; what follows a `#` is a comment.
//!
//! Argument: the name of a file; a relative one counts from the rule's file.
//!
//! Example: `SecRule REMOTE_ADDR "@ipMatchFromFile blocked.data" "id:1,deny"`
//!
//! Source: SecLang reference, ipMatchFromFile.

use super::argument::refuse;
use super::ip_match::Networks;
use super::resource::lines;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@ipMatchFromFile`.
#[derive(Debug)]
pub struct IpMatchFromFile(Networks);

impl Evaluate for IpMatchFromFile {
    fn build(name: &'static str, argument: &str, build: &Build<'_>) -> Result<Self, OperatorError> {
        let file = argument.trim();
        if file.contains("://") {
            return Err(refuse(
                name,
                "addresses are read from a file, not from the network",
            ));
        }
        let lines = lines(name, file, build)?;
        let text = String::from_utf8_lossy(&lines.join(&b'\n')).into_owned();
        let networks = text
            .lines()
            .map(|line| line.split_once('#').map_or(line, |(before, _)| before))
            .flat_map(|line| line.split(','));
        Networks::parse(name, networks).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        self.0.contain(input)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::build_with;
    use crate::MemorySource;
    use crate::macros::NoVariables;

    #[test]
    fn each_line_is_a_network() {
        let mut source = MemorySource::new();
        source.insert(
            "rules/list.data",
            "# ours\r\n10.0.0.0/8 # inside\r\n\r\n192.0.2.1, 192.0.2.3\n",
        );
        source.insert("rules/wrong.data", "10.0.0.0/8\nexample.com\n");
        let operator = build_with("ipMatchF", "list.data", &source).unwrap();
        assert_eq!(operator.name(), "ipMatchFromFile");
        for (input, expected) in [
            ("10.9.8.7", true),
            ("192.0.2.3", true),
            ("192.0.2.2", false),
            ("", false),
        ] {
            assert_eq!(
                operator.matches(input.as_bytes(), &NoVariables, None),
                expected,
                "{input}"
            );
        }
        for (argument, message) in [
            (
                "wrong.data",
                "@ipMatchFromFile: \"example.com\" is no address and no network",
            ),
            ("none.data", "@ipMatchFromFile: rules/none.data: no such file"),
            (
                "https://x/y",
                "@ipMatchFromFile: addresses are read from a file, not from the network",
            ),
        ] {
            assert_eq!(
                build_with("ipMatchFromFile", argument, &source)
                    .unwrap_err()
                    .to_string(),
                message
            );
        }
    }
}
