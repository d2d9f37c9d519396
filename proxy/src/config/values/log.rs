//! Log levels and where a log goes.

use crate::config::decode::{Fault, Node};
use crate::config::errors::nearest;
use crate::config::ready::LogTarget;

/// What [`parse_filter`] reads.
pub(in crate::config) const FILTER: &str =
    "a level (error, warn, info, debug, trace), or module=level, by commas";

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
const TARGETS: &[&str] = &["stdout", "stderr", "off"];

/// A filter of the `tracing` kind: a level, and levels of modules. The filter itself takes a misspelt level
/// for the name of a module and would then log nothing.
pub(in crate::config) fn parse_filter(text: &str) -> Result<String, Fault> {
    for directive in text.split(',') {
        let (module, level) = match directive.split_once('=') {
            Some((module, level)) => (Some(module.trim()), level.trim()),
            None => (None, directive.trim()),
        };
        if !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            let fault = Fault::new(format!("`{level}` is not a level"));
            let near = nearest(level, LEVELS.iter().copied()).map(|near| text.replace(level, near));
            return Err(Fault {
                suggestion: near.filter(|_| !level.is_empty()),
                ..fault
            });
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_:-".contains(&byte))
        };
        if module.is_some_and(|module| !is_name(module)) {
            return Err(Fault::new(format!(
                "`{}` is not a module",
                module.unwrap_or_default()
            )));
        }
    }
    Ok(text.to_owned())
}

/// `"stdout"`, `"stderr"`, `"off"` or a path, which must hold a `/` so that a slip of the pen makes no file.
pub(in crate::config) fn target(node: Node<'_>) -> Option<LogTarget> {
    let expected = "\"stdout\", \"stderr\", \"off\" or a path with a \"/\"";
    match node.text(expected)? {
        "stdout" => Some(LogTarget::Stdout),
        "stderr" => Some(LogTarget::Stderr),
        "off" => Some(LogTarget::Off),
        path if path.contains('/') => Some(LogTarget::File(node.path()?.value)),
        word => {
            let near =
                nearest(word, TARGETS.iter().copied()).map_or_else(|| format!("./{word}"), str::to_owned);
            node.bad_value(
                expected,
                Fault::new("neither a target nor a path").suggesting(near),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        for (text, expected) in [
            ("info", Ok(())),
            ("WARN", Ok(())),
            ("info,palisade=debug,palisade::flow=trace", Ok(())),
            ("inof", Err(Some("info"))),
            ("warning", Err(Some("warn"))),
            ("info,palisade=debgu", Err(Some("info,palisade=debug"))),
            ("palisade", Err(None)),
            ("=info", Err(None)),
            ("", Err(None)),
        ] {
            let expected = expected.map_err(|hint: Option<&str>| hint.map(str::to_owned));
            assert_eq!(
                parse_filter(text).map(drop).map_err(|fault| fault.suggestion),
                expected,
                "{text}"
            );
        }
    }
}
