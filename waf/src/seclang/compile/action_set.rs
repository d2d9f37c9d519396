//! An action list, typed, and what it comes to over `SecDefaultAction`.

use super::super::ast::ActionText;
use super::super::error::{Problem, excerpt};
use super::value::Value;
use super::{collections, ctl};
use crate::macros::Macro;
use crate::nearest::nearest;
use crate::rule::{Actions, Disruptive, Phase, RuleId, Severity, SideEffect};
use crate::transformations::Transformation;

/// Every action that is known, with its documented spelling.
const ACTIONS: &[&str] = &[
    "accuracy",
    "allow",
    "append",
    "auditlog",
    "block",
    "capture",
    "chain",
    "ctl",
    "deny",
    "deprecatevar",
    "drop",
    "exec",
    "expirevar",
    "id",
    "initcol",
    "log",
    "logdata",
    "maturity",
    "msg",
    "multiMatch",
    "noauditlog",
    "nolog",
    "pass",
    "pause",
    "phase",
    "prepend",
    "proxy",
    "redirect",
    "rev",
    "sanitiseArg",
    "sanitiseMatched",
    "sanitiseMatchedBytes",
    "sanitiseRequestHeader",
    "sanitiseResponseHeader",
    "setenv",
    "setrsc",
    "setsid",
    "setuid",
    "setvar",
    "severity",
    "skip",
    "skipAfter",
    "status",
    "t",
    "tag",
    "ver",
    "xmlns",
];

/// Actions that are known and left out: neither Coraza nor ModSecurity v3 has them, or they reach
/// outside of a pure engine. Ignoring them would lose what a rule was written for.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("append", "responses are not rewritten"),
    ("prepend", "responses are not rewritten"),
    ("deprecatevar", "use expirevar"),
    ("exec", "rules start no programs"),
    (
        "pause",
        "rules do not hold connections open; limit rates at the edge",
    ),
    ("proxy", "rules do not choose upstreams"),
    ("sanitiseArg", SANITISE),
    ("sanitiseMatched", SANITISE),
    ("sanitiseMatchedBytes", SANITISE),
    ("sanitiseRequestHeader", SANITISE),
    ("sanitiseResponseHeader", SANITISE),
];
const SANITISE: &str = "secrets are masked by the audit log's own list, not by rules";

/// What an action list says; what it does not say is `None`.
#[derive(Debug, Clone, Default)]
pub(super) struct ActionSet {
    pub(super) id: Option<RuleId>,
    pub(super) phase: Option<Phase>,
    pub(super) chain: bool,
    disruptive: Option<Wanted>,
    status: Option<u16>,
    effects: Vec<SideEffect>,
    msg: Option<Macro>,
    logdata: Option<Macro>,
    severity: Option<Severity>,
    tags: Vec<Macro>,
    log: Option<bool>,
    audit_log: Option<bool>,
    capture: bool,
    multi_match: bool,
    skip: Option<usize>,
    skip_after: Option<String>,
    rev: Option<String>,
    ver: Option<String>,
    maturity: Option<u8>,
    accuracy: Option<u8>,
    transformations: Vec<Step>,
    /// The names in the list, with their lines.
    pub(super) named: Vec<(&'static str, u32)>,
}

/// A disruptive action as written.
#[derive(Debug, Clone)]
enum Wanted {
    /// What `SecDefaultAction` says.
    Block,
    Exactly(Disruptive),
}

/// `t:`.
#[derive(Debug, Clone)]
enum Step {
    /// Forgets those in front of it, inherited ones included.
    None,
    Transform(Transformation),
}

impl ActionSet {
    /// What holds for a phase without `SecDefaultAction`: `log,auditlog,pass`.
    pub(super) fn built_in() -> Self {
        Self {
            disruptive: Some(Wanted::Exactly(Disruptive::Pass)),
            log: Some(true),
            audit_log: Some(true),
            ..Self::default()
        }
    }

    /// Adds an action.
    pub(super) fn add(&mut self, text: &ActionText) -> Result<(), Problem> {
        let Some(name) = ACTIONS
            .iter()
            .copied()
            .find(|name| name.eq_ignore_ascii_case(&text.name))
        else {
            return Err(Problem::UnknownAction {
                name: excerpt(&text.name),
                suggestion: nearest(&text.name, ACTIONS.iter().copied()),
            });
        };
        if let Some((name, reason)) = UNSUPPORTED.iter().copied().find(|(known, _)| *known == name) {
            return Err(Problem::UnsupportedAction { name, reason });
        }
        self.named.push((name, text.line));
        self.apply(Value {
            action: name,
            text: text.value.as_deref(),
        })
    }

    fn apply(&mut self, value: Value<'_>) -> Result<(), Problem> {
        match value.action {
            "accuracy" => self.accuracy = Some(value.one_to_nine()?),
            "allow" => self.disrupt(Disruptive::Allow(value.allow_scope()?)),
            "auditlog" => self.audit_log = value.flag(true)?,
            "block" => {
                value.flag(true)?;
                self.disruptive = Some(Wanted::Block);
            }
            "capture" => self.capture = value.flag(true)?.is_some(),
            "chain" => self.chain = value.flag(true)?.is_some(),
            "ctl" => {
                let changes = ctl::parse(value.some(ctl::EXPECTED)?)?;
                self.effects.extend(changes.into_iter().map(SideEffect::Ctl));
            }
            "deny" => self.disrupt(value.alone(Disruptive::Deny)?),
            "drop" => self.disrupt(value.alone(Disruptive::Drop)?),
            "expirevar" => self.effects.push(collections::expirevar(value)?),
            "id" => self.set_id(value)?,
            "initcol" => self.effects.push(collections::initcol(value)?),
            "log" => {
                self.log = value.flag(true)?;
                self.audit_log = Some(true);
            }
            "logdata" => self.logdata = Some(value.expanded("a text")?),
            "maturity" => self.maturity = Some(value.one_to_nine()?),
            "msg" => self.msg = Some(value.expanded("a text")?),
            "multiMatch" => self.multi_match = value.flag(true)?.is_some(),
            "noauditlog" => self.audit_log = value.flag(false)?,
            // "Although nolog implies noauditlog, you can override the former by using nolog,auditlog."
            "nolog" => {
                self.log = value.flag(false)?;
                self.audit_log = Some(false);
            }
            "pass" => self.disrupt(value.alone(Disruptive::Pass)?),
            "phase" => self.set_phase(value)?,
            "redirect" => self.disrupt(Disruptive::Redirect(value.expanded("a URL")?)),
            "rev" => self.rev = Some(value.some("a revision")?.to_owned()),
            "setenv" => self.effects.push(collections::setenv(value)?),
            "setrsc" | "setsid" | "setuid" => self.effects.push(collections::set_scalar(value)?),
            "setvar" => self.effects.push(collections::setvar(value)?),
            "severity" => self.severity = Some(value.severity()?),
            "skip" => self.skip = Some(value.at_least_one()?),
            "skipAfter" => self.skip_after = Some(value.some("the name of a SecMarker")?.to_owned()),
            "status" => self.status = Some(value.status()?),
            "t" => self.transformations.push(step(value)?),
            "tag" => self.tags.push(value.expanded("a tag")?),
            "ver" => self.ver = Some(value.some("a version")?.to_owned()),
            // Prefixes for XPaths; the two XPaths there are have none.
            "xmlns" => {}
            _ => {}
        }
        Ok(())
    }

    /// The last one counts, as in Coraza.
    fn disrupt(&mut self, disruptive: Disruptive) {
        self.disruptive = Some(Wanted::Exactly(disruptive));
    }

    fn set_id(&mut self, value: Value<'_>) -> Result<(), Problem> {
        const EXPECTED: &str = "one number above 0";
        let text = value.some(EXPECTED)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let id = text.parse().ok().filter(|id: &RuleId| digits && *id > 0);
        match (id, self.id) {
            (Some(id), None) => self.id = Some(id),
            _ => return Err(value.wrong(EXPECTED)),
        }
        Ok(())
    }

    fn set_phase(&mut self, value: Value<'_>) -> Result<(), Problem> {
        const EXPECTED: &str = "one of 1 to 5, request, response, logging";
        let phase = match value.some(EXPECTED)?.to_ascii_lowercase().as_str() {
            "request" => Some(Phase::RequestBody),
            "response" => Some(Phase::ResponseBody),
            "logging" => Some(Phase::Logging),
            number => number.parse().ok().and_then(Phase::from_number),
        };
        match (phase, self.phase) {
            (Some(phase), None) => self.phase = Some(phase),
            (Some(phase), Some(before)) if phase == before => {}
            _ => return Err(value.wrong(EXPECTED)),
        }
        Ok(())
    }

    /// The first action of the list that is one of `names`, and its line.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<(&'static str, u32)> {
        self.named.iter().copied().find(|(name, _)| names.contains(name))
    }

    /// Whether a disruptive action is written, `block` aside.
    pub(super) fn disrupts(&self) -> bool {
        matches!(self.disruptive, Some(Wanted::Exactly(_)))
    }

    /// Whether the list asks for `t:none`.
    pub(super) fn clears_transformations(&self) -> bool {
        self.transformations.iter().any(|step| matches!(step, Step::None))
    }

    /// What a rule does that inherits from `defaults`.
    pub(super) fn over(self, defaults: &ActionSet) -> (Actions, Vec<Transformation>) {
        let mut actions = defaults.as_actions();
        let mut transformations = Vec::new();
        defaults.transform(&mut transformations);
        self.transform(&mut transformations);
        self.merge_into(&mut actions, defaults);
        (actions, transformations)
    }

    /// Adds the list's transformations to those of a rule.
    pub(super) fn transform(&self, transformations: &mut Vec<Transformation>) {
        for step in &self.transformations {
            match step {
                Step::None => transformations.clear(),
                Step::Transform(transformation) => transformations.push(*transformation),
            }
        }
    }

    /// Changes a rule's actions: what the list says counts, what it adds comes behind what is there.
    pub(super) fn merge_into(self, actions: &mut Actions, defaults: &ActionSet) {
        match self.disruptive {
            Some(Wanted::Exactly(disruptive)) => actions.disruptive = disruptive,
            Some(Wanted::Block) => actions.disruptive = defaults.own_disruptive(),
            None => {}
        }
        actions.effects.extend(self.effects);
        actions.tags.extend(self.tags);
        actions.status = self.status.or(actions.status);
        actions.msg = self.msg.or(actions.msg.take());
        actions.logdata = self.logdata.or(actions.logdata.take());
        actions.severity = self.severity.or(actions.severity);
        actions.log = self.log.unwrap_or(actions.log);
        actions.audit_log = self.audit_log.unwrap_or(actions.audit_log);
        actions.capture |= self.capture;
        actions.multi_match |= self.multi_match;
        actions.skip = self.skip.or(actions.skip);
        actions.skip_after = self.skip_after.or(actions.skip_after.take());
        actions.rev = self.rev.or(actions.rev.take());
        actions.ver = self.ver.or(actions.ver.take());
        actions.maturity = self.maturity.or(actions.maturity);
        actions.accuracy = self.accuracy.or(actions.accuracy);
    }

    fn own_disruptive(&self) -> Disruptive {
        match &self.disruptive {
            Some(Wanted::Exactly(disruptive)) => disruptive.clone(),
            Some(Wanted::Block) | None => Disruptive::Pass,
        }
    }

    fn as_actions(&self) -> Actions {
        Actions {
            disruptive: self.own_disruptive(),
            status: self.status,
            effects: self.effects.clone(),
            msg: None,
            logdata: None,
            severity: None,
            tags: Vec::new(),
            log: self.log.unwrap_or(true),
            audit_log: self.audit_log.unwrap_or(true),
            capture: self.capture,
            multi_match: self.multi_match,
            skip: None,
            skip_after: None,
            rev: None,
            ver: None,
            maturity: None,
            accuracy: None,
        }
    }
}

/// The transformation that `t:` names.
fn step(value: Value<'_>) -> Result<Step, Problem> {
    let name = value.some("a transformation")?;
    if name.eq_ignore_ascii_case("none") {
        return Ok(Step::None);
    }
    match Transformation::from_name(name) {
        Some(transformation) => Ok(Step::Transform(transformation)),
        None => Err(Problem::UnknownTransformation {
            name: excerpt(name),
            suggestion: nearest(name, Transformation::ALL.iter().map(|known| known.name())),
        }),
    }
}
