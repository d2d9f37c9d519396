//! The corpus over real TCP: the edge's binary as a process, set up by `config/crs-test.toml`, in front of an
//! upstream that reflects.
//!
//! ```text
//! request   what go-ftw would send        -> client    TLS, from a port of the stage's own
//!                                            edge      the process
//!                                            upstream  origin's answers, over TCP
//! judge     expectations against answer and log of matches
//! ```
//!
//! go-ftw finds the log lines of a test between two marker requests. Here the client's port, which is in every line,
//! tells which stage it belongs to: stages need not wait for one another, and the log is read once.

mod client;
mod edge;
mod log;
pub mod upstream;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use futures_util::StreamExt;

pub use client::Reply;
pub use edge::Edge;

use super::judge::{self, Observed, Verdict};
use super::report::{Mode, Outcome, Report};
use super::run::{RunError, Selection, selected};
use super::suite::Stage;
use super::{Installation, request, suite};
use client::Client;

/// Stages under way at once: enough to keep two cores busy, few enough for every one to be served promptly.
const AT_ONCE: usize = 8;

/// Runs the selected stages through `binary`, over the rule set that `palisade rules install` put into the
/// installation's folder.
pub fn run(installation: &Installation, selection: &Selection, binary: &Path) -> Result<Report, RunError> {
    let files = suite::load(installation.tests.as_deref().ok_or(RunError::NoTests)?)?;
    let stages = selected(&files, selection);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let started = Instant::now();
        let upstream = upstream::start(([127, 0, 0, 1], 0).into()).await?;
        let edge = Edge::start(binary, &installation.root, upstream).await?;
        let load_time = started.elapsed();
        let replies = send_all(edge.address(), &stages).await;
        let log = log::by_client(&edge.stop().await?);
        let mut outcomes: Vec<Outcome> = stages
            .iter()
            .zip(replies)
            .map(|(stage, sent)| outcome(stage, sent, &log))
            .collect();
        outcomes.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Report {
            mode: Mode::Live,
            version: installation.version.clone(),
            files: files.len(),
            left_out: Vec::new(),
            outcomes,
            load_time,
            run_time: started.elapsed() - load_time,
        })
    })
}

/// The reply to each stage and the port it was sent from.
type Sent = Result<(u16, Reply), String>;

async fn send_all(edge: SocketAddr, stages: &[&Stage]) -> Vec<Sent> {
    let client = &Client::new(edge);
    let sent = futures_util::stream::iter(stages).map(|stage| async move {
        let wire = request::bytes(&stage.input).map_err(|error| error.to_string())?;
        let sent = client.send(&wire).await;
        sent.map_err(|error| format!("the edge cannot be reached: {error}"))
    });
    sent.buffered(AT_ONCE).collect().await
}

fn outcome(stage: &Stage, sent: Sent, log: &BTreeMap<u16, Vec<Vec<u8>>>) -> Outcome {
    let (verdict, observed) = match sent {
        Err(complaint) => (Verdict::Failed(vec![complaint]), Observed::default()),
        // As in go-ftw: where no answer was expected and none came, there need be no log either.
        Ok((_, Reply::None)) if stage.output.expect_error == Some(true) => {
            (Verdict::Passed, Observed::default())
        }
        Ok((port, reply)) => {
            let observed = observed(reply, log.get(&port).cloned().unwrap_or_default());
            (judge::judge(&stage.output, &observed), observed)
        }
    };
    Outcome {
        id: stage.id.clone(),
        verdict,
        observed,
    }
}

fn observed(reply: Reply, log: Vec<Vec<u8>>) -> Observed {
    let logged = log.iter().filter_map(|line| log::rule_id(line)).collect();
    match reply {
        Reply::Answer { status, body } => Observed {
            log,
            logged,
            status,
            response_body: body,
            unanswered: false,
        },
        Reply::None => Observed {
            log,
            logged,
            unanswered: true,
            ..Observed::default()
        },
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        RunError::Live(error)
    }
}
