//! The repository's own Rust files, for tests that hold the code to the house's laws.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A source file below a crate's root.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to the repository, for messages.
    pub name: String,
    /// The modules that lead to the inside of the file: `flow/hooks.rs` is `flow`, `hooks`.
    pub modules: Vec<String>,
    /// The text with comments and test modules blanked out; lines keep their numbers.
    pub code: String,
}

impl SourceFile {
    /// `name:line` of a place in the code.
    pub fn place(&self, offset: usize) -> String {
        let before = self.code.get(..offset).unwrap_or_default();
        format!("{}:{}", self.name, before.matches('\n').count() + 1)
    }
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// The files of the product below `folder` (`proxy/src`), sorted; files that only tests are made of are left
/// out.
pub fn source_files(folder: &str) -> io::Result<Vec<SourceFile>> {
    let root = repository();
    let sources = root.join(folder);
    let mut files = Vec::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
                let modules = modules(path.strip_prefix(&sources).unwrap_or(&path));
                let code = code_of(&fs::read_to_string(&path)?);
                files.push(SourceFile { name, modules, code });
            }
        }
    }
    files.retain(|file| !file.modules.iter().any(|module| is_test_module(module)));
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Modules behind `#[cfg(test)]` go by these names.
fn is_test_module(name: &str) -> bool {
    matches!(name, "tests" | "testing" | "hostile" | "hostile_bytes")
}

fn modules(path: &Path) -> Vec<String> {
    let path = path.with_extension("");
    let parts = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.filter(|part| part != "mod").collect()
}

/// Comments blanked out, up to the test module at the end of the file.
fn code_of(text: &str) -> String {
    let tests = Regex::new(r"\n#\[cfg\(test\)\]\n(?:pub\S* )?mod \w+ \{");
    let comment = Regex::new(r"(?m)(?:^|\s)//.*$");
    let (Ok(tests), Ok(comment)) = (tests, comment) else {
        return text.to_owned();
    };
    let body = tests
        .find(text)
        .and_then(|tests| text.get(..tests.start()))
        .unwrap_or(text);
    let blank = |found: &regex::Captures<'_>| found[0].replace(|c| c != '\n', " ");
    comment.replace_all(body, blank).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_tests_are_no_code() {
        let code = code_of("a // crate::flow\n/// crate::x\nb\n#[cfg(test)]\npub(super) mod testing {\n c");
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(code.matches('\n').count(), 2);
    }
}
