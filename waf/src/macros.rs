//! Macro expansion: `%{COLLECTION.key}` inside operator arguments, `setvar` values, `msg` and `logdata`.

use std::fmt;

use crate::variables::Variable;

/// Text with `%{...}` references, parsed once at load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Macro {
    parts: Vec<Part>,
}

/// One piece of a [`Macro`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Bytes that stand for themselves.
    Text(Vec<u8>),
    /// `%{VARIABLE}` or `%{COLLECTION.key}`; the key is kept in lower case.
    Reference {
        /// The variable or collection.
        variable: Variable,
        /// The member of a collection.
        key: Option<Vec<u8>>,
    },
}

/// Gives references their values while a rule runs.
pub trait Lookup {
    /// Appends the first value of the variable (or of the collection's member) to `out`; appends nothing
    /// if there is none.
    fn append(&self, variable: Variable, key: Option<&[u8]>, out: &mut Vec<u8>);

    /// A member of `TX` as it stands there, if it can be had without a copy.
    fn tx(&self, _name: &[u8]) -> Option<&[u8]> {
        None
    }
}

/// A lookup that knows no variable: for operators tried outside a transaction.
#[derive(Debug, Clone, Copy)]
pub struct NoVariables;

impl Lookup for NoVariables {
    fn append(&self, _variable: Variable, _key: Option<&[u8]>, _out: &mut Vec<u8>) {}
}

/// A `%{...}` that names no variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown variable in the macro %{{{name}}}")]
pub struct MacroError {
    /// What stood between the braces.
    pub name: String,
}

impl Macro {
    /// Parses text. A `%{` without `}` stands for itself, as in ModSecurity.
    pub fn parse(text: &str) -> Result<Self, MacroError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("%{") {
            let Some(length) = rest[start..].find('}') else {
                break;
            };
            push_text(&mut parts, &rest[..start]);
            parts.push(parse_reference(&rest[start + 2..start + length])?);
            rest = &rest[start + length + 1..];
        }
        push_text(&mut parts, rest);
        Ok(Self { parts })
    }

    /// The text if there is nothing to expand.
    pub fn as_literal(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The variable and its member if there is nothing but one reference.
    pub fn as_reference(&self) -> Option<(Variable, Option<&[u8]>)> {
        match self.parts.as_slice() {
            [Part::Reference { variable, key }] => Some((*variable, key.as_deref())),
            _ => None,
        }
    }

    /// The pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Appends the expanded text to `out`.
    pub fn expand(&self, lookup: &dyn Lookup, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Reference { variable, key } => lookup.append(*variable, key.as_deref(), out),
            }
        }
    }

    /// The expanded text.
    pub fn to_bytes(&self, lookup: &dyn Lookup) -> Vec<u8> {
        // Enough for what rules mostly write: no growth piece by piece.
        let mut out = Vec::with_capacity(64);
        self.expand(lookup, &mut out);
        out
    }
}

impl fmt::Display for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => write!(f, "{}", String::from_utf8_lossy(text))?,
                Part::Reference { variable, key: None } => write!(f, "%{{{variable}}}")?,
                Part::Reference {
                    variable,
                    key: Some(key),
                } => {
                    write!(f, "%{{{variable}.{}}}", String::from_utf8_lossy(key))?;
                }
            }
        }
        Ok(())
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.as_bytes().to_vec()));
    }
}

fn parse_reference(name: &str) -> Result<Part, MacroError> {
    let (collection, key) = match name.split_once(['.', ':']) {
        Some((collection, key)) => (collection, Some(key.to_ascii_lowercase().into_bytes())),
        None => (name, None),
    };
    let variable = Variable::from_name(collection).ok_or_else(|| MacroError {
        name: name.to_owned(),
    })?;
    Ok(Part::Reference { variable, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;
    impl Lookup for One {
        fn append(&self, variable: Variable, key: Option<&[u8]>, out: &mut Vec<u8>) {
            if variable == Variable::Tx && key == Some(b"allowed_methods") {
                out.extend_from_slice(b"GET POST");
            }
        }
    }

    #[test]
    fn names_are_case_insensitive_and_text_is_kept() {
        let parsed = Macro::parse("a %{TX.Allowed_Methods} b %{tx.none}c").unwrap();
        assert_eq!(parsed.to_bytes(&One), b"a GET POST b c");
        assert_eq!(parsed.as_literal(), None);
    }

    #[test]
    fn an_open_brace_alone_is_text() {
        assert_eq!(
            Macro::parse("50%{").unwrap().as_literal(),
            Some(b"50%{".as_slice())
        );
    }

    #[test]
    fn an_unknown_variable_is_named() {
        assert_eq!(Macro::parse("%{NO_SUCH}").unwrap_err().name, "NO_SUCH");
    }
}
