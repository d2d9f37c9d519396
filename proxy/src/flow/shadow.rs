//! Another engine's judgement of a request that is over. One thread judges for the whole process, so that it takes
//! no more than one core from serving; what it has no room for is counted and let go. It decides nothing and nobody
//! waits for it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock};
use std::thread;

use tracing::{error, warn};

use super::context::RequestContext;
use super::parts::EdgeParts;
use crate::engine::shadow::{Exchange, Judgement};
use crate::limit::Share;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{ShadowLabels, ShadowResult};

/// Requests that may wait: some seconds of work for Coraza. Their bodies count as bodies under inspection
/// (`body_memory`).
const WAITING: usize = 1024;

struct Job {
    exchange: Exchange,
    route: Arc<str>,
    host: String,
    metrics: Arc<Metrics>,
    /// Given back when the job is done.
    _memory: Share,
}

/// None if no thread could be had: then every request is skipped.
static JUDGE: LazyLock<Option<SyncSender<Job>>> = LazyLock::new(|| {
    let (sender, jobs) = sync_channel(WAITING);
    let thread = thread::Builder::new().name("palisade-shadow".to_owned());
    thread.spawn(move || judge_all(&jobs)).ok().map(|_| sender)
});

/// Leaves the request to the judge.
pub(super) fn judge_later(parts: &EdgeParts, context: &RequestContext, route: Arc<str>, exchange: Exchange) {
    let mut memory = context.snapshot.body_budget.share();
    let room = memory.grow(exchange.body_bytes());
    let job = Job {
        exchange,
        host: context.host.clone(),
        route: Arc::clone(&route),
        metrics: Arc::clone(&parts.metrics),
        _memory: memory,
    };
    let sent = room && JUDGE.as_ref().is_some_and(|judge| judge.try_send(job).is_ok());
    if !sent {
        count(&parts.metrics, route, ShadowResult::skipped);
    }
}

fn judge_all(jobs: &Receiver<Job>) {
    for job in jobs {
        let result = judge(&job);
        count(&job.metrics, job.route, result);
    }
}

fn judge(job: &Job) -> ShadowResult {
    let (exchange, route) = (&job.exchange, &*job.route);
    match catch_unwind(AssertUnwindSafe(|| exchange.judge())) {
        Ok(Ok(theirs)) if theirs.outcome == exchange.ours.outcome => ShadowResult::same,
        Ok(Ok(theirs)) => {
            tell(job, &theirs);
            ShadowResult::different
        }
        Ok(Err(failure)) => {
            error!(request_id = exchange.id(), route, %failure, "the shadow engine failed");
            ShadowResult::failed
        }
        Err(_) => ShadowResult::failed,
    }
}

/// One line: both verdicts, and the rules that only one of the engines saw match.
fn tell(job: &Job, theirs: &Judgement) {
    let (exchange, ours) = (&job.exchange, &job.exchange.ours);
    warn!(
        request_id = exchange.id(),
        route = &*job.route,
        host = job.host,
        palisade = %ours.outcome,
        coraza = %theirs.outcome,
        only_palisade = without(&ours.rules, &theirs.rules),
        only_coraza = without(&theirs.rules, &ours.rules),
        "the shadow engine judges otherwise"
    );
}

fn without(rules: &BTreeSet<u64>, others: &BTreeSet<u64>) -> String {
    let ids: Vec<String> = rules.difference(others).map(u64::to_string).collect();
    ids.join(" ")
}

fn count(metrics: &Metrics, route: Arc<str>, result: ShadowResult) {
    metrics
        .waf_shadow
        .get_or_create(&ShadowLabels { route, result })
        .inc();
}
