//! All cases with all proxies, in rounds: each round asks every proxy once, so that what disturbs the machine
//! disturbs all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cases::Case;
use crate::load::{Load, LoadError, Target, Trust};
use crate::peer::{PEERS, Peer};
use crate::place::Place;
use crate::running::{Running, StartError};

/// What a proxy did in one round of a case.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Of the proxy's processes, for each request.
    pub cpu: Duration,
    /// Requests a second.
    pub rate: f64,
    /// Half of the requests took no longer.
    pub p50: Duration,
    /// All but one of a hundred took no longer.
    pub p99: Duration,
    /// Bytes, after the round.
    pub memory: u64,
}

/// Samples by case and proxy, one for each round.
pub type Samples = BTreeMap<(&'static str, &'static str), Vec<Sample>>;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How often each proxy is asked.
    pub rounds: usize,
    /// How long each time.
    pub each: Duration,
}

/// What there was to measure.
#[derive(Debug, Default)]
pub struct Report {
    /// What was measured.
    pub samples: Samples,
    /// What was not, and why.
    pub missing: Vec<(&'static str, String)>,
}

/// Where a peer is loaded.
pub fn target(place: &Place, peer: Peer) -> Result<Target, LoadError> {
    let read = std::fs::read_to_string(place.certificate());
    let certificate = read.map_err(|error| LoadError::Certificate(error.to_string()))?;
    Ok(Target {
        address: place.proxy(peer.number()),
        trust: Trust::only(&certificate)?,
    })
}

/// Starts and measures these. `progress` is told what happens.
pub async fn measure(
    place: &Place,
    chosen: &[Peer],
    cases: &[Case],
    effort: Effort,
    progress: impl Fn(&str),
) -> Result<Report, StartError> {
    let mut report = Report::default();
    let _upstream = Running::upstream(place)?;
    let mut running = Vec::new();
    for peer in PEERS.into_iter().filter(|peer| chosen.contains(peer)) {
        let target = target(place, peer)?;
        match Running::peer(peer, place, &target).await {
            Ok(process) => running.push((peer, process, target)),
            Err(error) => report.missing.push((peer.name(), error.to_string())),
        }
    }
    for case in cases {
        for round in 1..=effort.rounds {
            progress(&format!("{}, round {round} of {}", case.name, effort.rounds));
            for (peer, process, target) in &running {
                let sample = sample(process, target, case, effort.each).await?;
                let key = (case.name, peer.name());
                report.samples.entry(key).or_default().push(sample);
            }
        }
    }
    Ok(report)
}

async fn sample(
    process: &Running,
    target: &Target,
    case: &Case,
    duration: Duration,
) -> Result<Sample, LoadError> {
    let mut load = Load::open(target, case.shape, &(case.request)()).await?;
    load.run(case.rate, duration / 5).await?;
    let family = process.family();
    let before = family.cpu();
    let mut outcome = load.run(case.rate, duration).await?;
    let used = family.cpu().saturating_sub(before);
    let requests = outcome.latencies.len().max(1);
    Ok(Sample {
        cpu: used.div_f64(requests as f64),
        rate: requests as f64 / outcome.elapsed.as_secs_f64(),
        p50: outcome.latencies.percentile(50),
        p99: outcome.latencies.percentile(99),
        memory: family.memory(),
    })
}
