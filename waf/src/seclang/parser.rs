//! Lines -> directives.

use std::sync::Arc;

use super::ast::Directive;
use super::error::Errors;
use super::lexer;
use crate::rule::Location;

/// The directives of one file. Mistakes in the quoting are noted, and the directive marked.
pub(super) fn parse(file: &Arc<str>, bytes: &[u8], errors: &mut Errors) -> Vec<Directive> {
    let place = |line| Location {
        file: Arc::clone(file),
        line,
    };
    let (lines, flaws) = lexer::lines(bytes);
    for flaw in flaws {
        errors.push(place(flaw.line), flaw.problem);
    }
    let mut directives = Vec::with_capacity(lines.len());
    for line in &lines {
        let (words, flaw) = lexer::words(line);
        let intact = flaw.is_none();
        if let Some(flaw) = flaw {
            errors.push(place(flaw.line), flaw.problem);
        }
        let mut words = words.into_iter();
        if let Some(name) = words.next() {
            directives.push(Directive {
                location: place(name.line_at(0)),
                name: name.text,
                arguments: words.collect(),
                intact,
            });
        }
    }
    directives
}
