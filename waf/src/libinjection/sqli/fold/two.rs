//! Rules for two tokens.

use super::super::keywords::{Word, look_up};
use super::super::token::Kind;
use super::phrase::Phrase;
use super::{ROOM, Row, Step};

impl Row<'_> {
    /// Holds the two tokens behind the settled ones against the rules, in their order.
    pub(super) fn fold_two(&mut self) -> Step {
        if let Some(step) = self.fold_repetition() {
            return step;
        }
        if self.join_phrase() {
            return self.drop_last_and_step_back();
        }
        self.fold_pair()
    }

    /// What is said twice, and signs that have no operand before them.
    fn fold_repetition(&mut self) -> Option<Step> {
        use Kind::{LeftParenthesis, Logic, Operator, Semicolon, SqlType, String};
        let (first, second) = (self.at(self.left), self.at(self.left + 1));
        Some(match (first.kind, second.kind) {
            // Neighbouring strings are one, empty statements are none. What is settled stays so.
            (String, String) | (Semicolon, Semicolon) => {
                self.filled -= 1;
                Step::Again
            }
            (Operator | Logic, SqlType) => self.drop_last(1),
            (Operator | Logic, Operator) if self.is_unary(self.left + 1) => self.drop_last(1),
            (LeftParenthesis, Operator) if self.is_unary(self.left + 1) => self.drop_last_and_step_back(),
            _ => return None,
        })
    }

    /// Pairs whose one half says what the other is, or that it is nothing.
    fn fold_pair(&mut self) -> Step {
        use Kind::{
            Backslash, BareWord, Collate, Function, Keyword, LeftBrace, LeftParenthesis, Number, Operator,
            RightBrace, RightParenthesis, Semicolon, SqlType, String, TransactSql, Variable,
        };
        let (first, second) = (self.at(self.left), self.at(self.left + 1));
        match (first.kind, second.kind) {
            // IF is a function, but begins a statement of its own in Transact-SQL.
            (Semicolon, Function) if is_if(self.text(self.left + 1)) => self.change(1, TransactSql),
            (BareWord | Variable, LeftParenthesis) if is_callable(self.text(self.left)) => {
                self.change(0, Function)
            }
            (Keyword, LeftParenthesis)
                if self.is_word(self.left, "IN") || self.is_word(self.left, "NOT IN") =>
            {
                self.change(0, Operator)
            }
            (Keyword, _) if self.is_word(self.left, "IN") || self.is_word(self.left, "NOT IN") => {
                self.change(0, BareWord)
            }
            (Operator, _) if self.is_word(self.left, "LIKE") || self.is_word(self.left, "NOT LIKE") => {
                if second.kind == LeftParenthesis {
                    self.change(0, Function);
                }
                Step::Next
            }
            (SqlType, BareWord | Number | SqlType | LeftParenthesis | Function | Variable | String) => {
                self.overwrite_previous(self.left + 1);
                self.drop_last(1)
            }
            (Collate, BareWord) => self.name_collation(),
            (Backslash, _) => self.fold_backslash(),
            (LeftParenthesis, LeftParenthesis) | (RightParenthesis, RightParenthesis) => self.drop_last(1),
            // The empty name in {`` is how some attacks begin.
            (LeftBrace, BareWord) if self.text(self.left + 1).is_empty() => {
                self.change(1, Kind::Evil);
                Step::Evil(self.left + 2)
            }
            // {name expression} of ODBC is the expression.
            (LeftBrace, BareWord) => self.drop_last(2),
            (_, RightBrace) => self.drop_last(1),
            _ => Step::Next,
        }
    }

    /// Changes the kind of the first or second token, and starts over with that.
    fn change(&mut self, offset: usize, kind: Kind) -> Step {
        self.at_mut(self.left + offset).kind = kind;
        Step::Again
    }

    /// Joins two words that are a phrase: "UNION" and "ALL".
    fn join_phrase(&mut self) -> bool {
        let (first, second) = (self.at(self.left), self.at(self.left + 1));
        if !first.begins_phrase
            || !is_word(first.kind)
            || !(is_word(second.kind) || second.kind == Kind::Logic)
        {
            return false;
        }
        let Some(phrase) = Phrase::of(self.text(self.left), self.text(self.left + 1)) else {
            return false;
        };
        let word = phrase.text().map_or(Word::UNKNOWN, look_up);
        if word.kind == Kind::None {
            return false;
        }
        self.phrases[self.left % ROOM] = phrase.cut();
        let joined = self.at_mut(self.left);
        *joined = joined.known_as(word.kind, word.begins_phrase);
        true
    }

    /// There are too many collations for a list; their names have underscores.
    fn name_collation(&mut self) -> Step {
        if self.text(self.left + 1).contains(&b'_') {
            self.change(1, Kind::SqlType);
            self.left = 0;
        }
        Step::Next
    }

    /// Transact-SQL reads `\%1` as 0 % 1 and any other backslash as nothing.
    fn fold_backslash(&mut self) -> Step {
        if self.is_arithmetic(self.left + 1) {
            self.change(0, Kind::Number);
            self.left = 0;
            return Step::Again;
        }
        self.overwrite_previous(self.left + 1);
        self.drop_last(1)
    }
}

/// Whether the kind is one of words that phrases are made of.
fn is_word(kind: Kind) -> bool {
    use Kind::{BareWord, Expression, Function, Keyword, Operator, SqlType, TransactSql, Union};
    matches!(
        kind,
        Keyword | BareWord | Operator | Union | Function | Expression | TransactSql | SqlType
    )
}

fn is_if(text: &[u8]) -> bool {
    matches!(text, [b'I' | b'i', b'F' | b'f', ..])
}

/// Names that are functions before a parenthesis and often columns otherwise.
fn is_callable(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"USER_ID",
        b"USER_NAME",
        b"DATABASE",
        b"PASSWORD",
        b"USER",
        b"CURRENT_USER",
        b"CURRENT_DATE",
        b"CURRENT_TIME",
        b"CURRENT_TIMESTAMP",
        b"LOCALTIME",
        b"LOCALTIMESTAMP",
    ];
    NAMES.iter().any(|name| text.eq_ignore_ascii_case(name))
}
