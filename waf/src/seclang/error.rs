//! Why a rule set does not load: every mistake with its place.

use std::fmt;

use crate::macros::MacroError;
use crate::operators::OperatorError;
use crate::operators::pattern::PatternError;
use crate::rule::{Location, RuleId};
use crate::source::SourceError;

/// One mistake and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// Where it is. Line 0 stands for the file as a whole.
    pub location: Location,
    /// What it is.
    pub problem: Problem,
}

/// All mistakes of a rule set, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadErrors {
    errors: Vec<LoadError>,
    left_out: usize,
}

/// What can be wrong with rule text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Bytes that are no UTF-8.
    #[error("the line is not UTF-8; write other bytes as \\xHH")]
    NotUtf8,
    /// A quote without its end.
    #[error("expected a closing {quote} for `{text}`")]
    UnclosedQuote {
        /// The quote.
        quote: char,
        /// The beginning of what it opens.
        text: String,
    },
    /// Text directly behind a closing quote.
    #[error("expected a {expected} behind the closing quote, found `{found}`")]
    TextAfterQuote {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// No directive of that name.
    #[error("unknown directive `{name}`{}", did_you_mean(.suggestion))]
    UnknownDirective {
        /// As written.
        name: String,
        /// The nearest name.
        suggestion: Option<&'static str>,
    },
    /// A directive that is left out on purpose, and that protection may rest on.
    #[error("{name} is not supported: {reason}")]
    UnsupportedDirective {
        /// The directive.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// Too few or too many words.
    #[error("{directive}: expected {expected}, found {found} argument(s)")]
    ArgumentCount {
        /// The directive.
        directive: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// How many words stand there.
        found: usize,
    },
    /// A word that the directive does not take.
    #[error("{directive}: expected {expected}, found `{found}`")]
    Value {
        /// The directive.
        directive: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// `Include` found nothing for a wildcard.
    #[error("Include: no file matches `{pattern}` (IncludeOptional allows that)")]
    NoFileMatches {
        /// The resolved pattern.
        pattern: String,
    },
    /// A file includes itself.
    #[error("Include: `{path}` includes itself")]
    IncludeCycle {
        /// The file.
        path: String,
    },
    /// Files that include files that include files.
    #[error("Include: nested deeper than {limit} files")]
    IncludeDepth {
        /// The bound.
        limit: usize,
    },
    /// Too many files.
    #[error("Include: more than {limit} files")]
    TooManyFiles {
        /// The bound.
        limit: usize,
    },
    /// An empty entry in a variable list.
    #[error("expected a variable, found `{found}`")]
    NoVariable {
        /// The list's rest.
        found: String,
    },
    /// No variable of that name.
    #[error("unknown variable `{name}`{}", did_you_mean(.suggestion))]
    UnknownVariable {
        /// As written.
        name: String,
        /// The nearest name.
        suggestion: Option<&'static str>,
    },
    /// `REQUEST_URI:x`.
    #[error("{variable} is one value and has no members: `:{selector}` selects nothing")]
    SelectorOnScalar {
        /// The variable.
        variable: &'static str,
        /// What was to be selected.
        selector: String,
    },
    /// `ARGS:`.
    #[error("{variable}: expected a name or a /pattern/ behind the colon")]
    EmptySelector {
        /// The variable.
        variable: String,
    },
    /// A selector's pattern that no regular expression is.
    #[error("`/{pattern}/`: {cause}")]
    Pattern {
        /// Without its slashes.
        pattern: String,
        /// What is wrong.
        cause: PatternError,
    },
    /// An XPath past the two forms.
    #[error("{variable}:{xpath}: expected /* (text) or //@* (attributes); other XPaths are not supported")]
    XPath {
        /// The variable.
        variable: &'static str,
        /// As written.
        xpath: String,
    },
    /// `!&ARGS`.
    #[error("`!&{variable}`: a count cannot be excluded")]
    CountedExclusion {
        /// The variable.
        variable: String,
    },
    /// A variable list of exclusions only.
    #[error("expected a variable to look at, found exclusions only")]
    NoTarget,
    /// The operator.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// An action list with nothing between two commas.
    #[error("expected an action, found {found}")]
    NoAction {
        /// What stands there.
        found: &'static str,
    },
    /// No action of that name.
    #[error("unknown action `{name}`{}", did_you_mean(.suggestion))]
    UnknownAction {
        /// As written.
        name: String,
        /// The nearest name.
        suggestion: Option<&'static str>,
    },
    /// An action that is left out on purpose.
    #[error("the action {name} is not supported: {reason}")]
    UnsupportedAction {
        /// The action.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// An action without its value, or with a wrong one.
    #[error("{action}: expected {expected}, found {}", found_value(.found.as_deref()))]
    ActionValue {
        /// The action.
        action: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: Option<String>,
    },
    /// No transformation of that name.
    #[error("unknown transformation `{name}`{}", did_you_mean(.suggestion))]
    UnknownTransformation {
        /// As written.
        name: String,
        /// The nearest name.
        suggestion: Option<&'static str>,
    },
    /// No `ctl` option of that name.
    #[error("unknown ctl option `{name}`{}", did_you_mean(.suggestion))]
    UnknownCtl {
        /// As written.
        name: String,
        /// The nearest name.
        suggestion: Option<&'static str>,
    },
    /// A macro of an unknown variable.
    #[error(transparent)]
    Macro(#[from] MacroError),
    /// A rule without `id`.
    #[error("the rule has no id")]
    NoId,
    /// An id that another rule has.
    #[error("the id {id} is taken by the rule at {first}")]
    DuplicateId {
        /// The id.
        id: RuleId,
        /// The rule that had it first.
        first: Location,
    },
    /// An action that belongs on the head of a chain.
    #[error("{action} stands on a chained rule; it belongs on the first rule of the chain, {head}")]
    NotOnHead {
        /// The action.
        action: &'static str,
        /// The head.
        head: Location,
    },
    /// A chain without a next rule.
    #[error("expected the next rule of the chain that begins at {head}, found {found}")]
    BrokenChain {
        /// The head.
        head: Location,
        /// What stands there.
        found: String,
    },
    /// `deny` in phase 5.
    #[error("{action} in phase 5: nothing can be stopped any more")]
    DisruptiveInLogging {
        /// The action.
        action: &'static str,
    },
    /// An action that `SecDefaultAction` or `SecRuleUpdateActionById` cannot carry.
    #[error("{directive}: {action} does not belong here")]
    NotHere {
        /// The directive.
        directive: &'static str,
        /// The action.
        action: &'static str,
    },
    /// `SecDefaultAction` without what it must have.
    #[error("SecDefaultAction: expected {expected}")]
    DefaultAction {
        /// What is missing.
        expected: &'static str,
    },
}

impl LoadErrors {
    /// The mistakes, at most as many as `Errors` keeps.
    pub fn errors(&self) -> &[LoadError] {
        &self.errors
    }

    /// How many more there were.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cause from elsewhere may be worded on several lines; a mistake is one line.
        let problem = self.problem.to_string().replace(['\n', '\r'], " ");
        match (&self.problem, self.location.line) {
            (Problem::Source(_), 0) => f.write_str(&problem),
            (_, 0) => write!(f, "{}: {problem}", self.location.file),
            (_, _) => write!(f, "{}: {problem}", self.location),
        }
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        if self.left_out > 0 {
            write!(f, "\nand {} more", self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.problem)
    }
}

impl std::error::Error for LoadErrors {}

/// Where mistakes are gathered. Bounded: a file of the wrong kind yields one per line.
#[derive(Debug, Default)]
pub(super) struct Errors {
    list: Vec<LoadError>,
    left_out: usize,
}

impl Errors {
    /// How many are kept: more than anyone reads at once.
    pub(super) const KEPT: usize = 100;

    pub(super) fn push(&mut self, location: Location, problem: impl Into<Problem>) {
        if self.list.len() < Self::KEPT {
            let problem = problem.into();
            self.list.push(LoadError { location, problem });
        } else {
            self.left_out += 1;
        }
    }

    /// How many there have been: a part of the text that leaves it unchanged is right.
    pub(super) fn count(&self) -> usize {
        self.list.len() + self.left_out
    }

    /// Nothing, or everything that was wrong.
    pub(super) fn finish(self) -> Result<(), LoadErrors> {
        if self.list.is_empty() {
            return Ok(());
        }
        Err(LoadErrors {
            errors: self.list,
            left_out: self.left_out,
        })
    }
}

/// The beginning of a text, fit for a message: a terminal is no place for the control characters of a
/// file.
pub(super) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown = String::new();
    for next in text.chars().take(SHOWN) {
        if next.is_control() {
            shown.extend(next.escape_default());
        } else {
            shown.push(next);
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

fn did_you_mean(suggestion: &Option<&'static str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn found_value(found: Option<&str>) -> String {
    found.map_or_else(|| "nothing".to_owned(), |text| format!("`{text}`"))
}
