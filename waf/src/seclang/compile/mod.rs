//! Syntax tree -> typed rules: one pass over the directives in the order of the text, because
//! `SecDefaultAction`, removals and updates act on what stands behind or in front of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::ast::{Directive, Word};
use super::error::{Errors, LoadErrors, Problem};
use super::parser;
use super::remark::Remark;
use crate::operators::{Build, Operator, OperatorError};
use crate::rule::{Location, Rule, RuleId, Settings};
use crate::source::{RuleSource, folder_of, resolve};
use action_set::ActionSet;
use rules::OpenChain;

mod action_set;
mod arguments;
mod collections;
mod ctl;
mod dataset;
mod directives;
mod rules;
mod select;
mod settings;
mod targets;
mod update;
mod value;

/// How operators are made: the plan's cache stands behind it.
pub(crate) type MakeOperator<'a> =
    dyn Fn(&str, &str, &Build<'_>) -> Result<Arc<Operator>, OperatorError> + 'a;

/// Files that one rule set may read: the CRS with all its plugins has fewer than a hundred, and files
/// that include each other by wildcard multiply.
const FILES: usize = 1000;

/// How deep files may include files.
const DEPTH: usize = 30;

/// What becomes of a rule that is right and needs what is left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Unsupported {
    /// It is a mistake.
    #[default]
    Refuse,
    /// The rule is left out, with a remark.
    LeaveOut,
}

/// A rule set as typed rules in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) settings: Settings,
    pub(crate) entries: Vec<Entry>,
    pub(crate) remarks: Vec<Remark>,
}

/// What stands in the text and takes part in the evaluation.
#[derive(Debug)]
pub(crate) enum Entry {
    Rule(Rule),
    Marker(String),
}

/// Takes text and files in their order and ends in all rules, or in all mistakes.
pub(crate) struct Compiler<'a> {
    source: &'a dyn RuleSource,
    operator: &'a MakeOperator<'a>,
    /// What to do about rules that need an unsupported operator.
    unsupported: Unsupported,
    errors: Errors,
    compiled: Compiled,
    /// `SecDefaultAction` per phase.
    defaults: [ActionSet; 5],
    /// Who has an id, and where.
    ids: HashMap<RuleId, Location>,
    chain: Option<OpenChain>,
    /// A rule with a mistake that hides whether it opens a chain: what follows may lack an `id` rightly.
    lost: bool,
    datasets: BTreeMap<String, Vec<u8>>,
    /// The files that are being read, each included by the one in front of it.
    open_files: Vec<String>,
    files_read: usize,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(
        source: &'a dyn RuleSource,
        operator: &'a MakeOperator<'a>,
        unsupported: Unsupported,
    ) -> Self {
        Self {
            source,
            operator,
            unsupported,
            errors: Errors::default(),
            compiled: Compiled::default(),
            defaults: std::array::from_fn(|_| ActionSet::built_in()),
            ids: HashMap::new(),
            chain: None,
            lost: false,
            datasets: BTreeMap::new(),
            open_files: Vec::new(),
            files_read: 0,
        }
    }

    /// Text that stands in no file of the source. `name` is its name in messages; relative names in it
    /// are resolved against the folder of `name`.
    pub(crate) fn text(&mut self, name: &str, text: &[u8]) {
        let file: Arc<str> = Arc::from(name);
        let directives = parser::parse(&file, text, &mut self.errors);
        for directive in &directives {
            self.directive(directive);
        }
        self.end_of_text();
    }

    /// A file, or all files that a wildcard stands for.
    pub(crate) fn file(&mut self, pattern: &str) {
        let whole = Location {
            file: Arc::from(pattern),
            line: 0,
        };
        self.include(pattern, &whole, false);
    }

    pub(crate) fn finish(self) -> Result<Compiled, LoadErrors> {
        self.errors.finish()?;
        Ok(self.compiled)
    }

    /// `Include` and `IncludeOptional`.
    fn include_directive(&mut self, directive: &Directive, pattern: &Word, optional: bool) {
        let pattern = resolve(folder_of(&directive.location.file), &pattern.text);
        self.include(&pattern, &directive.location, optional);
    }

    fn include(&mut self, pattern: &str, by: &Location, optional: bool) {
        match self.source.list(pattern) {
            Ok(files) if files.is_empty() && !optional => {
                let pattern = pattern.to_owned();
                self.errors.push(by.clone(), Problem::NoFileMatches { pattern });
            }
            Ok(files) => files.iter().for_each(|path| self.read(path, by)),
            Err(crate::SourceError::NotFound { .. }) if optional => {}
            Err(error) => self.errors.push(by.clone(), error),
        }
    }

    fn read(&mut self, path: &str, by: &Location) {
        if self.open_files.iter().any(|open| open == path) {
            let path = path.to_owned();
            return self.errors.push(by.clone(), Problem::IncludeCycle { path });
        }
        if self.open_files.len() >= DEPTH {
            return self
                .errors
                .push(by.clone(), Problem::IncludeDepth { limit: DEPTH });
        }
        if self.files_read >= FILES {
            return self
                .errors
                .push(by.clone(), Problem::TooManyFiles { limit: FILES });
        }
        self.files_read += 1;
        match self.source.read(path) {
            Ok(bytes) => {
                self.open_files.push(path.to_owned());
                self.text(path, &bytes);
                self.open_files.pop();
            }
            Err(error) => self.errors.push(by.clone(), error),
        }
    }

    fn remark_ignored(&mut self, location: Location, name: &'static str, reason: &'static str) {
        self.compiled.remarks.push(Remark::Ignored {
            location,
            name,
            reason,
        });
    }
}
