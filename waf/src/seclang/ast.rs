//! The syntax tree: what stands in the text, before anything is known to be right.

use std::sync::Arc;

use crate::rule::Location;

/// A word of a directive: its text with the quoting undone, and the lines it spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Where a new line of the file begins: byte offset in `text`, line. The first is at offset 0.
    pub lines: Vec<(usize, u32)>,
}

impl Word {
    /// The line of the file that the byte at `offset` stands on.
    pub fn line_at(&self, offset: usize) -> u32 {
        let after = self.lines.partition_point(|(start, _)| *start <= offset);
        match after.checked_sub(1).and_then(|index| self.lines.get(index)) {
            Some((_, line)) => *line,
            None => 0,
        }
    }
}

/// One directive: a name and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The name as written.
    pub name: String,
    /// The words behind it.
    pub arguments: Vec<Word>,
    /// Where the name stands.
    pub location: Location,
    /// Whether all of it could be read; if not, `arguments` ends in front of the mistake.
    pub intact: bool,
}

impl Directive {
    /// The place of the byte at `offset` of a word of this directive.
    pub fn place(&self, word: &Word, offset: usize) -> Location {
        self.at_line(word.line_at(offset))
    }

    /// A line of this directive's file.
    pub fn at_line(&self, line: u32) -> Location {
        Location {
            file: Arc::clone(&self.location.file),
            line,
        }
    }
}

/// One entry of a variable list: `!ARGS:/^x/`, `&REQUEST_HEADERS:host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetText {
    /// The variable's name as written.
    pub variable: String,
    /// What stands behind the colon.
    pub selector: Option<SelectorText>,
    /// `&`.
    pub count: bool,
    /// `!`.
    pub excluded: bool,
    /// The line.
    pub line: u32,
}

/// What stands behind the colon of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorText {
    /// A name, or an XPath.
    Key(String),
    /// `/pattern/`, without its slashes.
    Pattern(String),
}

/// `!@name argument`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorText {
    /// The name without `@`; `rx` if none was written.
    pub name: String,
    /// Everything behind the name.
    pub argument: String,
    /// `!`.
    pub negated: bool,
}

/// One action: `name` or `name:value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionText {
    /// The name as written.
    pub name: String,
    /// The value, its quotes undone.
    pub value: Option<String>,
    /// The line.
    pub line: u32,
}
