//! `SecRuleRemove*` and `SecRuleUpdate*`: changes to the rules in front of them.

use super::super::ast::{Directive, Word};
use super::super::error::Problem;
use super::super::remark::Remark;
use super::super::targets::Separators;
use super::arguments::Arguments;
use super::select::{id_ranges, text_match};
use super::targets::{Listed, exclude};
use super::{Compiler, Entry};
use crate::rule::{Rule, RuleSelector};

/// What the directive's name says it selects by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Id,
    Tag,
    Message,
}

const IDS: &str = "rule ids or ranges";

impl Compiler<'_> {
    /// `SecRuleRemoveById`, `ByTag`, `ByMsg`.
    pub(super) fn remove_rules(
        &mut self,
        directive: &Directive,
        arguments: Arguments<'_>,
        by: By,
    ) -> Result<(), Problem> {
        let words = match by {
            By::Id => arguments.some(IDS)?,
            By::Tag => std::slice::from_ref(arguments.one("a tag")?),
            By::Message => std::slice::from_ref(arguments.one("a message")?),
        };
        let selector = selector(arguments, words, by)?;
        let ids = &mut self.ids;
        let before = self.compiled.entries.len();
        self.compiled.entries.retain(|entry| match entry {
            Entry::Rule(rule) if selector.selects(rule) => {
                // The id is free again: a rule is replaced by removing it.
                ids.remove(&rule.id);
                false
            }
            _ => true,
        });
        let removed = before - self.compiled.entries.len();
        self.remark_if_none(directive, arguments, words, removed);
        Ok(())
    }

    /// `SecRuleUpdateTargetById`, `ByTag`, `ByMsg`.
    pub(super) fn update_targets(
        &mut self,
        directive: &Directive,
        arguments: Arguments<'_>,
        by: By,
    ) -> Result<(), Problem> {
        let expected = match by {
            By::Id => "rule ids or ranges, then variables",
            By::Tag => "a tag, then variables",
            By::Message => "a message, then variables",
        };
        let (words, list) = rules_and(arguments, by, expected)?;
        let selector = selector(arguments, words, by)?;
        let Some(list) = self.target_list(directive, list, Separators::PipeOrComma) else {
            return Ok(());
        };
        let mut updated = 0;
        for rule in self.rules_mut().filter(|rule| selector.selects(rule)) {
            update_targets(rule, &list);
            updated += 1;
        }
        self.remark_if_none(directive, arguments, words, updated);
        Ok(())
    }

    /// `SecRuleUpdateActionById ID[:LINK] ACTIONS`.
    pub(super) fn update_actions(
        &mut self,
        directive: &Directive,
        arguments: Arguments<'_>,
    ) -> Result<(), Problem> {
        const HERE: &[&str] = &["id", "phase", "chain"];
        const OF_A_CHAIN: &[&str] = &[
            "allow",
            "block",
            "deny",
            "drop",
            "pass",
            "redirect",
            "skip",
            "skipAfter",
        ];
        let (words, list) = rules_and(arguments, By::Id, "rule ids or ranges, then actions")?;
        let (selector, offset) = rules_and_link(arguments, words)?;
        let mistakes = self.errors.count();
        let set = self.action_set(directive, list);
        let misplaced = set
            .first_of(HERE)
            .or_else(|| set.first_of(OF_A_CHAIN).filter(|_| offset > 0));
        if let Some((action, line)) = misplaced {
            let problem = Problem::NotHere {
                directive: arguments.directive,
                action,
            };
            self.errors.push(directive.at_line(line), problem);
        }
        if self.errors.count() != mistakes {
            return Ok(());
        }
        let defaults = self.defaults.clone();
        let mut updated = 0;
        for rule in self.rules_mut().filter(|rule| selector.selects(rule)) {
            let defaults = &defaults[rule.phase.index()];
            let Some(link) = rule.links.get_mut(offset) else {
                continue;
            };
            if let Some(question) = &mut link.question {
                set.transform(&mut question.transformations);
            }
            set.clone().merge_into(&mut link.actions, defaults);
            rule.tags = rule.head().actions.tags.iter().map(ToString::to_string).collect();
            updated += 1;
        }
        self.remark_if_none(directive, arguments, words, updated);
        Ok(())
    }

    fn rules_mut(&mut self) -> impl Iterator<Item = &mut Rule> {
        self.compiled.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Rule(rule) => Some(rule),
            Entry::Marker(_) => None,
        })
    }

    fn remark_if_none(
        &mut self,
        directive: &Directive,
        arguments: Arguments<'_>,
        wanted: &[Word],
        found: usize,
    ) {
        if found == 0 {
            let wanted: Vec<&str> = wanted.iter().map(|word| word.text.as_str()).collect();
            self.compiled.remarks.push(Remark::NoSuchRule {
                location: directive.location.clone(),
                directive: arguments.directive,
                wanted: super::super::error::excerpt(&wanted.join(" ")),
            });
        }
    }
}

/// Exclusions reach every link: who says that a rule shall not look at a value means its chain. What is
/// added is added once, to the head.
fn update_targets(rule: &mut Rule, list: &[Listed]) {
    let questions = rule.links.iter_mut().filter_map(|link| link.question.as_mut());
    for (index, question) in questions.enumerate() {
        for listed in list {
            let target = &listed.target;
            if listed.excluded {
                exclude(&mut question.targets, target.variable, &target.selector);
            } else if index == 0 && !question.targets.contains(target) {
                question.targets.push(target.clone());
            }
        }
    }
}

/// All words but the last, and the last.
fn rules_and<'a>(
    arguments: Arguments<'a>,
    by: By,
    expected: &'static str,
) -> Result<(&'a [Word], &'a Word), Problem> {
    match arguments.words.split_last() {
        Some((last, rules)) if rules.len() == 1 || (by == By::Id && !rules.is_empty()) => Ok((rules, last)),
        _ => Err(arguments.count(expected)),
    }
}

fn selector(arguments: Arguments<'_>, words: &[Word], by: By) -> Result<RuleSelector, Problem> {
    if by == By::Id {
        let mut ranges = Vec::new();
        for word in words {
            ranges.extend(id_ranges(&word.text).ok_or_else(|| arguments.value(IDS, &word.text))?);
        }
        return Ok(RuleSelector::Ids(ranges));
    }
    let text = words.first().map_or("", |word| word.text.as_str());
    if text.is_empty() {
        return Err(arguments.value("a text", text));
    }
    let text = text_match(text)?;
    Ok(match by {
        By::Tag => RuleSelector::Tag(text),
        By::Id | By::Message => RuleSelector::Message(text),
    })
}

/// `ID:LINK` counts the links of a chain from 0, its head.
fn rules_and_link(arguments: Arguments<'_>, words: &[Word]) -> Result<(RuleSelector, usize), Problem> {
    if let [word] = words
        && let Some((id, link)) = word.text.split_once(':')
    {
        let wrong = || arguments.value("id:link, the link counted from 0", &word.text);
        let ranges = id_ranges(id).ok_or_else(wrong)?;
        return Ok((RuleSelector::Ids(ranges), link.parse().map_err(|_| wrong())?));
    }
    Ok((selector(arguments, words, By::Id)?, 0))
}
