//! Rules for three tokens.

use super::super::token::Kind;
use super::{Row, Step};

impl Row<'_> {
    /// Holds the three tokens behind the settled ones against the rules, in their order.
    pub(super) fn fold_three(&mut self) -> Step {
        use Kind::{
            BareWord, Comma, Dot, Expression, Function, Group, Keyword, LeftParenthesis, Logic, Number,
            Operator, RightParenthesis, SqlType, String, Variable,
        };
        let [first, second, third] = [0, 1, 2].map(|offset| self.at(self.left + offset));
        match (first.kind, second.kind, third.kind) {
            // An operation or list of two operands is as good as one operand.
            (Number, Operator, Number) => self.drop_last(2),
            (Operator, kind, Operator) if kind != LeftParenthesis => self.drop_last(2),
            (Logic, _, Logic) => self.drop_last(2),
            (Variable, Operator, Variable | Number | BareWord) => self.drop_last(2),
            (BareWord | Number, Operator, Number | BareWord) => self.drop_last(2),
            (BareWord | Number | Variable | String, Operator, SqlType)
                if self.text(self.left + 1) == b"::" =>
            {
                self.drop_last(2)
            }
            (BareWord | Number | String | Variable, Comma, Number | BareWord | String | Variable) => {
                self.drop_last(2)
            }
            // A sign before an operand, likewise.
            (Expression | Group | Comma, Operator, LeftParenthesis) if self.is_unary(self.left + 1) => {
                self.drop_sign()
            }
            (Keyword | Expression | Group, Operator, Number | BareWord | Variable | String | Function)
                if self.is_unary(self.left + 1) =>
            {
                self.drop_sign()
            }
            // The list before may go on, so that the comma is to be seen again.
            (Comma, Operator, Number | BareWord | Variable | String) if self.is_unary(self.left + 1) => {
                self.overwrite_previous(self.left + 2);
                self.drop_last(3)
            }
            (Comma, Operator, Function) if self.is_unary(self.left + 1) => self.drop_sign(),
            // database.table
            (BareWord, Dot, BareWord) => self.drop_last(2),
            (Expression, Dot, BareWord) => self.drop_sign(),
            // USER() is a function, USER(name) is not.
            (Function, LeftParenthesis, kind) if kind != RightParenthesis => {
                if self.is_word(self.left, "USER") {
                    self.at_mut(self.left).kind = BareWord;
                }
                Step::Next
            }
            _ => Step::Next,
        }
    }

    /// Takes the second of the three away.
    fn drop_sign(&mut self) -> Step {
        self.overwrite_previous(self.left + 2);
        self.drop_last(1)
    }
}
