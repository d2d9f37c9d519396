//! Patterns over names.

use regex::bytes::Regex;
use regex_syntax::hir::{Hir, HirKind, Look};

/// A pattern over names, with what is quickly known of the names that match it.
#[derive(Debug, Clone)]
pub struct NamePattern {
    regex: Regex,
    /// Bytes of the shortest name that matches.
    shortest: usize,
    /// What each name that matches begins with, in any case.
    start: Vec<u8>,
    /// Each name that begins so matches.
    is_start: bool,
}

impl NamePattern {
    /// The pattern, as compiled for names, which have no case.
    pub fn new(regex: Regex) -> Self {
        let tree = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(regex.as_str())
            .ok();
        let shortest = tree.as_ref().and_then(|tree| tree.properties().minimum_len());
        Self {
            shortest: shortest.unwrap_or(0),
            start: tree.as_ref().map(start_of).unwrap_or_default(),
            is_start: tree.as_ref().is_some_and(|tree| is_start(regex.as_str(), tree)),
            regex,
        }
    }

    /// Whether it matches the name.
    #[inline]
    pub fn is_match(&self, name: &[u8]) -> bool {
        name.len() >= self.shortest
            && name
                .get(..self.start.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(&self.start))
            && (self.is_start || self.regex.is_match(name))
    }

    /// The pattern's text.
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }
}

/// The literal that stands behind `^`.
fn start_of(tree: &Hir) -> Vec<u8> {
    let HirKind::Concat(parts) = tree.kind() else {
        return Vec::new();
    };
    match parts.as_slice() {
        [first, second, ..] => match (first.kind(), second.kind()) {
            (HirKind::Look(Look::Start), HirKind::Literal(literal)) => literal.0.to_vec(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether nothing stands behind that literal. A pattern with flags of its own may tell capitals from small letters.
fn is_start(pattern: &str, tree: &Hir) -> bool {
    let whole = matches!(tree.kind(), HirKind::Concat(parts) if parts.len() == 2);
    whole && !start_of(tree).is_empty() && !pattern.contains("(?")
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
