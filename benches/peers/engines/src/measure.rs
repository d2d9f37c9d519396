//! Rounds in which every engine is asked, and the table of what came out.

use std::fmt::Write;
use std::time::Duration;

use palisade_bench_engine::attacks;
use palisade_bench_engine::requests::{self, Request};
use rustix::time::{ClockId, clock_gettime};

use crate::engine::Engine;

const ROUNDS: usize = 5;

/// What each engine gets of each case in a round.
const EACH: Duration = Duration::from_millis(400);

/// Name, ordinary request, the same kind of request with an attack in it.
type Case = (&'static str, fn() -> Request, fn() -> Request);

const CASES: [Case; 4] = [
    ("engine-get", requests::get, attacks::get),
    ("engine-post", requests::form_post, attacks::form_post),
    ("engine-json", requests::json_post, attacks::json_post),
    ("engine-multipart", requests::multipart_post, attacks::multipart_post),
];

/// What was measured; the first engine is ours.
pub struct Report {
    names: Vec<&'static str>,
    /// By case, by engine: microseconds a request.
    medians: Vec<Vec<f64>>,
    notes: Vec<String>,
}

/// Makes sure that all see what they should, then measures.
pub fn measure(engines: &[Box<dyn Engine>]) -> Result<Report, String> {
    let mut report = Report {
        names: engines.iter().map(|engine| engine.name()).collect(),
        medians: Vec::new(),
        notes: Vec::new(),
    };
    for case in CASES {
        let (name, ordinary, _) = case;
        for engine in engines {
            report.notes.extend(verify(engine.as_ref(), case)?);
        }
        let mut samples = vec![Vec::new(); engines.len()];
        for _ in 0..ROUNDS {
            for (engine, samples) in engines.iter().zip(&mut samples) {
                samples.push(sample(engine.as_ref(), &ordinary())?);
            }
        }
        eprintln!("==> {name}");
        report.medians.push(samples.into_iter().map(median).collect());
    }
    Ok(report)
}

impl Report {
    /// Rows of cases, columns of engines, then notes.
    pub fn table(&self) -> String {
        let mut text = format!("{:<18}", "CPU us/request");
        for name in &self.names {
            let _ = write!(text, "{name:>16}");
        }
        text.push('\n');
        for ((case, ..), medians) in CASES.iter().zip(&self.medians) {
            let _ = write!(text, "{case:<18}");
            for median in medians {
                let _ = write!(text, "{median:>16.1}");
            }
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }

    /// Theirs over ours.
    pub fn ratios(&self) -> String {
        let mut text = String::new();
        for ((case, ..), medians) in CASES.iter().zip(&self.medians) {
            for (name, theirs) in self.names.iter().zip(medians).skip(1) {
                let _ = writeln!(text, "ratio {case} {name} {:.2}", theirs / medians[0]);
            }
        }
        text
    }
}

/// An engine that does not see a body is fast for nothing. One that stops what is ordinary is measured: all phases
/// run, and it is said.
fn verify(engine: &dyn Engine, (name, ordinary, attack): Case) -> Result<Option<String>, String> {
    if !engine.stops(&attack())? {
        return Err(format!("{} does not stop the attack of {name}", engine.name()));
    }
    let stopped = engine.stops(&ordinary())?;
    Ok(stopped.then(|| format!("{} stops the ordinary request of {name}", engine.name())))
}

fn sample(engine: &dyn Engine, request: &Request) -> Result<f64, String> {
    engine.stops(request)?;
    let start = cpu();
    let mut requests = 0;
    loop {
        engine.stops(request)?;
        requests += 1;
        let used = cpu() - start;
        if used > EACH {
            return Ok(used.as_secs_f64() * 1e6 / f64::from(requests));
        }
    }
}

/// Of the process: Go collects its garbage on other threads, and that is a cost of its requests.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
