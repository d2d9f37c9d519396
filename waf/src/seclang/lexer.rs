//! Bytes -> directives' lines -> words.

use super::ast::Word;
use super::error::{Problem, excerpt};

/// One directive's text: physical lines joined.
pub(super) type Line = Word;

/// A mistake in the bytes themselves.
pub(super) struct Flaw {
    pub(super) line: u32,
    pub(super) problem: Problem,
}

/// Joins continued lines and leaves out comments and empty lines.
pub(super) fn lines(bytes: &[u8]) -> (Vec<Line>, Vec<Flaw>) {
    let mut joiner = Joiner::default();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (index, raw) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1));
        joiner.take(raw, number);
    }
    joiner.finish()
}

#[derive(Default)]
struct Joiner {
    lines: Vec<Line>,
    flaws: Vec<Flaw>,
    current: Line,
    /// Inside the backticks of `SecDataset`.
    block: bool,
    /// A part of the directive could not be read: the rest would only be mistaken for something else.
    spoiled: bool,
}

impl Joiner {
    fn take(&mut self, raw: &[u8], number: u32) {
        let trimmed = raw.trim_ascii();
        if trimmed.first() == Some(&b'#') {
            return;
        }
        let Ok(text) = std::str::from_utf8(trimmed) else {
            self.flaws.push(Flaw {
                line: number,
                problem: Problem::NotUtf8,
            });
            self.spoiled = true;
            if !trimmed.ends_with(b"\\") {
                self.end_line();
            }
            return;
        };
        if self.block {
            self.take_block(text, number);
        } else if text.is_empty() {
            self.end_line();
        } else {
            self.take_text(text, number);
        }
    }

    fn take_text(&mut self, text: &str, number: u32) {
        if self.current.text.is_empty() && opens_block(text) {
            self.block = true;
            self.append(text, number);
            self.append("\n", number);
        } else if let Some(continued) = text.strip_suffix('\\') {
            self.append(continued, number);
        } else {
            self.append(text, number);
            self.end_line();
        }
    }

    fn take_block(&mut self, text: &str, number: u32) {
        if text.starts_with('`') {
            self.block = false;
            self.append(text, number);
            self.end_line();
        } else {
            self.append(text, number);
            self.append("\n", number);
        }
    }

    fn append(&mut self, text: &str, number: u32) {
        let last = self.current.lines.last().map(|(_, line)| *line);
        if last != Some(number) {
            self.current.lines.push((self.current.text.len(), number));
        }
        self.current.text.push_str(text);
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.current);
        let spoiled = std::mem::take(&mut self.spoiled);
        if !spoiled && !line.text.trim_ascii().is_empty() {
            self.lines.push(line);
        }
    }

    fn finish(mut self) -> (Vec<Line>, Vec<Flaw>) {
        self.end_line();
        (self.lines, self.flaws)
    }
}

/// Coraza's data set: a list of lines between backticks.
fn opens_block(text: &str) -> bool {
    let name = text.split_ascii_whitespace().next().unwrap_or_default();
    name.eq_ignore_ascii_case("SecDataset") && text.ends_with('`')
}

/// The words of a line, as far as the first mistake.
pub(super) fn words(line: &Line) -> (Vec<Word>, Option<Flaw>) {
    let mut scanner = Scanner {
        line,
        position: 0,
        word: Word::default(),
    };
    let mut words = Vec::new();
    loop {
        match scanner.next_word() {
            Ok(Some(word)) => words.push(word),
            Ok(None) => return (words, None),
            Err(flaw) => return (words, Some(flaw)),
        }
    }
}

struct Scanner<'a> {
    line: &'a Line,
    position: usize,
    word: Word,
}

impl Scanner<'_> {
    fn next_word(&mut self) -> Result<Option<Word>, Flaw> {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_ascii_start().len();
        match self.rest().chars().next() {
            None => return Ok(None),
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            Some('`') => self.block()?,
            Some(_) => self.bare(),
        }
        Ok(Some(std::mem::take(&mut self.word)))
    }

    fn rest(&self) -> &str {
        self.line.text.get(self.position..).unwrap_or_default()
    }

    /// `"..."`: the only escape is the quote's own.
    fn quoted(&mut self, quote: char) -> Result<(), Flaw> {
        let opening = self.position;
        self.position += 1;
        let Some(length) = closing_quote(self.rest(), quote) else {
            return Err(self.flaw(
                opening,
                Problem::UnclosedQuote {
                    quote,
                    text: excerpt(self.rest()),
                },
            ));
        };
        // An empty word stands on a line too.
        self.mark();
        let end = self.position + length;
        let mut escaped = false;
        while self.position < end {
            let backslash = self.rest().starts_with('\\') && !escaped;
            if backslash && self.rest()[1..].starts_with(quote) {
                self.position += 1;
            }
            escaped = backslash;
            self.push_char();
        }
        self.position = end + 1;
        self.ends_with_space()
    }

    fn block(&mut self) -> Result<(), Flaw> {
        let opening = self.position;
        self.position += 1;
        let Some(length) = self.rest().find('`') else {
            return Err(self.flaw(
                opening,
                Problem::UnclosedQuote {
                    quote: '`',
                    text: excerpt(self.rest()),
                },
            ));
        };
        self.mark();
        let end = self.position + length;
        while self.position < end {
            self.push_char();
        }
        self.position = end + 1;
        self.ends_with_space()
    }

    fn ends_with_space(&self) -> Result<(), Flaw> {
        match self.rest().chars().next() {
            Some(next) if !next.is_ascii_whitespace() => Err(self.flaw(
                self.position,
                Problem::TextAfterQuote {
                    expected: "space",
                    found: excerpt(self.rest()),
                },
            )),
            _ => Ok(()),
        }
    }

    /// A word without quotes around it. `ARGS:'/a b/'` may still hold a quoted part.
    fn bare(&mut self) {
        while let Some(next) = self.rest().chars().next() {
            if next.is_ascii_whitespace() {
                return;
            }
            let inner = match next {
                '\'' if self.word.text.ends_with(':') => inner_quote(self.rest()),
                _ => None,
            };
            match inner {
                Some(length) => {
                    let end = self.position + length;
                    while self.position < end {
                        self.push_char();
                    }
                }
                None => self.push_char(),
            }
        }
    }

    fn push_char(&mut self) {
        self.mark();
        if let Some(next) = self.rest().chars().next() {
            self.word.text.push(next);
            self.position += next.len_utf8();
        }
    }

    /// Notes that the word goes on on another line of the file.
    fn mark(&mut self) {
        let line = self.line.line_at(self.position);
        if self.word.lines.last().map(|(_, last)| *last) != Some(line) {
            self.word.lines.push((self.word.text.len(), line));
        }
    }

    fn flaw(&self, position: usize, problem: Problem) -> Flaw {
        Flaw {
            line: self.line.line_at(position),
            problem,
        }
    }
}

/// The length of the text in front of the first `quote` that no backslash escapes. A backslash that is
/// escaped itself escapes nothing.
pub(super) fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, next) in text.char_indices() {
        if next == quote && !escaped {
            return Some(offset);
        }
        escaped = next == '\\' && !escaped;
    }
    None
}

/// The length of `'...'` at the beginning of `text`, if what follows it can follow a selector or a
/// value; else the quote is an apostrophe.
fn inner_quote(text: &str) -> Option<usize> {
    let length = closing_quote(text.get(1..)?, '\'')? + 2;
    match text.get(length..)?.chars().next() {
        None | Some('|' | ',') => Some(length),
        Some(next) if next.is_ascii_whitespace() => Some(length),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(text: &str) -> Vec<Vec<String>> {
        let (lines, flaws) = lines(text.as_bytes());
        assert!(flaws.is_empty());
        lines
            .iter()
            .map(|line| {
                let (words, flaw) = words(line);
                assert!(flaw.is_none(), "{text}");
                words.into_iter().map(|word| word.text).collect()
            })
            .collect()
    }

    #[test]
    fn lines_are_joined_and_comments_left_out() {
        let text =
            "# one\nSecRule ARGS \\\n  # two\n\t\"@rx a b\" \\ \r\n  \"id:1,\\\n  pass\"\n\nSecMarker X";
        assert_eq!(
            words_of(text),
            [
                vec!["SecRule", "ARGS", "@rx a b", "id:1,pass"],
                vec!["SecMarker", "X"]
            ]
        );
    }

    #[test]
    fn an_empty_line_ends_a_directive() {
        assert_eq!(
            words_of("SecMarker A \\\n\nSecMarker B"),
            [["SecMarker", "A"], ["SecMarker", "B"]]
        );
    }

    #[test]
    fn quotes_undo_their_own_escape_only() {
        let table = [
            (r#"D "a \"b\" \d \\""#, r#"a "b" \d \\"#),
            (r#"D 'it\'s \"x\"'"#, r#"it's \"x\""#),
            (r#"D """#, ""),
            (r#"D ARGS:'/a b/'|X"#, "ARGS:'/a b/'|X"),
            (r#"D bob's"#, "bob's"),
        ];
        for (text, expected) in table {
            assert_eq!(words_of(text), [["D", expected]], "{text}");
        }
    }

    #[test]
    fn every_character_knows_its_line() {
        let (lines, _) = lines(b"\n\nSecAction \"id:1,\\\n# no\n  msg:'x',\\\n  pass\"");
        let (words, _) = words(&lines[0]);
        assert_eq!(words[0].line_at(0), 3);
        let actions = &words[1];
        assert_eq!(actions.text, "id:1,msg:'x',pass");
        assert_eq!([0, 5, 13].map(|at| actions.line_at(at)), [3, 5, 6]);
    }

    #[test]
    fn a_byte_order_mark_and_strange_comments_are_no_mistake() {
        let (lines, flaws) = lines(b"\xef\xbb\xbf# caf\xe9\nSecMarker A\nSecMarker \xff\n");
        assert_eq!(lines.len(), 1);
        assert_eq!(flaws.len(), 1);
        assert_eq!(flaws[0].line, 3);
    }

    #[test]
    fn data_sets_stand_between_backticks() {
        assert_eq!(
            words_of("SecDataset bad `\nfoo bar\n# no\nbaz\n`\nSecMarker A"),
            [
                vec!["SecDataset", "bad", "\nfoo bar\nbaz\n"],
                vec!["SecMarker", "A"]
            ]
        );
    }
}
