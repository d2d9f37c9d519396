//! Two observations -> differences.

use std::collections::BTreeSet;
use std::fmt;

use palisade_waf::RuleSet;

use super::observation::{Observation, Stop};
use super::peer::Engine;
use super::views::{self, Member, Traits};

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The engine died.
    Crash,
    /// A variable or a transformation.
    View(String),
    /// A rule that only the other engine logged.
    TheyLog(u64),
    /// A rule that only our engine logged.
    WeLog(u64),
    /// Blocked here or there only, or with another status.
    Verdict,
}

/// One difference, with what is needed to judge it.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub engine: Engine,
    pub subject: Subject,
    /// Both sides, for a reader.
    pub detail: String,
    /// Follows from other differences of the same request.
    pub follows: bool,
    /// Our engine says that the body is malformed.
    pub flagged: bool,
    /// The other engine says so.
    pub refused: bool,
    /// What is remarkable about the request.
    pub traits: Traits,
    /// The other one walks the arguments in another order.
    pub reordered: bool,
    /// Which processor read the body in our engine.
    pub processor: String,
    /// The variables and transformations that the rule asks, if it is about a rule.
    pub asked: Vec<String>,
    /// The rules that both log, if it is about the verdict.
    pub both_log: BTreeSet<u64>,
    /// The members of a view that only one side has, or the two verdicts.
    pub ours: Vec<Member>,
    pub theirs: Vec<Member>,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Crash => f.write_str("crash"),
            Subject::View(name) => write!(f, "{name}"),
            Subject::TheyLog(id) => write!(f, "only they log {id}"),
            Subject::WeLog(id) => write!(f, "only we log {id}"),
            Subject::Verdict => f.write_str("verdict"),
        }
    }
}

/// All differences between our observation and another's.
pub(super) fn differences(
    rules: &RuleSet,
    engine: Engine,
    ours: &Observation,
    theirs: &Observation,
) -> Vec<Difference> {
    let plain = unexplained(engine, ours, theirs);
    if theirs.crashed {
        return vec![plain];
    }
    let mut found = of_views(&plain, ours, theirs);
    found.extend(of_rules(&plain, rules, &found, ours, theirs));
    if ours.stop.status != theirs.stop.status {
        let follows = found.iter().any(|difference| decides(&difference.subject));
        found.push(of_verdict(plain, follows, ours, theirs));
    }
    found
}

/// What is true of every difference between the two.
fn unexplained(engine: Engine, ours: &Observation, theirs: &Observation) -> Difference {
    let view = |name: &str| {
        let value = ours.views.get(name);
        value
            .map(|value| value.strip_prefix(b"^").unwrap_or(value))
            .unwrap_or_default()
    };
    let refused = theirs.views.get("view_reqbody_error");
    Difference {
        engine,
        subject: Subject::Crash,
        detail: String::new(),
        follows: false,
        flagged: view("view_reqbody_error") == b"1" || view("view_multipart_strict_error") == b"1",
        refused: refused.is_some_and(|value| value.ends_with(b"1")),
        reordered: views::reordered(&ours.views, &theirs.views),
        traits: Traits::of(&ours.views),
        processor: String::from_utf8_lossy(view("view_reqbody_processor")).into_owned(),
        asked: Vec::new(),
        both_log: BTreeSet::new(),
        ours: Vec::new(),
        theirs: Vec::new(),
    }
}

/// What the engines see differently.
fn of_views(plain: &Difference, ours: &Observation, theirs: &Observation) -> Vec<Difference> {
    let differing = views::differing(&ours.views, &theirs.views).into_iter();
    let found = differing.map(|(view, ours, theirs)| {
        let (ours, theirs) = without_common(ours, theirs);
        Difference {
            subject: Subject::View(view.name),
            detail: format!("ours {} theirs {}", readable(&ours), readable(&theirs)),
            ours,
            theirs,
            ..plain.clone()
        }
    });
    found.collect()
}

/// Which rules only one of them logs, and whether that follows from what they see differently.
fn of_rules(
    plain: &Difference,
    rules: &RuleSet,
    seen: &[Difference],
    ours: &Observation,
    theirs: &Observation,
) -> Vec<Difference> {
    let seen: BTreeSet<String> = seen
        .iter()
        .map(|difference| difference.subject.to_string())
        .collect();
    let extra = theirs.logged.difference(&ours.logged);
    let missing = ours.logged.difference(&theirs.logged);
    let subjects = extra
        .map(|id| (*id, Subject::TheyLog(*id)))
        .chain(missing.map(|id| (*id, Subject::WeLog(*id))));
    let found = subjects.map(|(id, subject)| {
        let asked = rules
            .rule(id)
            .map(|rule| views::asked_by(rule))
            .unwrap_or_default();
        Difference {
            subject,
            follows: follows(id, &asked, &seen, ours, theirs),
            asked,
            ..plain.clone()
        }
    });
    found.collect()
}

/// Stopped by one of them only, or with another status.
fn of_verdict(plain: Difference, follows: bool, ours: &Observation, theirs: &Observation) -> Difference {
    let (our_verdict, their_verdict) = (verdict(ours.stop), verdict(theirs.stop));
    let member = |verdict: String| Member {
        name: Vec::new(),
        value: verdict.into_bytes(),
    };
    Difference {
        subject: Subject::Verdict,
        detail: format!("ours {our_verdict} theirs {their_verdict}"),
        follows,
        both_log: ours.logged.intersection(&theirs.logged).copied().collect(),
        ours: vec![member(our_verdict)],
        theirs: vec![member(their_verdict)],
        ..plain
    }
}

/// Whether a rule may have decided: not the report that a rule set writes at the end.
fn decides(subject: &Subject) -> bool {
    matches!(subject, Subject::TheyLog(id) | Subject::WeLog(id) if id / 1000 != 980)
}

/// Scores follow from what was scored; other rules follow from what they look at.
fn follows(
    id: u64,
    asked: &[String],
    views: &BTreeSet<String>,
    ours: &Observation,
    theirs: &Observation,
) -> bool {
    let is_score = |id: u64| matches!(id / 1000, 949 | 959 | 980);
    if is_score(id) {
        return ours
            .logged
            .symmetric_difference(&theirs.logged)
            .any(|id| !is_score(*id));
    }
    asked.iter().any(|view| views.contains(view))
}

fn verdict(stop: Stop) -> String {
    match stop.status {
        0 => "passes".to_owned(),
        status => format!("{status} by {}", stop.rule),
    }
}

/// Members that both have say nothing.
fn without_common(mut ours: Vec<Member>, mut theirs: Vec<Member>) -> (Vec<Member>, Vec<Member>) {
    ours.retain(|member| match theirs.iter().position(|other| other == member) {
        Some(at) => {
            theirs.remove(at);
            false
        }
        None => true,
    });
    (ours, theirs)
}

fn readable(members: &[Member]) -> String {
    let text = |bytes: &[u8]| {
        bytes
            .escape_ascii()
            .to_string()
            .chars()
            .take(300)
            .collect::<String>()
    };
    let each: Vec<String> = members
        .iter()
        .take(6)
        .map(|member| match member.name.is_empty() {
            true => format!("'{}'", text(&member.value)),
            false => format!("{}='{}'", text(&member.name), text(&member.value)),
        })
        .collect();
    format!("[{}]", each.join(" | "))
}
