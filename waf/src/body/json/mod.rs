//! JSON bodies, flattened to arguments.
//!
//! The names are Coraza's: a path from the root `json`, members and positions joined by dots, so that
//! `{"user": {"roles": ["a", "b"]}}` is `json.user.roles.0` = `a` and `json.user.roles.1` = `b`. Where the
//! two engines differ, or have a blind spot:
//!
//! - Scalars are their source text: numbers as written, `true`, `false`; `null` is the empty text. A scalar
//!   that is the whole document is `json`.
//! - Coraza adds an entry with the length of each array; ModSecurity does not, no rule of the CRS asks for
//!   it, and it would take room among the arguments. It is left out.
//! - Duplicate names stay separate entries, in order (Coraza keeps the last): applications disagree about
//!   which one counts.
//! - An empty object or array is an entry with an empty value: else its name would reach the application
//!   and no rule. For the same reason the name of a member that holds more is kept: `json.user.roles` alone
//!   is what a rule on the end of a name has to see, and `ARGS_NAMES` shows it. (The entry for the length
//!   does that in Coraza, but for arrays alone; ModSecurity v3 shows rules the whole text.)
//!
//! The parser keeps its own stack, so depth costs no stack frames. It is strict, with the error texts of
//! ModSecurity's parser (yajl), but reads on after an error that leaves no doubt where the next value
//! begins, and hands out what it has read along with any error.

mod scan;

use scan::Scanner;

/// The name of the document, where every path begins.
const ROOT: &[u8] = b"json";

/// Bytes of names allowed per allowed argument. A long name over many short values would otherwise make
/// an output that is the square of the input; real documents average far below this.
const NAME_BYTES_PER_ARGUMENT: usize = 1024;

/// The scalars of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flat {
    /// Path and text of each scalar, in the order of the document.
    pub values: Vec<(Vec<u8>, Vec<u8>)>,
    /// Paths of the members that hold an object or array with something in it.
    pub containers: Vec<Vec<u8>>,
    /// There were more than allowed, or their names were too long; the rest is not in `values`.
    pub truncated: bool,
}

/// Why a document is wrong, and what it holds all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct JsonError {
    /// What is wrong, first.
    pub kind: JsonErrorKind,
    /// At which byte.
    pub offset: usize,
    /// What could be read: rules should see it although the document is wrong.
    pub partial: Flat,
}

/// What is wrong with a document, in the words of ModSecurity's JSON parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// The document ends too early.
    #[error("parse error: premature EOF")]
    Premature,
    /// Something stands after the document.
    #[error("parse error: trailing garbage")]
    TrailingGarbage,
    /// More containers inside one another than allowed.
    #[error("parse error: client cancelled parse via callback return value. Parsing depth limit exceeded")]
    TooDeep,
    /// A `,`, `:`, `]` or `}` where a value belongs.
    #[error("parse error: unallowed token at this point in JSON text")]
    UnallowedToken,
    /// A member that does not begin with a string.
    #[error("parse error: invalid object key (must be a string)")]
    KeyIsNoString,
    /// No `:` after a name.
    #[error("parse error: object key and value must be separated by a colon (':')")]
    ColonMissing,
    /// Neither `,` nor `}` after a member.
    #[error("parse error: after key and value, inside map, I expect ',' or '}}'")]
    ObjectNotContinued,
    /// Neither `,` nor `]` after an element.
    #[error("parse error: after array element, I expect ',' or ']'")]
    ArrayNotContinued,
    /// A character that begins no value.
    #[error("lexical error: invalid char in json text.")]
    InvalidCharacter,
    /// A word other than `true`, `false` and `null`.
    #[error("lexical error: invalid string in json text.")]
    InvalidWord,
    /// `/` where a value belongs.
    #[error("lexical error: probable comment found in input text, comments are not enabled.")]
    Comment,
    /// `-` without a digit.
    #[error("lexical error: malformed number, a digit is required after the minus sign.")]
    NumberAfterMinus,
    /// `.` without a digit.
    #[error("lexical error: malformed number, a digit is required after the decimal point.")]
    NumberAfterPoint,
    /// `e` without a digit.
    #[error("lexical error: malformed number, a digit is required after the exponent.")]
    NumberAfterExponent,
    /// A string that is not UTF-8.
    #[error("lexical error: invalid bytes in UTF8 string.")]
    InvalidUtf8,
    /// A control character in a string.
    #[error("lexical error: invalid character inside string.")]
    ControlCharacter,
    /// `\` before a character that has no escape.
    #[error("lexical error: inside a string, '\\' occurs before a character which it may not.")]
    InvalidEscape,
    /// `\u` without four hexadecimal digits.
    #[error("lexical error: invalid (non-hex) character occurs after '\\u' inside string.")]
    InvalidHexEscape,
}

/// The scalars of a document by their paths. An empty body is an empty document, as in ModSecurity.
pub fn flatten(body: &[u8], max_depth: usize, max_arguments: usize) -> Result<Flat, JsonError> {
    if body.is_empty() {
        return Ok(Flat::default());
    }
    let mut flattener = Flattener::new(body, max_depth, max_arguments);
    if let Err(kind) = flattener.documents() {
        flattener.scanner.flag(kind);
    }
    let (flat, fault) = (flattener.flat, flattener.scanner.fault);
    match fault {
        None => Ok(flat),
        Some((kind, offset)) => Err(JsonError {
            kind,
            offset,
            partial: flat,
        }),
    }
}

/// An object or array that is not closed yet.
struct Open {
    /// For an array, the position of its next element.
    next: Option<usize>,
    /// The length of the path to it.
    path: usize,
    /// No member was read yet.
    empty: bool,
}

struct Flattener<'a> {
    scanner: Scanner<'a>,
    /// The path to where the scanner stands.
    path: Vec<u8>,
    open: Vec<Open>,
    max_depth: usize,
    max_arguments: usize,
    name_bytes_left: usize,
    flat: Flat,
}

impl<'a> Flattener<'a> {
    fn new(body: &'a [u8], max_depth: usize, max_arguments: usize) -> Self {
        Self {
            scanner: Scanner::new(body),
            path: ROOT.to_vec(),
            open: Vec::new(),
            max_depth,
            max_arguments,
            name_bytes_left: max_arguments
                .saturating_mul(NAME_BYTES_PER_ARGUMENT)
                .saturating_add(body.len()),
            flat: Flat::default(),
        }
    }

    /// One document, and flagged as garbage any further ones (as in JSON lines).
    fn documents(&mut self) -> Result<(), JsonErrorKind> {
        loop {
            self.value()?;
            while !self.open.is_empty() {
                self.member()?;
            }
            if self.scanner.peek().is_none() {
                return Ok(());
            }
            self.scanner.flag(JsonErrorKind::TrailingGarbage);
        }
    }

    /// A scalar, or the beginning of a container.
    fn value(&mut self) -> Result<(), JsonErrorKind> {
        match self.scanner.peek().ok_or(JsonErrorKind::Premature)? {
            b'{' => return self.open(None),
            b'[' => return self.open(Some(0)),
            _ => {}
        }
        let mut text = Vec::new();
        let outcome = self.scanner.scalar(&mut text);
        // A string that the end of the body cuts short counts with what there is of it.
        if outcome.is_ok() || !text.is_empty() {
            self.add(text);
        }
        outcome
    }

    fn open(&mut self, next: Option<usize>) -> Result<(), JsonErrorKind> {
        if self.open.len() >= self.max_depth {
            return Err(JsonErrorKind::TooDeep);
        }
        self.scanner.advance();
        if self.is_member() && self.takes_name(self.flat.containers.len()) {
            self.flat.containers.push(self.path.clone());
        }
        self.open.push(Open {
            next,
            path: self.path.len(),
            empty: true,
        });
        Ok(())
    }

    /// The next member or element of the innermost container, or its end.
    fn member(&mut self) -> Result<(), JsonErrorKind> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        self.path.truncate(open.path);
        let next = self.scanner.peek().ok_or(JsonErrorKind::Premature)?;
        let (end, not_continued) = match open.next {
            None => (b'}', JsonErrorKind::ObjectNotContinued),
            Some(_) => (b']', JsonErrorKind::ArrayNotContinued),
        };
        if next == end {
            self.close();
            return Ok(());
        }
        if !std::mem::replace(&mut open.empty, false) {
            if next != b',' {
                return Err(not_continued);
            }
            self.scanner.advance();
        }
        self.path.push(b'.');
        match &mut open.next {
            None => self.key()?,
            Some(position) => {
                self.path.extend_from_slice(position.to_string().as_bytes());
                *position += 1;
            }
        }
        self.value()
    }

    /// A name that leads to no value, because the document is cut or wrong there, counts all the same.
    fn key(&mut self) -> Result<(), JsonErrorKind> {
        let unnamed = self.path.len();
        let outcome = self.scanner.key(&mut self.path);
        if outcome.is_err() && self.path.len() > unnamed {
            self.add(Vec::new());
        }
        outcome
    }

    fn close(&mut self) {
        self.scanner.advance();
        let closed_empty = self.open.pop().is_some_and(|open| open.empty);
        if closed_empty && !self.open.is_empty() {
            if self.is_member() && !self.flat.truncated {
                self.flat.containers.pop();
            }
            self.add(Vec::new());
        }
    }

    /// Whether what begins here has a name of its own, and no mere position.
    fn is_member(&self) -> bool {
        self.open.last().is_some_and(|open| open.next.is_none())
    }

    fn add(&mut self, text: Vec<u8>) {
        if self.takes_name(self.flat.values.len()) {
            self.flat.values.push((self.path.clone(), text));
        }
    }

    /// Whether one more name fits beside so many.
    fn takes_name(&mut self, taken: usize) -> bool {
        let fits = taken < self.max_arguments && self.path.len() <= self.name_bytes_left;
        self.flat.truncated |= !fits;
        if !self.flat.truncated {
            self.name_bytes_left -= self.path.len();
        }
        !self.flat.truncated
    }
}

#[cfg(test)]
mod tests;
