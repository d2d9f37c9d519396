//! Operators: `@name argument`. One per file, with the SecLang name as the file's name.

use std::sync::Arc;

use crate::macros::Lookup;
use crate::nearest::nearest;
use crate::prefilter::{Places, Requirement, Starts};
use crate::source::RuleSource;

mod argument;
mod captures;
mod checked_number;
pub mod pattern;
mod phrases;
mod resource;

pub mod begins_with;
pub mod contains;
pub mod contains_word;
pub mod detect_sqli;
pub mod detect_xss;
pub mod ends_with;
pub mod eq;
pub mod ge;
pub mod gt;
pub mod ip_match;
pub mod ip_match_from_file;
pub mod le;
pub mod lt;
pub mod no_match;
pub mod pm;
pub mod pm_from_file;
pub mod restpath;
pub mod rx;
pub mod rx_global;
pub mod str_match;
pub mod streq;
pub mod unconditional_match;
mod unsupported;
pub mod validate_byte_range;
pub mod validate_nid;
pub mod validate_url_encoding;
pub mod validate_utf8_encoding;
pub mod verify_cc;
pub mod verify_cpf;
pub mod verify_ssn;
pub mod verify_svnr;
pub mod within;

#[cfg(test)]
mod hostile;

pub(crate) use argument::atoi;
pub use captures::Captures;
use pattern::PatternError;

/// Why an operator could not be made ready. The caller adds the place in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// No operator of that name.
    #[error("unknown operator @{name}{}", did_you_mean(*suggestion))]
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
    /// The argument is a pattern, and not one that can be used.
    #[error("@{name}: {cause}")]
    Pattern {
        /// The operator.
        name: &'static str,
        /// What is wrong with it.
        cause: PatternError,
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

impl OperatorError {
    /// Whether the rule is right, and asks for something that is left out on purpose: an operator, or a
    /// pattern that only a backtracking engine can match.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self,
            Self::Unsupported { .. }
                | Self::Pattern {
                    cause: PatternError::Unsupported { .. },
                    ..
                }
        )
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean @{name}?"))
}

/// What is at hand while operators are built.
pub struct Build<'a> {
    /// Where `FromFile` operators read.
    pub source: &'a dyn RuleSource,
    /// The folder of the file the rule stands in, without a trailing `/`; empty for none.
    pub folder: &'a str,
}

/// What each operator is: made from its argument once, asked for every value.
trait Evaluate: Sized {
    /// Makes the operator ready. `name` is its SecLang name, for errors.
    fn build(name: &'static str, argument: &str, build: &Build<'_>) -> Result<Self, OperatorError>;

    /// See [`Operator::matches`].
    fn matches(&self, input: &[u8], lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool;

    /// See [`Operator::matches_from`].
    fn matches_from(
        &self,
        input: &[u8],
        _places: Places<'_>,
        lookup: &dyn Lookup,
        captures: Option<&mut Captures>,
    ) -> bool {
        self.matches(input, lookup, captures)
    }

    /// See [`Operator::requirement`].
    fn requirement(&self) -> Option<Arc<Requirement>> {
        None
    }

    /// See [`Operator::starts`].
    fn starts(&self) -> Option<&Starts> {
        None
    }

    /// See [`Operator::comparison`].
    fn comparison(&self) -> Option<(Comparison, i64)> {
        None
    }
}

/// How the value, read as a number, stands to the operator's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `@lt`.
    Less,
    /// `@le`.
    LessOrEqual,
    /// `@eq`.
    Equal,
    /// `@ge`.
    GreaterOrEqual,
    /// `@gt`.
    Greater,
}

impl Comparison {
    /// Whether it holds.
    #[inline]
    pub(crate) fn holds(self, value: i64, number: i64) -> bool {
        match self {
            Self::Less => value < number,
            Self::LessOrEqual => value <= number,
            Self::Equal => value == number,
            Self::GreaterOrEqual => value >= number,
            Self::Greater => value > number,
        }
    }
}

macro_rules! operators {
    ($($variant:ident $name:literal $module:ident,)*) => {
        /// An operator, ready to run.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "each variant is the SecLang name beside it")]
        pub enum Operator { $($variant($module::$variant),)* }

        impl Operator {
            /// The SecLang names of all operators, without `@`. Some have a second spelling besides.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            /// The SecLang name, without `@`.
            pub fn name(&self) -> &'static str {
                match self { $(Operator::$variant(_) => $name,)* }
            }

            /// Whether the operator matches `input`. `captures` is given where the rule has `capture`, and
            /// is written only on a match; slot 0 is the whole match.
            pub fn matches(
                &self,
                input: &[u8],
                lookup: &dyn Lookup,
                captures: Option<&mut Captures>,
            ) -> bool {
                match self { $(Operator::$variant(operator) => operator.matches(input, lookup, captures),)* }
            }

            /// The same, for an operator that has [starts](Self::starts): the places are all those in `input` where
            /// its matches may start.
            pub(crate) fn matches_from(
                &self,
                input: &[u8],
                places: Places<'_>,
                lookup: &dyn Lookup,
                captures: Option<&mut Captures>,
            ) -> bool {
                match self {
                    $(Operator::$variant(operator) => operator.matches_from(input, places, lookup, captures),)*
                }
            }

            /// What matches begin with, for operators that are quicker where it is known where they may start.
            pub(crate) fn starts(&self) -> Option<&Starts> {
                match self { $(Operator::$variant(operator) => operator.starts(),)* }
            }

            /// What a value holds if the operator matches it; `None` for operators that are as quickly asked, and
            /// for those whose answer depends on more than the value.
            pub fn requirement(&self) -> Option<Arc<Requirement>> {
                match self { $(Operator::$variant(operator) => operator.requirement(),)* }
            }

            /// For operators that compare with a fixed number: how, and with which.
            pub fn comparison(&self) -> Option<(Comparison, i64)> {
                match self { $(Operator::$variant(operator) => operator.comparison(),)* }
            }

            fn build_known(
                name: &str,
                argument: &str,
                build: &Build<'_>,
            ) -> Option<Result<Self, OperatorError>> {
                $(if name.eq_ignore_ascii_case($name) {
                    return Some($module::$variant::build($name, argument, build).map(Operator::$variant));
                })*
                None
            }
        }
    };
}

operators! {
    BeginsWith "beginsWith" begins_with,
    Contains "contains" contains,
    ContainsWord "containsWord" contains_word,
    DetectSqli "detectSQLi" detect_sqli,
    DetectXss "detectXSS" detect_xss,
    EndsWith "endsWith" ends_with,
    Eq "eq" eq,
    Ge "ge" ge,
    Gt "gt" gt,
    IpMatch "ipMatch" ip_match,
    IpMatchFromFile "ipMatchFromFile" ip_match_from_file,
    Le "le" le,
    Lt "lt" lt,
    NoMatch "noMatch" no_match,
    Pm "pm" pm,
    PmFromFile "pmFromFile" pm_from_file,
    RestPath "restpath" restpath,
    Rx "rx" rx,
    RxGlobal "rxGlobal" rx_global,
    StrMatch "strmatch" str_match,
    StrEq "streq" streq,
    UnconditionalMatch "unconditionalMatch" unconditional_match,
    ValidateByteRange "validateByteRange" validate_byte_range,
    ValidateNid "validateNid" validate_nid,
    ValidateUrlEncoding "validateUrlEncoding" validate_url_encoding,
    ValidateUtf8Encoding "validateUtf8Encoding" validate_utf8_encoding,
    VerifyCc "verifyCC" verify_cc,
    VerifyCpf "verifyCPF" verify_cpf,
    VerifySsn "verifySSN" verify_ssn,
    VerifySvnr "verifySVNR" verify_svnr,
    Within "within" within,
}

/// Second spellings.
const ALIASES: [(&str, &str); 2] = [("pmf", "pmFromFile"), ("ipMatchF", "ipMatchFromFile")];

impl Operator {
    /// Makes `@name argument` ready. The argument is as written, escapes of the quoting undone.
    pub fn build(name: &str, argument: &str, build: &Build<'_>) -> Result<Arc<Self>, OperatorError> {
        let name = ALIASES
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
            .map_or(name, |(_, name)| *name);
        match Self::build_known(name, argument, build) {
            Some(built) => built.map(Arc::new),
            None => Err(refusal(name)),
        }
    }
}

fn refusal(name: &str) -> OperatorError {
    unsupported::find(name).unwrap_or_else(|| OperatorError::Unknown {
        name: name.to_owned(),
        suggestion: nearest(name, Operator::NAMES.iter().copied()),
    })
}

#[cfg(test)]
mod testing {
    use std::sync::Arc;

    use super::{Build, Captures, Operator, OperatorError};
    use crate::MemorySource;
    use crate::macros::{Lookup, NoVariables};
    use crate::variables::Variable;

    /// Builds an operator that needs no file.
    pub(super) fn build(name: &str, argument: &str) -> Result<Arc<Operator>, OperatorError> {
        build_with(name, argument, &MemorySource::new())
    }

    /// Builds an operator of a rule in the folder `rules`.
    pub(super) fn build_with(
        name: &str,
        argument: &str,
        source: &MemorySource,
    ) -> Result<Arc<Operator>, OperatorError> {
        Operator::build(
            name,
            argument,
            &Build {
                source,
                folder: "rules",
            },
        )
    }

    /// Whether `@name argument` matches the input.
    pub(super) fn matches(name: &str, argument: &str, input: &[u8]) -> bool {
        build(name, argument).unwrap().matches(input, &NoVariables, None)
    }

    /// Runs a table of (argument, input, expected) and names the row that fails.
    pub(super) fn check(name: &str, rows: &[(&str, &[u8], bool)]) {
        for (argument, input, expected) in rows {
            let found = matches(name, argument, input);
            assert_eq!(
                found,
                *expected,
                "@{name} {argument} on \"{}\"",
                input.escape_ascii()
            );
        }
    }

    /// What `@name argument` captures from the input; `None` if it does not match.
    pub(super) fn captured(name: &str, argument: &str, input: &[u8]) -> Option<Vec<(usize, String)>> {
        let mut captures = Captures::new();
        let matched = build(name, argument)
            .unwrap()
            .matches(input, &NoVariables, Some(&mut captures));
        let slots: Vec<_> = captures
            .iter()
            .map(|(slot, value)| (slot, value.escape_ascii().to_string()))
            .collect();
        assert!(
            matched || slots.is_empty(),
            "captures are written only on a match"
        );
        matched.then_some(slots)
    }

    /// `TX:wanted` has this value; no other variable has any.
    pub(super) struct Wanted(pub(super) &'static str);

    impl Lookup for Wanted {
        fn append(&self, variable: Variable, key: Option<&[u8]>, out: &mut Vec<u8>) {
            if variable == Variable::Tx && key == Some(b"wanted") {
                out.extend_from_slice(self.0.as_bytes());
            }
        }
    }

    /// Whether `@name %{TX.wanted}` matches the input where `TX:wanted` has the given value.
    pub(super) fn matches_expanded(name: &str, wanted: &'static str, input: &[u8]) -> bool {
        build(name, "%{TX.wanted}")
            .unwrap()
            .matches(input, &Wanted(wanted), None)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::build;
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(build("BEGINSWITH", "x").unwrap().name(), "beginsWith");
        assert_eq!(
            build("unconditionalmatch", "").unwrap().name(),
            "unconditionalMatch"
        );
    }

    #[test]
    fn an_unknown_operator_has_a_suggestion() {
        let error = build("validateBiteRange", "1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown operator @validateBiteRange; did you mean @validateByteRange?"
        );
        assert_eq!(
            build("frobnicate", "").unwrap_err().to_string(),
            "unknown operator @frobnicate"
        );
    }

    #[test]
    fn an_operator_left_out_says_why() {
        let error = build("INSPECTFILE", "/bin/x").unwrap_err();
        assert!(matches!(
            error,
            OperatorError::Unsupported {
                name: "inspectFile",
                ..
            }
        ));
    }
}
