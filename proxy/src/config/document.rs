//! One file's text: from byte offsets to places, and what its syntax leaves to trust.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::errors::{Diagnostic, Place, Problem, Report};

/// Longer offending texts are cut in messages.
const SHOWN_CHARACTERS: usize = 60;

/// A file of the configuration.
#[derive(Debug)]
pub(super) struct Document {
    file: Arc<Path>,
    text: String,
    line_starts: Vec<usize>,
}

/// A document's tree, and up to where it is what its author wrote.
#[derive(Debug)]
pub(super) struct Tree<'d> {
    pub(super) root: DeTable<'d>,
    /// The first line with a syntax error that may have moved or swallowed what follows it.
    pub(super) broken_from: Option<usize>,
}

impl Document {
    /// The document of `text`, read from `file`.
    pub(super) fn new(file: &Path, text: String) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            file: file.into(),
            text,
            line_starts,
        }
    }

    /// Parses the text. Every syntax error is reported, one per line: later ones on the same line follow
    /// from the first.
    pub(super) fn parse(&self, report: &Report) -> Tree<'_> {
        let (root, errors) = DeTable::parse_recoverable(&self.text);
        let mut broken_from: Option<usize> = None;
        let mut errors: Vec<_> = errors
            .iter()
            .map(|e| (e.span().unwrap_or(0..0), e.message()))
            .collect();
        errors.sort_by_key(|(span, _)| span.start);
        let mut reported_line = 0;
        for (span, message) in errors {
            let place = self.place(span.start);
            let keeps_shape = message == "duplicate key";
            if !keeps_shape {
                broken_from = Some(broken_from.unwrap_or(usize::MAX).min(place.line));
            }
            if place.line == reported_line {
                continue;
            }
            reported_line = place.line;
            report.add(self.syntax_error(place, &span, message));
        }
        Tree {
            root: root.into_inner(),
            broken_from,
        }
    }

    /// The place of a byte offset.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        Place {
            file: Arc::clone(&self.file),
            line,
            column,
        }
    }

    /// The text at `span`, cut to one short line; `None` if there is nothing.
    pub(super) fn excerpt(&self, span: &Range<usize>) -> Option<String> {
        let text = self.text.get(span.clone())?;
        let line = text.lines().next().unwrap_or_default();
        let shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
        let cut = shown.len() < text.trim_end().len();
        (!shown.is_empty()).then(|| if cut { format!("{shown}...") } else { shown })
    }

    /// The file's name.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// A path as the file means it: relative to the folder of the file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        let path = path.strip_prefix("./").unwrap_or(path);
        match self.file.parent() {
            Some(folder) => folder.join(path),
            None => PathBuf::from(path),
        }
    }

    fn syntax_error(&self, place: Place, span: &Range<usize>, message: &str) -> Diagnostic {
        let (description, expected) = match message.split_once(", expected ") {
            Some((description, expected)) => (description, Some(expected.to_owned())),
            None => (message, None),
        };
        // The parser often points between two characters: the rest of the line says more.
        let line_end = self
            .line_starts
            .get(place.line)
            .map_or(self.text.len(), |next| next - 1);
        let shown = if span.is_empty() {
            span.start..line_end.max(span.start)
        } else {
            span.clone()
        };
        let found = self.excerpt(&shown).map(|text| Cow::from(text).trim().to_owned());
        Diagnostic {
            place,
            problem: Problem::Syntax(description.to_owned()),
            found: found.filter(|text| !text.is_empty()),
            expected,
            suggestion: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let document = Document::new(Path::new("a.toml"), "\u{feff}a = 1\r\nb = \"é\" # x\n".to_owned());
        for (offset, expected) in [
            (0, "1:1"),
            (3, "1:1"),
            (10, "2:1"),
            (14, "2:5"),
            (19, "2:9"),
            (99, "3:1"),
        ] {
            assert_eq!(
                document.place(offset).to_string(),
                format!("a.toml:{expected}"),
                "{offset}"
            );
        }
    }

    #[test]
    fn a_path_is_relative_to_its_file() {
        for (file, path, expected) in [
            (
                "/etc/palisade/palisade.toml",
                "conf.d/a.pem",
                "/etc/palisade/conf.d/a.pem",
            ),
            ("/etc/palisade/palisade.toml", "/run/a.pem", "/run/a.pem"),
            ("palisade.toml", "./a.pem", "a.pem"),
            ("config/quickstart.toml", "../data", "config/../data"),
        ] {
            assert_eq!(
                Document::new(Path::new(file), String::new()).resolve(path),
                Path::new(expected)
            );
        }
    }
}
