//! The corpus and the generated requests through all three engines.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;

use palisade_waf::seclang::LoadErrors;

use crate::corpus::suite::{self, SuiteError};
use crate::corpus::wire::Message;
use crate::corpus::{Installation, origin, request};

use super::compare::{self, Difference};
use super::generate::Stock;
use super::known::{Known, KnownError};
use super::observation::Observation;
use super::ours;
use super::peer::{Engine, Peer};
use super::report::{self, Unexplained};
use super::setup::{RuleFiles, RuleSets};
use super::shrink::shrink;
use super::views::{self, View};
use super::wire;

/// How many requests are under way at once.
const BATCH: usize = 100;
/// How often a run says how far it is.
const PROGRESS: usize = 5000;

/// What to run.
#[derive(Debug)]
pub struct Plan {
    /// Generated requests.
    pub requests: u64,
    /// The index of the first one.
    pub first: u64,
    /// What they depend on.
    pub seed: u64,
    /// Whether the corpus runs as it is, before them.
    pub corpus: bool,
    /// Whether explained differences are shown too.
    pub show: bool,
    /// How many unexplained kinds are made smaller: each takes seconds.
    pub shrink: usize,
    /// The folder that `tests/lab/build.sh` fills.
    pub lab: PathBuf,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Requests that ran.
    pub requests: usize,
    /// Classes of explained differences that were seen.
    pub classes: usize,
    /// Kinds of difference without an explanation.
    pub unexplained: usize,
}

/// Why it did not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The installation has rules alone.
    #[error("this CRS installation has no regression tests: the generator starts from them")]
    NoTests,
    /// The tests cannot be loaded.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// The rules cannot be loaded.
    #[error("{0}")]
    Rules(#[from] LoadErrors),
    /// The known differences cannot be read.
    #[error(transparent)]
    Known(#[from] KnownError),
    /// An engine cannot be started or spoken to.
    #[error("{0} (`make lab` builds the other engines)")]
    Peer(#[from] io::Error),
}

/// Runs it and tells `out`.
pub fn run(installation: &Installation, plan: &Plan, out: &mut impl Write) -> Result<Totals, RunError> {
    let corpus = corpus(installation)?;
    let mut session = Session::start(installation, plan)?;
    if plan.corpus {
        session.all(plan, &mut corpus.iter().cloned(), out)?;
        writeln!(out, "==> the corpus: {} requests", session.requests)?;
    }
    let stock = Stock::new(corpus);
    let mut generated = (plan.first..plan.first + plan.requests).map(|index| stock.request(plan.seed, index));
    session.all(plan, &mut generated, out)?;
    session.tell(plan, out)?;
    Ok(Totals {
        requests: session.requests,
        classes: session.counts.values().filter(|count| **count > 0).count(),
        unexplained: session.unexplained.len(),
    })
}

/// The requests of the corpus that reach an engine at all.
fn corpus(installation: &Installation) -> Result<Vec<Message>, RunError> {
    let files = suite::load(installation.tests.as_deref().ok_or(RunError::NoTests)?)?;
    let stages = files.iter().flat_map(|file| file.tests.iter().flatten());
    Ok(stages
        .filter_map(|stage| request::bytes(&stage.input).ok())
        .map(|bytes| Message::parse(&bytes))
        .collect())
}

struct Session {
    rules: RuleSets,
    known: Known,
    views: Vec<View>,
    peers: Vec<Peer>,
    requests: usize,
    counts: BTreeMap<String, usize>,
    unexplained: BTreeMap<String, Unexplained>,
    _files: RuleFiles,
}

impl Session {
    fn start(installation: &Installation, plan: &Plan) -> Result<Self, RunError> {
        let (known, views) = (Known::load()?, views::all());
        let files = RuleFiles::write(installation)?;
        let peers = Engine::ALL.map(|engine| Peer::start(engine, &plan.lab, &files, &views));
        Ok(Self {
            rules: RuleSets::load(installation)?,
            counts: known.counts(),
            known,
            views,
            peers: peers.into_iter().collect::<Result<_, _>>()?,
            requests: 0,
            unexplained: BTreeMap::new(),
            _files: files,
        })
    }

    fn all(
        &mut self,
        plan: &Plan,
        messages: &mut dyn Iterator<Item = Message>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        loop {
            let batch: Vec<Message> = messages.take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            for (message, differences) in batch.iter().zip(self.differences(&batch)?) {
                self.sort(plan, message, differences, out)?;
            }
            let before = self.requests;
            self.requests += batch.len();
            if self.requests / PROGRESS > before / PROGRESS {
                writeln!(
                    out,
                    "    {} requests, {} unexplained",
                    self.requests,
                    self.unexplained.len()
                )?;
            }
            out.flush()?;
        }
    }

    /// All engines at once.
    fn differences(&mut self, batch: &[Message]) -> io::Result<Vec<Vec<Difference>>> {
        let responses: Vec<_> = batch.iter().map(origin::answer).collect();
        let frames: Vec<Vec<u8>> = batch
            .iter()
            .zip(&responses)
            .map(|(m, r)| wire::frame(m, r))
            .collect();
        let Self {
            rules, views, peers, ..
        } = self;
        let (ours, theirs) = thread::scope(|scope| {
            let theirs: Vec<_> = peers
                .iter_mut()
                .map(|peer| {
                    let frames = &frames;
                    scope.spawn(move || (peer.engine, peer.observe(frames)))
                })
                .collect();
            let ours: Vec<Observation> = batch
                .iter()
                .zip(&responses)
                .map(|(m, r)| ours::observe(rules, views, m, r))
                .collect();
            let theirs: Vec<_> = theirs
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect();
            (ours, theirs)
        });
        let mut found: Vec<Vec<Difference>> = batch.iter().map(|_| Vec::new()).collect();
        for (engine, observed) in theirs {
            for (index, theirs) in observed?.iter().enumerate() {
                found[index].extend(compare::differences(
                    &self.rules.detecting,
                    engine,
                    &ours[index],
                    theirs,
                ));
            }
        }
        Ok(found)
    }

    fn sort(
        &mut self,
        plan: &Plan,
        message: &Message,
        differences: Vec<Difference>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if plan.show && !differences.is_empty() {
            writeln!(out, "{}", report::request(message))?;
        }
        let flat = report::flat(message);
        for difference in differences {
            let class = self.known.class_of(&difference, &flat).map(str::to_owned);
            if plan.show {
                let why = if difference.follows {
                    "follows"
                } else {
                    class.as_deref().unwrap_or("UNEXPLAINED")
                };
                writeln!(
                    out,
                    "  {} {} [{why}] {}",
                    difference.engine, difference.subject, difference.detail
                )?;
            }
            match class {
                Some(class) => *self.counts.entry(class).or_default() += 1,
                None if difference.follows => {}
                None => self.keep(message, difference, out)?,
            }
        }
        Ok(())
    }

    /// Of each unexplained kind the smallest example is kept.
    fn keep(&mut self, message: &Message, difference: Difference, out: &mut impl Write) -> io::Result<()> {
        let size = |message: &Message| report::flat(message).len();
        let kind = format!("{} {}", difference.engine, difference.subject);
        if !self.unexplained.contains_key(&kind) {
            writeln!(out, "    unexplained so far: {kind} {}", difference.detail)?;
            write!(out, "{}", report::request(message))?;
        }
        let entry = self.unexplained.entry(kind).or_default();
        entry.count += 1;
        if entry
            .example
            .as_ref()
            .is_none_or(|(known, _)| size(message) < size(known))
        {
            entry.example = Some((message.clone(), difference));
        }
        Ok(())
    }

    fn tell(&mut self, plan: &Plan, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{}", report::classes(&self.counts))?;
        let mut kinds: Vec<(String, usize, Message)> = Vec::new();
        for (kind, unexplained) in &self.unexplained {
            if let Some((message, _)) = &unexplained.example {
                kinds.push((kind.clone(), unexplained.count, message.clone()));
            }
        }
        kinds.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        for (index, (kind, count, message)) in kinds.into_iter().enumerate() {
            let smallest = if index < plan.shrink {
                self.smallest(&kind, &message)
            } else {
                message
            };
            let details = self.details(&kind, &smallest)?;
            writeln!(
                out,
                "UNEXPLAINED {kind}: {count} requests, for instance\n{}",
                report::request(&smallest)
            )?;
            writeln!(out, "{details}")?;
        }
        Ok(())
    }

    fn smallest(&mut self, kind: &str, message: &Message) -> Message {
        shrink(message, |candidate| self.shows(kind, candidate))
    }

    fn shows(&mut self, kind: &str, message: &Message) -> bool {
        let Ok(found) = self.differences(std::slice::from_ref(message)) else {
            return false;
        };
        let flat = report::flat(message);
        found.into_iter().flatten().any(|difference| {
            format!("{} {}", difference.engine, difference.subject) == kind
                && !difference.follows
                && self.known.class_of(&difference, &flat).is_none()
        })
    }

    fn details(&mut self, kind: &str, message: &Message) -> io::Result<String> {
        let found = self.differences(std::slice::from_ref(message))?;
        let lines = found.into_iter().flatten().map(|difference| {
            let subject = format!("{} {}", difference.engine, difference.subject);
            let mark = if subject == kind { "=>" } else { "  " };
            format!("  {mark} {subject} {}\n", difference.detail)
        });
        Ok(lines.collect())
    }
}
