//! A rule's variable list, typed; exclusions find their targets.

use super::super::ast::{SelectorText, TargetText};
use super::super::error::{Problem, excerpt};
use crate::nearest::nearest;
use crate::operators::pattern;
use crate::rule::{NamePattern, Selector, Target};
use crate::variables::{Kind, Variable};

/// The two XPaths that rules use: the text of all elements, and the values of all attributes.
const XPATHS: [&str; 2] = ["/*", "//@*"];

/// One entry of a list, known to be right: a target, or what is left out of the others.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) target: Target,
    pub(super) excluded: bool,
}

/// Gives a target's text its meaning.
pub(super) fn listed(text: &TargetText) -> Result<Listed, Problem> {
    let variable = Variable::from_name(&text.variable).ok_or_else(|| Problem::UnknownVariable {
        name: excerpt(&text.variable),
        suggestion: nearest(
            &text.variable,
            Variable::ALL.iter().map(|variable| variable.name()),
        ),
    })?;
    if text.excluded && text.count {
        return Err(Problem::CountedExclusion {
            variable: variable.name().to_owned(),
        });
    }
    Ok(Listed {
        target: Target {
            variable,
            selector: selector(variable, text.selector.as_ref())?,
            count: text.count,
            exclusions: Vec::new(),
        },
        excluded: text.excluded,
    })
}

fn selector(variable: Variable, text: Option<&SelectorText>) -> Result<Selector, Problem> {
    let Some(text) = text else {
        return Ok(Selector::All);
    };
    if variable.kind() == Kind::Scalar {
        let (SelectorText::Key(shown) | SelectorText::Pattern(shown)) = text;
        return Err(Problem::SelectorOnScalar {
            variable: variable.name(),
            selector: excerpt(shown),
        });
    }
    match text {
        SelectorText::Key(xpath) if matches!(variable, Variable::Xml | Variable::ResponseXml) => {
            if XPATHS.contains(&xpath.as_str()) {
                return Ok(Selector::XPath(xpath.clone()));
            }
            Err(Problem::XPath {
                variable: variable.name(),
                xpath: excerpt(xpath),
            })
        }
        SelectorText::Key(key) => Ok(Selector::Key(key.clone().into_bytes())),
        SelectorText::Pattern(text) => Ok(Selector::Pattern(name_pattern(text)?)),
    }
}

/// A pattern over names, which have no case.
fn name_pattern(text: &str) -> Result<NamePattern, Problem> {
    pattern::compile_without_case(text)
        .map(NamePattern::new)
        .map_err(|cause| Problem::Pattern {
            pattern: excerpt(text),
            cause,
        })
}

/// The targets of a rule: exclusions are moved into the targets of their variable, wherever in the list
/// they stand.
pub(super) fn combine(list: Vec<Listed>) -> Vec<Target> {
    let (exclusions, targets): (Vec<Listed>, Vec<Listed>) =
        list.into_iter().partition(|listed| listed.excluded);
    let mut targets: Vec<Target> = targets.into_iter().map(|listed| listed.target).collect();
    for exclusion in &exclusions {
        exclude(
            &mut targets,
            exclusion.target.variable,
            &exclusion.target.selector,
        );
    }
    targets
}

/// Leaves members out of all targets of that variable. A target that has nothing left goes.
pub(super) fn exclude(targets: &mut Vec<Target>, variable: Variable, exclusion: &Selector) {
    targets.retain_mut(|target| {
        if target.variable != variable {
            return true;
        }
        match effect(&target.selector, exclusion) {
            Effect::Nothing => {}
            Effect::Everything => return false,
            Effect::Members if target.exclusions.contains(exclusion) => {}
            Effect::Members => target.exclusions.push(exclusion.clone()),
        }
        true
    });
}

/// What an exclusion takes from a target.
enum Effect {
    Nothing,
    Members,
    Everything,
}

fn effect(target: &Selector, exclusion: &Selector) -> Effect {
    match (target, exclusion) {
        (_, Selector::All) => Effect::Everything,
        (target, exclusion) if target == exclusion => Effect::Everything,
        (Selector::Key(_), Selector::Key(_)) | (Selector::XPath(_), _) => Effect::Nothing,
        (Selector::Key(key), Selector::Pattern(pattern)) if pattern.is_match(key) => Effect::Everything,
        (Selector::Key(_), Selector::Pattern(_)) => Effect::Nothing,
        _ => Effect::Members,
    }
}
