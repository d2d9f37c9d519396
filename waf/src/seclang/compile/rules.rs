//! `SecRule`, `SecAction`, `SecDefaultAction`: rules and chains.

use std::sync::Arc;

use super::super::actions::parse as parse_actions;
use super::super::ast::{Directive, OperatorText, Word};
use super::super::error::Problem;
use super::super::operator::parse as parse_operator;
use super::super::remark::Remark;
use super::super::targets::{Separators, parse as parse_targets};
use super::action_set::ActionSet;
use super::arguments::Arguments;
use super::dataset::{WithDatasets, as_file};
use super::targets::{Listed, combine, listed};
use super::{Compiler, Entry, Unsupported};
use crate::operators::{Build, Operator, OperatorError};
use crate::rule::{Disruptive, Link, Phase, Question, Rule, Target};
use crate::source::folder_of;

/// Actions that belong on the head of a chain: the others are the whole chain's.
const HEAD_ONLY: &[&str] = &[
    "allow",
    "block",
    "deny",
    "drop",
    "pass",
    "redirect",
    "id",
    "skip",
    "skipAfter",
];

/// Actions that stop something.
const STOPS: &[&str] = &["deny", "drop", "redirect"];

/// A chain that waits for its next rule.
pub(super) struct OpenChain {
    rule: Rule,
    /// Links are read to the end of a chain with a mistake, but it does not become a rule.
    sound: bool,
    /// Nor does a chain that needs an unsupported operator.
    left_out: Option<OperatorError>,
}

/// Targets, operator, `!`.
type Of = (Vec<Target>, Arc<Operator>, bool);

/// What a link asks, before transformations.
enum Asked {
    /// `SecAction`.
    Nothing,
    /// `SecRule`.
    Of(Of),
    /// `SecRule` with a mistake, which is noted.
    Wrongly,
    /// `SecRule` with an operator that its rule is left out for.
    Unsupported(OperatorError),
}

impl Compiler<'_> {
    /// `SecRule VARIABLES OPERATOR [ACTIONS]`.
    pub(super) fn sec_rule(&mut self, directive: &Directive) {
        let mistakes = self.errors.count();
        let (asked, actions) = match directive.arguments.as_slice() {
            [targets, operator] => (self.asked(directive, targets, operator), ActionSet::default()),
            [targets, operator, actions] => {
                let asked = self.asked(directive, targets, operator);
                (asked, self.action_set(directive, actions))
            }
            words => {
                let arguments = Arguments {
                    directive: "SecRule",
                    words,
                };
                self.errors.push(
                    directive.location.clone(),
                    arguments.count("variables, an operator and actions, each quoted if it holds spaces"),
                );
                return self.lose();
            }
        };
        self.link(directive, asked, actions, mistakes);
    }

    /// `SecAction ACTIONS`.
    pub(super) fn sec_action(&mut self, directive: &Directive) {
        let mistakes = self.errors.count();
        let arguments = Arguments {
            directive: "SecAction",
            words: &directive.arguments,
        };
        match arguments.one("one list of actions") {
            Ok(word) => {
                let actions = self.action_set(directive, word);
                self.link(directive, Asked::Nothing, actions, mistakes);
            }
            Err(problem) => {
                self.errors.push(directive.location.clone(), problem);
                self.lose();
            }
        }
    }

    /// `SecDefaultAction ACTIONS`: for the rules of its phase that follow.
    pub(super) fn sec_default_action(&mut self, directive: &Directive, word: &Word) {
        const HERE: &[&str] = &[
            "id",
            "chain",
            "msg",
            "logdata",
            "severity",
            "tag",
            "rev",
            "ver",
            "maturity",
            "accuracy",
            "skip",
            "skipAfter",
            "block",
        ];
        let mistakes = self.errors.count();
        let actions = self.action_set(directive, word);
        if let Some((action, line)) = actions.first_of(HERE) {
            let problem = Problem::NotHere {
                directive: "SecDefaultAction",
                action,
            };
            self.errors.push(directive.at_line(line), problem);
        }
        let missing = match actions.phase {
            None => Some("a phase"),
            Some(_) if !actions.disrupts() => Some("a disruptive action (pass, deny, drop, allow, redirect)"),
            Some(_) if actions.clears_transformations() => Some("transformations to inherit, not t:none"),
            Some(_) => None,
        };
        if let Some(expected) = missing {
            self.errors
                .push(directive.location.clone(), Problem::DefaultAction { expected });
        }
        self.stops_nothing_when_logging(directive, &actions, actions.phase);
        if let (Some(phase), true) = (actions.phase, self.errors.count() == mistakes) {
            self.defaults[phase.index()] = actions;
        }
    }

    /// The end of a file or a text: a chain does not reach into the next.
    pub(super) fn end_of_text(&mut self) {
        self.chain_ends("the end of the file");
        self.lost = false;
    }

    /// Another directive than a rule: an open chain is a mistake at its head.
    pub(super) fn chain_ends(&mut self, found: &str) {
        if let Some(chain) = self.chain.take().filter(|chain| chain.sound) {
            let head = chain.rule.head().location.clone();
            let last = chain
                .rule
                .links
                .last()
                .map_or(&head, |link| &link.location)
                .clone();
            let found = found.to_owned();
            self.errors.push(last, Problem::BrokenChain { head, found });
        }
    }

    /// A rule that could not be read at all. It may have been a link, or have opened a chain.
    pub(super) fn lose(&mut self) {
        self.chain = None;
        self.lost = true;
    }

    fn asked(&mut self, directive: &Directive, targets: &Word, operator: &Word) -> Asked {
        let targets = self
            .target_list(directive, targets, Separators::Pipe)
            .map(combine);
        if targets.as_ref().is_some_and(Vec::is_empty) {
            self.errors.push(directive.location.clone(), Problem::NoTarget);
        }
        let text = parse_operator(&operator.text);
        match (self.made(directive, &text), targets) {
            (Ok(operator), Some(targets)) => Asked::Of((targets, operator, text.negated)),
            (Ok(_), None) => Asked::Wrongly,
            (Err(cause), _) if self.unsupported == Unsupported::LeaveOut && cause.is_unsupported() => {
                Asked::Unsupported(cause)
            }
            (Err(cause), _) => {
                self.errors.push(directive.place(operator, 0), cause);
                Asked::Wrongly
            }
        }
    }

    fn made(&self, directive: &Directive, text: &OperatorText) -> Result<Arc<Operator>, OperatorError> {
        let build = Build {
            source: &WithDatasets {
                source: self.source,
                datasets: &self.datasets,
            },
            folder: folder_of(&directive.location.file),
        };
        match as_file(&text.name, &text.argument) {
            Some((name, argument)) => (self.operator)(name, &argument, &build),
            None => (self.operator)(&text.name, &text.argument, &build),
        }
    }

    /// A variable list; `None` if something is wrong with it.
    pub(super) fn target_list(
        &mut self,
        directive: &Directive,
        word: &Word,
        separators: Separators,
    ) -> Option<Vec<Listed>> {
        let mistakes = self.errors.count();
        let (texts, problem) = parse_targets(word, separators);
        let mut list = Vec::with_capacity(texts.len());
        for text in &texts {
            match listed(text) {
                Ok(target) => list.push(target),
                Err(problem) => self.errors.push(directive.at_line(text.line), problem),
            }
        }
        if let Some((line, problem)) = problem {
            self.errors.push(directive.at_line(line), problem);
        }
        (self.errors.count() == mistakes).then_some(list)
    }

    /// An action list; what is wrong in it is left out.
    pub(super) fn action_set(&mut self, directive: &Directive, word: &Word) -> ActionSet {
        let (texts, problems) = parse_actions(word);
        for (line, problem) in problems {
            self.errors.push(directive.at_line(line), problem);
        }
        let mut set = ActionSet::default();
        for text in &texts {
            if let Err(problem) = set.add(text) {
                self.errors.push(directive.at_line(text.line), problem);
            }
        }
        if let Some((name, line)) = set.first_of(&["xmlns"]) {
            self.remark_ignored(
                directive.at_line(line),
                name,
                "the supported XPaths have no prefixes",
            );
        }
        set
    }

    /// Makes a head or a link of what was read, and a rule where a chain ends.
    fn link(&mut self, directive: &Directive, asked: Asked, actions: ActionSet, mistakes: usize) {
        let goes_on = actions.chain;
        let (question, left_out) = match asked {
            Asked::Of(question) => (Some(question), None),
            Asked::Unsupported(cause) => (None, Some(cause)),
            Asked::Nothing | Asked::Wrongly => (None, None),
        };
        let mut chain = match self.chain.take() {
            Some(mut chain) => {
                self.check_link(directive, &actions, &chain.rule);
                let link = self.built(directive, question, actions, chain.rule.phase, false);
                chain.rule.links.push(link);
                chain
            }
            None => OpenChain {
                rule: self.head(directive, question, actions),
                sound: true,
                left_out: None,
            },
        };
        chain.sound &= self.errors.count() == mistakes;
        chain.left_out = chain.left_out.or(left_out);
        if goes_on {
            self.chain = Some(chain);
        } else {
            self.close(chain);
        }
    }

    /// The last link is read.
    fn close(&mut self, chain: OpenChain) {
        match chain.left_out {
            _ if !chain.sound => {}
            Some(cause) => self.compiled.remarks.push(Remark::RuleLeftOut {
                location: chain.rule.head().location.clone(),
                rule: chain.rule.id,
                cause,
            }),
            None => self.compiled.entries.push(Entry::Rule(chain.rule)),
        }
    }

    fn head(&mut self, directive: &Directive, question: Option<Of>, actions: ActionSet) -> Rule {
        let id = self.claim_id(directive, &actions);
        let phase = actions.phase.unwrap_or(Phase::RequestBody);
        self.stops_nothing_when_logging(directive, &actions, Some(phase));
        let head = self.built(directive, question, actions, phase, true);
        Rule {
            id,
            phase,
            tags: head.actions.tags.iter().map(ToString::to_string).collect(),
            links: vec![head],
        }
    }

    fn claim_id(&mut self, directive: &Directive, actions: &ActionSet) -> u64 {
        let Some(id) = actions.id else {
            // A wrong id is a mistake of its own, and after a lost rule this may be a link.
            let named = actions.first_of(&["id"]).is_some();
            if !named && !std::mem::take(&mut self.lost) {
                self.errors.push(directive.location.clone(), Problem::NoId);
            }
            return 0;
        };
        self.lost = false;
        if let Some(first) = self.ids.get(&id) {
            let problem = Problem::DuplicateId {
                id,
                first: first.clone(),
            };
            self.errors.push(directive.location.clone(), problem);
        } else {
            self.ids.insert(id, directive.location.clone());
        }
        id
    }

    fn check_link(&mut self, directive: &Directive, actions: &ActionSet, rule: &Rule) {
        let head = rule.head().location.clone();
        if let Some((action, line)) = actions.first_of(HEAD_ONLY) {
            let head = head.clone();
            self.errors
                .push(directive.at_line(line), Problem::NotOnHead { action, head });
        }
        // To say the head's phase again is harmless, and rules do.
        if actions.phase.is_some_and(|phase| phase != rule.phase) {
            let action = "another phase";
            self.errors
                .push(directive.location.clone(), Problem::NotOnHead { action, head });
        }
    }

    fn stops_nothing_when_logging(
        &mut self,
        directive: &Directive,
        actions: &ActionSet,
        phase: Option<Phase>,
    ) {
        if phase != Some(Phase::Logging) {
            return;
        }
        if let Some((action, line)) = actions.first_of(STOPS) {
            self.errors
                .push(directive.at_line(line), Problem::DisruptiveInLogging { action });
        }
    }

    fn built(
        &self,
        directive: &Directive,
        question: Option<Of>,
        actions: ActionSet,
        phase: Phase,
        is_head: bool,
    ) -> Link {
        let (mut actions, transformations) = actions.over(&self.defaults[phase.index()]);
        if !is_head {
            actions.disruptive = Disruptive::Pass;
        }
        Link {
            location: directive.location.clone(),
            question: question.map(|(targets, operator, negated)| Question {
                targets,
                transformations,
                operator,
                negated,
            }),
            actions,
        }
    }
}
