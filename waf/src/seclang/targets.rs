//! A variable list: `A|B:name|!B:/pattern/|&C`.

use super::ast::{SelectorText, TargetText, Word};
use super::error::{Problem, excerpt};
use super::lexer::closing_quote;

/// Which characters stand between targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separators {
    /// `|`, as in a rule.
    Pipe,
    /// `|` or `,`, as in `SecRuleUpdateTargetById`.
    PipeOrComma,
}

/// Takes a variable list apart. A mistake ends it: what follows cannot be told apart.
pub(super) fn parse(word: &Word, separators: Separators) -> (Vec<TargetText>, Option<(u32, Problem)>) {
    let mut cursor = Cursor {
        word,
        position: 0,
        separators,
    };
    let mut targets = Vec::new();
    loop {
        match cursor.target() {
            Ok(target) => targets.push(target),
            Err(problem) => return (targets, Some((word.line_at(cursor.position), problem))),
        }
        if !cursor.skip_separator() {
            return (targets, None);
        }
    }
}

struct Cursor<'a> {
    word: &'a Word,
    position: usize,
    separators: Separators,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.word.text.get(self.position..).unwrap_or_default()
    }

    fn target(&mut self) -> Result<TargetText, Problem> {
        self.skip_space();
        let line = self.word.line_at(self.position);
        let excluded = self.skip('!');
        let count = self.skip('&');
        let name = self.name();
        if name.is_empty() {
            return Err(Problem::NoVariable {
                found: excerpt(self.rest()),
            });
        }
        let selector = if self.skip(':') {
            Some(self.selector(name)?)
        } else {
            None
        };
        Ok(TargetText {
            variable: name.to_owned(),
            selector,
            count,
            excluded,
            line,
        })
    }

    fn skip(&mut self, wanted: char) -> bool {
        let there = self.rest().starts_with(wanted);
        if there {
            self.position += wanted.len_utf8();
        }
        there
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_ascii_start().len();
    }

    /// `false` at the end of the list.
    fn skip_separator(&mut self) -> bool {
        self.skip_space();
        match self.rest().chars().next() {
            Some(next) if self.separates(next) => {
                self.position += 1;
                true
            }
            _ => false,
        }
    }

    fn separates(&self, next: char) -> bool {
        next == '|' || (next == ',' && self.separators == Separators::PipeOrComma)
    }

    fn name(&mut self) -> &'a str {
        self.take_until(|next| next == ':')
    }

    /// The text in front of a separator, or of a character that `also` names.
    fn take_until(&mut self, also: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|next| self.separates(next) || also(next))
            .unwrap_or(rest.len());
        self.position += end;
        rest.get(..end).unwrap_or_default().trim_ascii()
    }

    fn selector(&mut self, variable: &str) -> Result<SelectorText, Problem> {
        let selector = match self.rest().chars().next() {
            // An XPath begins with a slash too, and holds no separator.
            _ if is_xml(variable) => SelectorText::Key(self.take_until(|_| false).to_owned()),
            Some('\'') => self.quoted(variable)?,
            Some('/') => self.pattern()?,
            _ => SelectorText::Key(self.take_until(|_| false).to_owned()),
        };
        match &selector {
            SelectorText::Key(text) | SelectorText::Pattern(text) if text.is_empty() => {
                Err(Problem::EmptySelector {
                    variable: variable.to_owned(),
                })
            }
            _ => Ok(selector),
        }
    }

    /// `'name'` or `'/pattern/'`.
    fn quoted(&mut self, variable: &str) -> Result<SelectorText, Problem> {
        let inner = self.rest().get(1..).unwrap_or_default();
        let Some(length) = closing_quote(inner, '\'') else {
            return Err(Problem::UnclosedQuote {
                quote: '\'',
                text: excerpt(inner),
            });
        };
        let text = inner.get(..length).unwrap_or_default().replace("\\'", "'");
        self.position += length + 2;
        self.ends_here()?;
        match text.strip_prefix('/').and_then(|text| text.strip_suffix('/')) {
            Some(pattern) => Ok(SelectorText::Pattern(pattern.to_owned())),
            None if text.is_empty() => Err(Problem::EmptySelector {
                variable: variable.to_owned(),
            }),
            None => Ok(SelectorText::Key(text)),
        }
    }

    /// `/pattern/`: it ends at the first slash without a backslash that a separator or the end follows.
    fn pattern(&mut self) -> Result<SelectorText, Problem> {
        let inner = self.rest().get(1..).unwrap_or_default();
        let mut from = 0;
        while let Some(length) = inner.get(from..).and_then(|rest| closing_quote(rest, '/')) {
            let end = from + length;
            let behind = inner.get(end + 1..).unwrap_or_default().trim_ascii_start();
            if behind.is_empty() || behind.starts_with(|next| self.separates(next)) {
                self.position += end + 2;
                return Ok(SelectorText::Pattern(
                    inner.get(..end).unwrap_or_default().to_owned(),
                ));
            }
            from = end + 1;
        }
        Err(Problem::UnclosedQuote {
            quote: '/',
            text: excerpt(inner),
        })
    }

    fn ends_here(&self) -> Result<(), Problem> {
        match self.rest().trim_ascii_start().chars().next() {
            Some(next) if !self.separates(next) => Err(Problem::TextAfterQuote {
                expected: "`|`",
                found: excerpt(self.rest()),
            }),
            _ => Ok(()),
        }
    }
}

fn is_xml(variable: &str) -> bool {
    ["XML", "REQUEST_XML", "RESPONSE_XML"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let word = Word {
            text: text.to_owned(),
            lines: vec![(0, 1)],
        };
        let (targets, problem) = parse(&word, Separators::PipeOrComma);
        let mut shown: Vec<String> = targets
            .iter()
            .map(|target| {
                let selector = match &target.selector {
                    None => String::new(),
                    Some(SelectorText::Key(key)) => format!(" key {key}"),
                    Some(SelectorText::Pattern(pattern)) => format!(" pattern {pattern}"),
                };
                let signs = [target.excluded.then_some("!"), target.count.then_some("&")];
                let signs: String = signs.into_iter().flatten().collect();
                format!("{signs}{}{selector}", target.variable)
            })
            .collect();
        shown.extend(problem.map(|(_, problem)| format!("ERROR {problem}")));
        shown.join("; ")
    }

    #[test]
    fn lists_as_rules_write_them() {
        let table = [
            ("ARGS", "ARGS"),
            ("ARGS|!ARGS:x|&TX:y", "ARGS; !ARGS key x; &TX key y"),
            (r"TX:/^a\/b|c/|ARGS", r"TX pattern ^a\/b|c; ARGS"),
            (
                r"ARGS_NAMES:/^[\w]+\[[\w\-]+\]$/|X",
                r"ARGS_NAMES pattern ^[\w]+\[[\w\-]+\]$; X",
            ),
            ("ARGS:'/a b|c/'|X", "ARGS pattern a b|c; X"),
            ("ARGS:'it\\'s'", "ARGS key it's"),
            ("XML:/*|XML://@*", "XML key /*; XML key //@*"),
            ("!ARGS:a , !ARGS:b", "!ARGS key a; !ARGS key b"),
            (
                "REQUEST_COOKIES:/\\x22?\\x24Version/",
                "REQUEST_COOKIES pattern \\x22?\\x24Version",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        let table = [
            ("", "ERROR expected a variable, found ``"),
            ("ARGS||X", "ARGS; ERROR expected a variable, found `|X`"),
            (
                "ARGS:",
                "ERROR ARGS: expected a name or a /pattern/ behind the colon",
            ),
            ("ARGS:/a", "ERROR expected a closing / for `a`"),
            (
                "ARGS://",
                "ERROR ARGS: expected a name or a /pattern/ behind the colon",
            ),
            ("ARGS:'a", "ERROR expected a closing ' for `a`"),
            (
                "ARGS:'a'b",
                "ERROR expected a `|` behind the closing quote, found `b`",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(show(text), expected, "{text}");
        }
    }
}
