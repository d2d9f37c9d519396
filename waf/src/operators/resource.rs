//! Data files of operators.

use super::{Build, OperatorError};

/// The lines of a data file that say something: trimmed, without blank lines and `#` comments. A relative
/// name counts from the folder of the rule's file.
pub(super) fn lines(
    name: &'static str,
    file: &str,
    build: &Build<'_>,
) -> Result<Vec<Vec<u8>>, OperatorError> {
    let path = match build.folder {
        "" => file.to_owned(),
        _ if file.starts_with('/') => file.to_owned(),
        folder => format!("{folder}/{file}"),
    };
    let content = build
        .source
        .read(&path)
        .map_err(|source| OperatorError::File { name, source })?;
    Ok(content
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(<[u8]>::to_vec)
        .collect())
}
