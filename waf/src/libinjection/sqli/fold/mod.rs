//! Folding: what makes no difference to the meaning is taken away, until at most five tokens are left.
//!
//! Tokens are read one by one into a short row. `left` of them are settled; the two, then three behind are
//! held against the rules of `two` and `three`. A rule that applies shortens the
//! row and goes back; if none does, one more token is settled. Every step reads a token, drops one, changes
//! its kind for good or settles it, so that the time is linear in the number of tokens.

mod phrase;
mod three;
mod two;

use super::fingerprint::{Fingerprint, LONGEST};
use super::lexer::Lexer;
use super::token::{Kind, Token};
use phrase::Phrase;

/// One more than [`LONGEST`] is read, to tell what the last one is. A power of two spares the checks of bounds.
const ROOM: usize = 8;

/// The tokens of a value.
pub(super) struct Row<'a> {
    pub(super) lexer: Lexer<'a>,
    tokens: [Token<'a>; ROOM],
    /// The texts of those tokens that have been joined from several.
    phrases: [Phrase; ROOM],
    /// How many tokens there are.
    filled: usize,
    /// How many of them are settled.
    left: usize,
    /// Whether there may be more to read.
    more: bool,
    /// The comment that was read last, if no other token has been since.
    last_comment: Option<Token<'a>>,
}

/// What a rule has done.
enum Step {
    /// Start over with what is left.
    Again,
    /// Nothing, or nothing that ends the step.
    Next,
    /// Found what only an attack has; so many tokens are left.
    Evil(usize),
}

impl<'a> Row<'a> {
    pub(super) fn new(lexer: Lexer<'a>) -> Self {
        Self {
            lexer,
            tokens: [Token::NONE; ROOM],
            phrases: [Phrase::NONE; ROOM],
            filled: 0,
            left: 0,
            more: true,
            last_comment: None,
        }
    }

    /// Reads and folds.
    pub(super) fn fold(&mut self) {
        self.filled = if self.skip_prefixes() { self.fold_rest() } else { 0 };
        self.convert_lone_backtick();
    }

    /// What is left after folding: no more than [`LONGEST`] tokens, or one more if that is evil.
    pub(super) fn tokens(&self) -> &[Token<'a>] {
        self.tokens.get(..self.filled).unwrap_or(&self.tokens)
    }

    /// The fingerprint of what is left.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.tokens().iter().map(|token| token.kind))
    }

    /// The text of a token.
    #[inline]
    pub(super) fn text(&self, at: usize) -> &[u8] {
        self.phrases[at % ROOM].text().unwrap_or(self.at(at).text)
    }

    /// Returns how many tokens are left.
    fn fold_rest(&mut self) -> usize {
        match self.settle() {
            Step::Evil(length) => length,
            _ => self.with_last_comment().min(LONGEST),
        }
    }

    /// Comments, open parentheses, types and unary operators in front mean nothing. Is there anything else?
    fn skip_prefixes(&mut self) -> bool {
        while let Some(token) = self.lexer.next() {
            self.put(0, token);
            let skipped = matches!(token.kind, Kind::Comment | Kind::LeftParenthesis | Kind::SqlType);
            if !skipped && !self.is_unary(0) {
                self.filled = 1;
                return true;
            }
        }
        false
    }

    fn settle(&mut self) -> Step {
        loop {
            if self.filled >= LONGEST && self.is_endless() {
                self.start_over();
            }
            if !self.more || self.left >= LONGEST {
                self.left = self.filled;
                return Step::Next;
            }
            match self.step() {
                Step::Evil(length) => return Step::Evil(length),
                Step::Next => self.left += 1,
                Step::Again => {}
            }
        }
    }

    fn step(&mut self) -> Step {
        if !self.read_up_to(2) {
            self.left = self.filled;
            return Step::Again;
        }
        match self.fold_two() {
            Step::Next => {}
            done => return done,
        }
        if !self.read_up_to(3) {
            self.left = self.filled;
            return Step::Again;
        }
        self.fold_three()
    }

    /// Reads until there are `wanted` tokens that are not settled. Comments are only remembered.
    fn read_up_to(&mut self, wanted: usize) -> bool {
        while self.more && self.filled <= LONGEST && self.filled < self.left + wanted {
            match self.lexer.next() {
                Some(token) if token.kind == Kind::Comment => self.last_comment = Some(token),
                Some(token) => {
                    self.put(self.filled, token);
                    self.filled += 1;
                    self.last_comment = None;
                }
                None => self.more = false,
            }
        }
        self.filled >= self.left + wanted
    }

    /// Five tokens that only begin a longer sum or list.
    fn is_endless(&self) -> bool {
        use Kind::{BareWord, Comma, LeftParenthesis, Number, Operator, RightParenthesis};
        let kinds: [Kind; LONGEST] = std::array::from_fn(|at| self.at(at).kind);
        matches!(
            kinds,
            [
                Number,
                Operator | Comma,
                LeftParenthesis,
                Number,
                RightParenthesis
            ] | [
                BareWord,
                Operator,
                LeftParenthesis,
                BareWord | Number,
                RightParenthesis
            ] | [Number, RightParenthesis, Comma, LeftParenthesis, Number]
                | [BareWord, RightParenthesis, Operator, LeftParenthesis, BareWord]
        )
    }

    /// Keeps the first token, and the sixth if it has been read.
    fn start_over(&mut self) {
        if self.filled > LONGEST {
            self.copy(LONGEST, 1);
            (self.left, self.filled) = (1, 2);
        } else {
            (self.left, self.filled) = (0, 1);
        }
    }

    /// A comment at the end counts if there is room for it.
    fn with_last_comment(&mut self) -> usize {
        match self.last_comment {
            Some(comment) if self.left < LONGEST => {
                self.put(self.left, comment);
                self.left + 1
            }
            _ => self.left,
        }
    }

    /// A backtick alone at the end is a comment to PHP's way of asking MySQL.
    fn convert_lone_backtick(&mut self) {
        if self.filled > 2 {
            let is_empty = self.text(self.filled - 1).is_empty();
            let last = self.at_mut(self.filled - 1);
            if is_empty && last.kind == Kind::BareWord && last.open == b'`' && last.close == 0 {
                last.kind = Kind::Comment;
            }
        }
    }

    #[inline]
    fn at(&self, at: usize) -> &Token<'a> {
        &self.tokens[at % ROOM]
    }

    #[inline]
    fn at_mut(&mut self, at: usize) -> &mut Token<'a> {
        &mut self.tokens[at % ROOM]
    }

    #[inline]
    fn put(&mut self, at: usize, token: Token<'a>) {
        self.tokens[at % ROOM] = token;
        self.phrases[at % ROOM].clear();
    }

    fn copy(&mut self, from: usize, to: usize) {
        self.tokens[to % ROOM] = self.tokens[from % ROOM];
        self.phrases[to % ROOM] = self.phrases[from % ROOM];
    }

    /// Whether a token is `word`, which is in upper case.
    #[inline]
    fn is_word(&self, at: usize, word: &str) -> bool {
        self.text(at).eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether a token is an operator that can stand before its only operand.
    #[inline]
    fn is_unary(&self, at: usize) -> bool {
        self.at(at).kind == Kind::Operator
            && match self.at(at).text {
                [b'+' | b'-' | b'!' | b'~'] | b"!!" => true,
                [_, _, _] => self.is_word(at, "NOT"),
                _ => false,
            }
    }

    /// Whether a token is an operator of arithmetic.
    fn is_arithmetic(&self, at: usize) -> bool {
        self.at(at).kind == Kind::Operator && matches!(self.text(at), [b'*' | b'/' | b'+' | b'-' | b'%'])
    }

    /// Takes `count` tokens off the end and goes back to the beginning.
    fn drop_last(&mut self, count: usize) -> Step {
        self.filled = self.filled.saturating_sub(count);
        self.left = 0;
        Step::Again
    }

    /// Takes one token off the end and goes back by one.
    fn drop_last_and_step_back(&mut self) -> Step {
        self.filled = self.filled.saturating_sub(1);
        self.left = self.left.saturating_sub(1);
        Step::Again
    }

    /// Moves the token at `from` one place forward, over the one there, which means nothing.
    fn overwrite_previous(&mut self, from: usize) {
        self.copy(from, from - 1);
    }
}
