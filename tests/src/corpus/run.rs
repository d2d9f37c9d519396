//! The whole corpus, over all cores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use palisade_waf::seclang::LoadErrors;
use palisade_waf::{OperatorCache, Remark, RuleSet};

use super::judge::{self, Observed, Verdict};
use super::report::{Mode, Outcome, Report};
use super::suite::{self, Stage, SuiteError, TestFile};
use super::wire::Message;
use super::{Installation, engine, origin, request};

/// Which stages run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only stages whose name starts so; empty means all.
    pub prefixes: Vec<String>,
    /// Of those only each of that many, in the order of the files; 0 and 1 mean all.
    pub every: usize,
}

impl Selection {
    fn holds(&self, id: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| id.starts_with(prefix))
    }
}

/// The stages that are selected, in the order of the files.
pub(super) fn selected<'f>(files: &'f [TestFile], selection: &Selection) -> Vec<&'f Stage> {
    let stages = files.iter().flat_map(|file| file.tests.iter().flatten());
    stages
        .filter(|stage| selection.holds(&stage.id.to_string()))
        .step_by(selection.every.max(1))
        .collect()
}

/// Why the corpus did not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The installation has rules alone.
    #[error("this CRS installation has no regression tests")]
    NoTests,
    /// The tests cannot be loaded.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// The rules cannot be loaded.
    #[error("{0}")]
    Rules(#[from] LoadErrors),
    /// The edge does not run.
    #[error("{0}")]
    Live(std::io::Error),
}

/// Runs the selected stages of an installation's corpus.
pub fn run(installation: &Installation, selection: &Selection) -> Result<Report, RunError> {
    let files = suite::load(installation.tests.as_deref().ok_or(RunError::NoTests)?)?;
    let started = Instant::now();
    let rules = engine::rule_set(installation, &OperatorCache::default())?;
    let load_time = started.elapsed();
    let outcomes = run_stages(&rules, &selected(&files, selection));
    Ok(Report {
        mode: Mode::InProcess,
        version: installation.version.clone(),
        files: files.len(),
        left_out: left_out(&rules),
        outcomes,
        load_time,
        run_time: started.elapsed() - load_time,
    })
}

fn left_out(rules: &RuleSet) -> Vec<String> {
    let remarks = rules.remarks().iter();
    remarks
        .filter(|remark| matches!(remark, Remark::RuleLeftOut { .. }))
        .map(ToString::to_string)
        .collect()
}

fn run_stages(rules: &RuleSet, stages: &[&Stage]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let threads = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(stage) = stages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = run_stage(rules, stage);
                    outcomes
                        .lock()
                        .unwrap_or_else(|poison| poison.into_inner())
                        .push(done);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(|poison| poison.into_inner());
    outcomes.sort_by(|a, b| a.id.cmp(&b.id));
    outcomes
}

fn run_stage(rules: &RuleSet, stage: &Stage) -> Outcome {
    let (verdict, observed) = match request::bytes(&stage.input) {
        Ok(wire) => judged(rules, stage, &Message::parse(&wire)),
        Err(error) => (Verdict::Failed(vec![error.to_string()]), Observed::default()),
    };
    Outcome {
        id: stage.id.clone(),
        verdict,
        observed,
    }
}

/// A panic is one stage's failure: the others still run.
fn judged(rules: &RuleSet, stage: &Stage, message: &Message) -> (Verdict, Observed) {
    if let Some(verdict) = judge::http_layer(&stage.output, message) {
        return (verdict, Observed::default());
    }
    let response = origin::answer(message);
    match catch_unwind(AssertUnwindSafe(|| engine::inspect(rules, message, &response))) {
        Ok(observed) => (judge::judge(&stage.output, &observed), observed),
        Err(_) => (
            Verdict::Failed(vec!["the engine panicked".into()]),
            Observed::default(),
        ),
    }
}
