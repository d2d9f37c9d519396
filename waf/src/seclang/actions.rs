//! An action list: `id:1,phase:2,msg:'text',t:none`.

use super::ast::{ActionText, Word};
use super::error::{Problem, excerpt};
use super::lexer::closing_quote;

/// Takes an action list apart. A mistake in an action leaves that one out.
pub(super) fn parse(word: &Word) -> (Vec<ActionText>, Vec<(u32, Problem)>) {
    let mut cursor = Cursor { word, position: 0 };
    let mut actions = Vec::new();
    let mut problems = Vec::new();
    loop {
        cursor.skip_space();
        let line = word.line_at(cursor.position);
        match cursor.action(line) {
            Ok(action) => actions.push(action),
            Err(problem) => problems.push((line, problem)),
        }
        if !cursor.skip_to_next() {
            return (actions, problems);
        }
    }
}

struct Cursor<'a> {
    word: &'a Word,
    position: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.word.text.get(self.position..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_ascii_start().len();
    }

    /// Steps behind the next comma; `false` if there is none.
    fn skip_to_next(&mut self) -> bool {
        match self.rest().find(',') {
            Some(offset) => {
                self.position += offset + 1;
                true
            }
            None => false,
        }
    }

    fn action(&mut self, line: u32) -> Result<ActionText, Problem> {
        let rest = self.rest();
        let end = rest.find([':', ',']).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().trim_ascii();
        self.position += end;
        if name.is_empty() {
            return Err(Problem::NoAction {
                found: match self.rest().chars().next() {
                    None => "the end of the list",
                    Some(',') => "a comma",
                    Some(_) => "a colon",
                },
            });
        }
        Ok(ActionText {
            name: name.to_owned(),
            value: self.value()?,
            line,
        })
    }

    fn value(&mut self) -> Result<Option<String>, Problem> {
        if !self.rest().starts_with(':') {
            return Ok(None);
        }
        self.position += 1;
        self.skip_space();
        if self.rest().starts_with('\'') {
            return self.quoted().map(Some);
        }
        let rest = self.rest();
        let end = bare_length(rest);
        self.position += end;
        Ok(Some(rest.get(..end).unwrap_or_default().trim_ascii().to_owned()))
    }

    /// `'...'`; `\'` is a quote in it.
    fn quoted(&mut self) -> Result<String, Problem> {
        let inner = self.rest().get(1..).unwrap_or_default();
        let Some(length) = closing_quote(inner, '\'') else {
            // Nothing behind it can be told from the text.
            self.position = self.word.text.len();
            return Err(Problem::UnclosedQuote {
                quote: '\'',
                text: excerpt(inner),
            });
        };
        let text = inner.get(..length).unwrap_or_default();
        self.position += length + 2;
        self.skip_space();
        match self.rest().chars().next() {
            None | Some(',') => Ok(text.replace("\\'", "'")),
            Some(_) => Err(Problem::TextAfterQuote {
                expected: "comma",
                found: excerpt(self.rest()),
            }),
        }
    }
}

/// The length of a value without quotes around it: up to a comma outside of a quoted part
/// (`ctl:ruleRemoveTargetById=1;ARGS:'/a,b/'`). A quote in the middle of a word is an apostrophe.
fn bare_length(text: &str) -> usize {
    let mut offset = 0;
    let mut previous = ' ';
    while let Some(next) = text.get(offset..).and_then(|rest| rest.chars().next()) {
        if next == ',' {
            return offset;
        }
        offset += next.len_utf8();
        if next == '\''
            && matches!(previous, ':' | '=' | ';')
            && let Some(length) = text.get(offset..).and_then(|rest| closing_quote(rest, '\''))
        {
            offset += length + 1;
        }
        previous = next;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let word = Word {
            text: text.to_owned(),
            lines: vec![(0, 1)],
        };
        let (actions, problems) = parse(&word);
        let mut shown: Vec<String> = actions
            .into_iter()
            .map(|action| match action.value {
                Some(value) => format!("{}={value}", action.name),
                None => action.name,
            })
            .collect();
        shown.extend(
            problems
                .into_iter()
                .map(|(_, problem)| format!("ERROR {problem}")),
        );
        shown.join("; ")
    }

    #[test]
    fn lists_as_rules_write_them() {
        let table = [
            ("id:1,phase:2,pass", "id=1; phase=2; pass"),
            (" id:'1' ,\tt:none , pass ", "id=1; t=none; pass"),
            (r"msg:'a, b: it\'s',log", "msg=a, b: it's; log"),
            (r"msg:'ends with \\',log", r"msg=ends with \\; log"),
            ("msg:don't,tag:can't", "msg=don't; tag=can't"),
            ("setvar:tx.a=%{tx.b},x", "setvar=tx.a=%{tx.b}; x"),
            ("ctl:r=1;ARGS:'/a,b/',x", "ctl=r=1;ARGS:'/a,b/'; x"),
            ("skipAfter:END:X", "skipAfter=END:X"),
            ("msg:", "msg="),
        ];
        for (text, expected) in table {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        let table = [
            ("", "ERROR expected an action, found the end of the list"),
            (
                "id:1,,pass",
                "id=1; pass; ERROR expected an action, found a comma",
            ),
            (
                "id:1,",
                "id=1; ERROR expected an action, found the end of the list",
            ),
            ("id:1,:x", "id=1; ERROR expected an action, found a colon"),
            (
                "id:1,msg:'x,pass",
                "id=1; ERROR expected a closing ' for `x,pass`",
            ),
            (
                "msg:'a'b,pass",
                "pass; ERROR expected a comma behind the closing quote, found `b,pass`",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(show(text), expected, "{text}");
        }
    }
}
