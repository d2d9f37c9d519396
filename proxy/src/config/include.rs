//! `include`: which files a pattern names.

use std::path::{Path, PathBuf};

use super::FileSource;
use super::decode::At;
use super::document::Document;
use super::errors::{Diagnostic, Problem, Report};

/// The files of all patterns, each with the place that names it: in the order of the patterns, each
/// pattern's sorted by name, each file once.
pub(super) fn files(
    patterns: &[At<String>],
    document: &Document,
    source: &dyn FileSource,
    report: &Report,
) -> Vec<At<PathBuf>> {
    let mut files: Vec<At<PathBuf>> = Vec::new();
    for pattern in patterns {
        let mut matched = match expand(&document.resolve(&pattern.value), source) {
            Ok(matched) => matched,
            Err((folder, cause)) => {
                report.unreadable(&pattern.place, &folder, cause);
                continue;
            }
        };
        matched.retain(|path| path != document.file());
        if matched.is_empty() {
            report.add(nothing_included(pattern));
        }
        for path in matched {
            if files.iter().all(|file| file.value != path) {
                files.push(At {
                    value: path,
                    place: pattern.place.clone(),
                });
            }
        }
    }
    files
}

fn nothing_included(pattern: &At<String>) -> Diagnostic {
    Diagnostic {
        place: pattern.place.clone(),
        problem: Problem::NothingIncluded,
        found: Some(format!("\"{}\"", pattern.value)),
        expected: None,
        suggestion: None,
    }
}

fn expand(pattern: &Path, source: &dyn FileSource) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
    let name = pattern
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if !name.contains(['*', '?']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let folder = pattern.parent().unwrap_or(Path::new(""));
    let mut names = source.names(folder).map_err(|cause| (folder.to_owned(), cause))?;
    names.retain(|candidate| matches(name, candidate));
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// `*` for any characters, `?` for one. A name that begins with a dot (an editor's, a ConfigMap's) must be
/// meant: no wildcard matches that dot.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star stood, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, name, expected) in [
            ("*.toml", "blog.toml", true),
            ("*.toml", "blog.toml~", false),
            ("*.toml", ".blog.toml", false),
            ("*", "..data", false),
            (".*", ".blog", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?.toml", "a.toml", true),
            ("?.toml", "ab.toml", false),
            ("*", "", true),
            ("é*", "état", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
