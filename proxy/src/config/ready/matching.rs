//! Which requests a route takes.

use std::fmt;
use std::hash::{Hash, Hasher};

use http::HeaderName;
use regex::Regex;

use super::PathMatch;

/// A path condition of a route, on the form of the path that [`crate::config::normalized_path`] gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RoutePath {
    /// A whole path or a prefix.
    Plain(PathMatch),
    /// Wherever this matches.
    Regex(Pattern),
}

/// What a request must have besides host and path; empty for any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// One of these methods, sorted; empty for any.
    pub methods: Vec<String>,
    /// All of these, sorted by name; a name stands once.
    pub headers: Vec<HeaderMatch>,
    /// All of these, sorted by name; a name stands once.
    pub query: Vec<QueryMatch>,
}

/// A condition on a header.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderMatch {
    /// The header.
    pub name: HeaderName,
    /// What its value must be; of several lines, joined by `, ` (RFC 9110 section 5.3).
    pub value: ValueMatch,
}

/// A condition on a parameter of the query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueryMatch {
    /// The parameter, decoded.
    pub name: String,
    /// What its value, decoded, must be; of several values the first counts.
    pub value: ValueMatch,
}

/// A condition on a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ValueMatch {
    /// It is there.
    Present,
    /// It is this.
    Exact(String),
    /// This matches somewhere in it.
    Regex(Pattern),
}

/// A compiled regular expression; its text is its identity.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Conditions {
    /// Whether any request meets them.
    pub fn is_empty(&self) -> bool {
        self.methods.is_empty() && self.headers.is_empty() && self.query.is_empty()
    }
}

impl Pattern {
    /// A pattern.
    pub fn new(regex: Regex) -> Self {
        Self(regex)
    }

    /// The compiled expression.
    pub fn regex(&self) -> &Regex {
        &self.0
    }

    /// Whether it matches somewhere in `text`, in time linear in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl From<PathMatch> for RoutePath {
    fn from(path: PathMatch) -> Self {
        Self::Plain(path)
    }
}

/// As the file writes it.
impl fmt::Display for RoutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(path) => path.fmt(f),
            Self::Regex(pattern) => write!(f, "{{ regex = \"{}\" }}", pattern.as_str()),
        }
    }
}
