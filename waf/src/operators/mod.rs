//! Operators: `@name argument`. One per file, with the SecLang name as the file's name.

use std::sync::Arc;

use crate::macros::Lookup;
use crate::source::RuleSource;

mod captures;

pub use captures::Captures;

/// Why an operator could not be made ready. The caller adds the place in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// No operator of that name.
    #[error("unknown operator @{name}")]
    Unknown {
        /// The name without `@`.
        name: String,
        /// The nearest known name.
        suggestion: Option<&'static str>,
    },
    /// The argument is not what the operator takes.
    #[error("@{name}: {reason}")]
    Argument {
        /// The operator.
        name: &'static str,
        /// What was wrong with the argument and what is expected.
        reason: String,
    },
    /// A file the operator needs could not be read.
    #[error("@{name}: {source}")]
    File {
        /// The operator.
        name: &'static str,
        /// The cause.
        source: crate::SourceError,
    },
    /// Known from ModSecurity or Coraza, and left out on purpose.
    #[error("@{name} is not supported: {reason}")]
    Unsupported {
        /// The operator.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
}

/// What is at hand while operators are built.
pub struct Build<'a> {
    /// Where `FromFile` operators read.
    pub source: &'a dyn RuleSource,
    /// The folder of the file the rule stands in, without a trailing `/`; empty for none.
    pub folder: &'a str,
}

/// An operator, ready to run.
#[derive(Debug)]
pub enum Operator {
    /// `@unconditionalMatch`.
    UnconditionalMatch,
    /// `@noMatch`.
    NoMatch,
}

impl Operator {
    /// Makes `@name argument` ready. The argument is as written, escapes of the quoting undone.
    pub fn build(name: &str, argument: &str, build: &Build<'_>) -> Result<Arc<Self>, OperatorError> {
        let _ = (argument, build);
        match name.to_ascii_lowercase().as_str() {
            "unconditionalmatch" => Ok(Arc::new(Self::UnconditionalMatch)),
            "nomatch" => Ok(Arc::new(Self::NoMatch)),
            _ => Err(OperatorError::Unknown {
                name: name.to_owned(),
                suggestion: None,
            }),
        }
    }

    /// The SecLang name, without `@`.
    pub fn name(&self) -> &'static str {
        match self {
            Operator::UnconditionalMatch => "unconditionalMatch",
            Operator::NoMatch => "noMatch",
        }
    }

    /// Whether the operator matches `input`. `captures` is given where the rule has `capture`, and is
    /// written only on a match; slot 0 is the whole match.
    pub fn matches(&self, input: &[u8], lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        let _ = (input, lookup, captures);
        match self {
            Operator::UnconditionalMatch => true,
            Operator::NoMatch => false,
        }
    }
}
