//! What text comes to: rules, or mistakes with their places.

mod chains;
mod defaults;
mod hostile;
mod includes;
mod mistakes;
mod rules;
mod settings;
mod updates;

use std::sync::Arc;

use crate::rule::{Actions, Rule, Selector, Target};
use crate::{MemorySource, RuleSet};

/// The rule set of a text, or its mistakes as they are shown.
fn load(text: &str) -> Result<RuleSet, String> {
    load_with(text, &MemorySource::new())
}

fn load_with(text: &str, source: &MemorySource) -> Result<RuleSet, String> {
    RuleSet::builder()
        .text("main.conf", text)
        .build(source)
        .map_err(|errors| errors.to_string())
}

/// The rule set of a text that has no mistake.
fn rules(text: &str) -> RuleSet {
    load(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The only rule of a text.
fn rule(text: &str) -> Arc<Rule> {
    let set = rules(text);
    let all: Vec<_> = set.rules().collect();
    assert_eq!(all.len(), 1, "{text}");
    Arc::clone(all[0])
}

/// What the only rule of a text does.
fn actions(list: &str) -> Actions {
    let rule = rule(&format!("SecAction \"id:1,{list}\""));
    rule.head().actions.clone()
}

/// The mistakes of a text.
fn mistakes(text: &str) -> String {
    load(text).expect_err(text)
}

fn ids(set: &RuleSet) -> Vec<u64> {
    set.rules().map(|rule| rule.id).collect()
}

/// What has no effect in a text.
fn remarks(set: &RuleSet) -> Vec<String> {
    set.remarks().iter().map(ToString::to_string).collect()
}

/// A link's targets: `ARGS:x!y` leaves y out.
fn targets(rule: &Rule, link: usize) -> String {
    let question = rule.links[link].question.as_ref().unwrap();
    let shown: Vec<String> = question.targets.iter().map(show_target).collect();
    shown.join("|")
}

fn show_target(target: &Target) -> String {
    let count = if target.count { "&" } else { "" };
    let mut shown = format!("{count}{}", target.variable);
    if target.selector != Selector::All {
        shown.push_str(&format!(":{}", show_selector(&target.selector)));
    }
    for exclusion in &target.exclusions {
        shown.push_str(&format!("!{}", show_selector(exclusion)));
    }
    shown
}

fn show_selector(selector: &Selector) -> String {
    match selector {
        Selector::All => String::new(),
        Selector::Key(key) => String::from_utf8_lossy(key).into_owned(),
        Selector::Pattern(pattern) => format!("/{}/", pattern.as_str()),
        Selector::XPath(xpath) => xpath.clone(),
    }
}

fn transformations(rule: &Rule, link: usize) -> Vec<&'static str> {
    let question = rule.links[link].question.as_ref().unwrap();
    question.transformations.iter().map(|t| t.name()).collect()
}
