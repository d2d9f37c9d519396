//! Typed rules: what the text means once it is known to be right. Nothing here can be wrong any more.

mod name_pattern;
mod settings;

use std::fmt;
use std::sync::Arc;

use regex::bytes::Regex;

use crate::macros::{Macro, Part};
use crate::operators::Operator;
use crate::transformations::Transformation;
use crate::variables::Variable;

pub use name_pattern::NamePattern;
pub use settings::{Settings, StatusSet};

/// A rule's `id`.
pub type RuleId = u64;

/// Where a rule stands in the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// The file, as the rule source names it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// 1: after the request's head.
    RequestHeaders,
    /// 2: after the request's body.
    RequestBody,
    /// 3: after the response's head.
    ResponseHeaders,
    /// 4: after the response's body.
    ResponseBody,
    /// 5: at the end, whatever happened.
    Logging,
}

impl Phase {
    /// All phases in their order.
    pub const ALL: [Phase; 5] = [
        Phase::RequestHeaders,
        Phase::RequestBody,
        Phase::ResponseHeaders,
        Phase::ResponseBody,
        Phase::Logging,
    ];

    /// 0 for phase 1, up to 4 for phase 5.
    pub fn index(self) -> usize {
        self as usize
    }

    /// 1 to 5, as SecLang counts.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }

    /// From SecLang's number (1-5).
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// Which members of a collection a target means.
#[derive(Debug, Clone)]
pub enum Selector {
    /// The whole variable.
    All,
    /// One member, compared without case.
    Key(Vec<u8>),
    /// The members whose name the pattern matches (`ARGS:/^id_/`).
    Pattern(NamePattern),
    /// An XPath of the two kinds that are supported: `XML:/*` and `XML://@*`, kept as text.
    XPath(String),
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Selector::All, Selector::All) => true,
            (Selector::Key(a), Selector::Key(b)) => a.eq_ignore_ascii_case(b),
            (Selector::Pattern(a), Selector::Pattern(b)) => a == b,
            (Selector::XPath(a), Selector::XPath(b)) => a == b,
            _ => false,
        }
    }
}

/// One entry of a rule's variable list.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The variable.
    pub variable: Variable,
    /// Which members of it.
    pub selector: Selector,
    /// `&VAR`: the number of members instead of their values.
    pub count: bool,
    /// `!VAR:x`, written in the rule or added by `SecRuleUpdateTargetById`: members that this target
    /// leaves out.
    pub exclusions: Vec<Selector>,
}

/// What ends a transaction. `block` is none of them: it became what the phase's `SecDefaultAction` says.
#[derive(Debug, Clone, PartialEq)]
pub enum Disruptive {
    /// Go on.
    Pass,
    /// Refuse with the rule's `status`.
    Deny,
    /// Close the connection.
    Drop,
    /// Let through; the scope says how far.
    Allow(AllowScope),
    /// Send the client elsewhere.
    Redirect(Macro),
}

/// How far `allow` reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowScope {
    /// `allow`: all remaining phases but logging.
    Transaction,
    /// `allow:request`: up to the response phases.
    Request,
    /// `allow:phase`: the rest of this phase.
    Phase,
}

impl AllowScope {
    /// Whether an `allow` keeps the rules of that phase from running; one for a phase ends with it.
    pub fn reaches(self, phase: Phase) -> bool {
        match self {
            AllowScope::Transaction => phase != Phase::Logging,
            AllowScope::Request => phase <= Phase::RequestBody,
            AllowScope::Phase => true,
        }
    }
}

/// A rule's `severity`, 0 (worst) to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(pub u8);

impl Severity {
    /// SecLang's names, from 0.
    pub const NAMES: [&'static str; 8] = [
        "EMERGENCY",
        "ALERT",
        "CRITICAL",
        "ERROR",
        "WARNING",
        "NOTICE",
        "INFO",
        "DEBUG",
    ];

    /// From a name or a number.
    pub fn from_name(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse::<u8>() {
            return (number < 8).then_some(Self(number));
        }
        let index = Self::NAMES
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text))?;
        u8::try_from(index).ok().map(Self)
    }

    /// The SecLang name.
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }
}

/// What a rule does to collections (`setvar`).
#[derive(Debug, Clone, PartialEq)]
pub struct SetVar {
    /// TX, or a persistent collection.
    pub collection: Variable,
    /// The member; may itself hold macros.
    pub key: Macro,
    /// The change.
    pub change: Change,
}

/// The change of a [`SetVar`].
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// `key=value`.
    Assign(Macro),
    /// `key=+value`: numbers parse like C's `atoi`, an absent member counts as 0.
    Add(Macro),
    /// `key=-value`.
    Subtract(Macro),
    /// `!key`.
    Unset,
}

/// Which rules a `ctl` or a `SecRuleRemove*` means.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleSelector {
    /// Ids, as inclusive ranges.
    Ids(Vec<(RuleId, RuleId)>),
    /// Rules with this tag.
    Tag(TextMatch),
    /// Rules with this message.
    Message(TextMatch),
}

impl RuleSelector {
    /// Whether the rule is meant. Tags and messages are those of a chain's head, as text, their macros
    /// unexpanded.
    pub fn selects(&self, rule: &Rule) -> bool {
        match self {
            RuleSelector::Ids(ranges) => ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&rule.id)),
            RuleSelector::Tag(text) => rule.tags.iter().any(|tag| text.matches(tag)),
            RuleSelector::Message(text) => {
                let message = rule.links.first().and_then(|head| head.actions.msg.as_ref());
                message.is_some_and(|message| text.matches(&message.to_string()))
            }
        }
    }
}

/// How a tag or a message is compared: as a whole, as Coraza and ModSecurity v3 do, unless the text
/// stands between slashes.
#[derive(Debug, Clone)]
pub enum TextMatch {
    /// The same text.
    Exact(String),
    /// A regular expression.
    Pattern(Regex),
}

impl TextMatch {
    /// Whether the text is meant.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            TextMatch::Exact(wanted) => wanted == text,
            TextMatch::Pattern(pattern) => pattern.is_match(text.as_bytes()),
        }
    }
}

impl PartialEq for TextMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (TextMatch::Exact(a), TextMatch::Exact(b)) => a == b,
            (TextMatch::Pattern(a), TextMatch::Pattern(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

/// Whether matched rules stop anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineMode {
    /// `On`: verdicts count.
    On,
    /// `DetectionOnly`: rules match and log, nothing is stopped.
    DetectionOnly,
    /// `Off`: no rule runs.
    #[default]
    Off,
}

/// Whether an audit record is wanted (`SecAuditEngine`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditEngine {
    /// For each transaction.
    On,
    /// For those with a rule that asks for it, or a relevant status.
    RelevantOnly,
    /// Never.
    #[default]
    Off,
}

/// Which parser reads a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyProcessor {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data`.
    Multipart,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// No parser: `REQUEST_BODY` holds the bytes.
    Raw,
}

impl BodyProcessor {
    /// The name that `REQBODY_PROCESSOR` shows.
    pub fn name(self) -> &'static str {
        match self {
            BodyProcessor::Urlencoded => "URLENCODED",
            BodyProcessor::Multipart => "MULTIPART",
            BodyProcessor::Json => "JSON",
            BodyProcessor::Xml => "XML",
            BodyProcessor::Raw => "RAW",
        }
    }
}

/// Changes the engine for the rest of this transaction (`ctl`).
#[derive(Debug, Clone, PartialEq)]
pub enum Ctl {
    /// `ruleEngine`.
    RuleEngine(EngineMode),
    /// `auditEngine`.
    AuditEngine(AuditEngine),
    /// `auditLogParts`: `+X`, `-X` or a whole set; kept as text.
    AuditLogParts(String),
    /// `requestBodyAccess`.
    RequestBodyAccess(bool),
    /// `responseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `requestBodyLimit`, bytes.
    RequestBodyLimit(usize),
    /// `responseBodyLimit`, bytes.
    ResponseBodyLimit(usize),
    /// `forceRequestBodyVariable`.
    ForceRequestBodyVariable(bool),
    /// `forceResponseBodyVariable`.
    ForceResponseBodyVariable(bool),
    /// `requestBodyProcessor`.
    RequestBodyProcessor(BodyProcessor),
    /// `responseBodyProcessor`.
    ResponseBodyProcessor(BodyProcessor),
    /// `ruleRemoveById`, `ruleRemoveByTag`, `ruleRemoveByMsg`.
    RemoveRules(RuleSelector),
    /// `ruleRemoveTargetById` and its kin: these rules no longer see this target.
    RemoveTargets(RuleSelector, Target),
    /// `debugLogLevel` and `hashEngine` and the like: accepted, without effect here; the name is kept.
    Ignored(String),
}

/// Actions that change nothing of the verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum SideEffect {
    /// `setvar`.
    SetVar(SetVar),
    /// `setenv`: name and value.
    SetEnv(String, Macro),
    /// `ctl`.
    Ctl(Ctl),
    /// `initcol`: the persistent collection and its key.
    InitCol(Variable, Macro),
    /// `expirevar`: collection, key, seconds.
    ExpireVar(Variable, Macro, Macro),
    /// `setsid`, `setuid`, `setrsc`: the scalar that is set and its value.
    SetScalar(Variable, Macro),
}

/// Everything between the quotes of a rule's last argument, with `SecDefaultAction` applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Actions {
    /// What a match ends in.
    pub disruptive: Disruptive,
    /// `status` for deny and redirect.
    pub status: Option<u16>,
    /// Actions in the order of the text.
    pub effects: Vec<SideEffect>,
    /// `msg`.
    pub msg: Option<Macro>,
    /// `logdata`.
    pub logdata: Option<Macro>,
    /// `severity`.
    pub severity: Option<Severity>,
    /// `tag`s; they may hold macros.
    pub tags: Vec<Macro>,
    /// `log` / `nolog`.
    pub log: bool,
    /// `auditlog` / `noauditlog`.
    pub audit_log: bool,
    /// `capture`.
    pub capture: bool,
    /// `multiMatch`.
    pub multi_match: bool,
    /// `skip:N`: the number of rules left out after a match.
    pub skip: Option<usize>,
    /// `skipAfter:MARKER`.
    pub skip_after: Option<String>,
    /// `rev`.
    pub rev: Option<String>,
    /// `ver`.
    pub ver: Option<String>,
    /// `maturity`.
    pub maturity: Option<u8>,
    /// `accuracy`.
    pub accuracy: Option<u8>,
}

/// The question of a link: targets, transformations, operator. `SecAction` asks nothing.
#[derive(Debug, Clone)]
pub struct Question {
    /// The variable list; exclusions are already inside the targets.
    pub targets: Vec<Target>,
    /// The transformations, `t:none` and the defaults applied.
    pub transformations: Vec<Transformation>,
    /// The operator, shared between rule sets that were built with the same cache.
    pub operator: Arc<Operator>,
    /// `!@op`.
    pub negated: bool,
}

/// Operators are the same if they are one: rule sets that are built with the same cache share them.
impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.operator, &other.operator)
            && self.negated == other.negated
            && self.transformations == other.transformations
            && self.targets == other.targets
    }
}

/// One `SecRule` or `SecAction`: a rule by itself, or a link of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Where it stands.
    pub location: Location,
    /// What it asks; `None` is `SecAction`, which always matches.
    pub question: Option<Question>,
    /// What it does.
    pub actions: Actions,
}

/// A rule: a head and the links chained to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// `id`.
    pub id: RuleId,
    /// `phase`.
    pub phase: Phase,
    /// The head is `links[0]`; there is always one.
    pub links: Vec<Link>,
    /// Tags of the head as plain text, for the selectors by tag.
    pub tags: Vec<String>,
}

impl Rule {
    /// The rule's own line, with `msg`, `severity`, `tag` and the disruptive action of the whole chain.
    pub fn head(&self) -> &Link {
        &self.links[0]
    }

    /// Whether all that a match of the rule does is to set variables out of others and to steer other rules: it is
    /// never told what matched.
    pub fn is_quiet(&self) -> bool {
        let actions = &self.head().actions;
        self.links.len() == 1
            && actions.disruptive == Disruptive::Pass
            && !(actions.log || actions.audit_log || actions.capture)
            && actions.severity.is_none()
            && actions.effects.iter().all(SideEffect::looks_at_variables_alone)
    }

    /// Whether all that its links do, beside what [`Self::is_quiet`] is about, is to set members of `TX`: no collection
    /// that outlives the request.
    pub(crate) fn writes_to_tx_alone(&self) -> bool {
        let mut effects = self.links.iter().flat_map(|link| &link.actions.effects);
        effects.all(|effect| matches!(effect, SideEffect::SetVar(set) if set.collection == Variable::Tx))
    }
}

impl SideEffect {
    fn looks_at_variables_alone(&self) -> bool {
        let Self::SetVar(set) = self else { return false };
        let value = match &set.change {
            Change::Assign(value) | Change::Add(value) | Change::Subtract(value) => value.parts(),
            Change::Unset => &[],
        };
        set.key.parts().iter().chain(value).all(|part| match part {
            Part::Text(_) => true,
            Part::Reference { variable, .. } => *variable == Variable::Tx,
        })
    }
}

/// What stands at one place of a phase's program.
#[derive(Debug, Clone)]
pub enum Step {
    /// A rule.
    Rule(Arc<Rule>),
    /// `SecMarker`, where `skipAfter` lands. Markers stand in every phase.
    Marker(String),
}
