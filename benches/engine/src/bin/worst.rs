//! What the most expensive requests within the limits cost the engine: time and memory of each, and the bound that all
//! of them have to keep.
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark is a program of the terminal"
)]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use palisade_bench_engine::hostile::{self, Case};
use palisade_bench_engine::inspect::inspect;
use palisade_bench_engine::requests::Request;
use palisade_bench_engine::{crs, requests};
use palisade_waf::RuleSet;
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// No request may cost more, at any paranoia level, with 128 KiB in one value or a thousand small ones. Several times
/// what is measured on a quiet machine, so that a busy one does not break it.
const TIME: Duration = Duration::from_millis(500);
const BYTES: usize = 16 << 20;

const LEVELS: [u8; 2] = [1, 4];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn Error>> {
    let source = crs::installed()?;
    let sets = LEVELS.map(|level| crs::compile(&source, level));
    let mut rules = Vec::new();
    for set in sets {
        rules.push(set?);
    }
    println!(
        "{:<32} {:>9} {:>11} {:>11} {:>9} {:>8}",
        "request", "bytes", "PL1 ms", "PL4 ms", "PL4 KiB", "stopped"
    );
    let mut worst = (Duration::ZERO, 0);
    for (name, request) in cases() {
        let costs: Vec<Cost> = rules.iter().map(|rules| cost(rules, &request)).collect();
        row(&name, &request, &costs);
        for cost in costs {
            worst = (worst.0.max(cost.time), worst.1.max(cost.memory));
        }
    }
    let kept = worst.0 <= TIME && worst.1 <= BYTES;
    println!(
        "worst: {:.1} ms and {:.1} MiB; the bound of {} ms and {} MiB is {}",
        worst.0.as_secs_f64() * 1e3,
        worst.1 as f64 / f64::from(1 << 20),
        TIME.as_millis(),
        BYTES >> 20,
        if kept { "kept" } else { "NOT KEPT" }
    );
    Ok(kept)
}

fn cases() -> Vec<Case> {
    let mut cases = vec![("an ordinary GET, to compare".to_owned(), requests::get())];
    cases.push(("an ordinary form, to compare".to_owned(), requests::form_post()));
    cases.extend(hostile::structures());
    cases.push(hostile::long_cookie(16 * 1024));
    cases.extend(hostile::long_values(16 * 1024));
    cases.extend(hostile::long_values(128 * 1024));
    cases
}

struct Cost {
    time: Duration,
    memory: usize,
    stopped: bool,
}

/// CPU time of the fastest of three; the memory of the first, at its peak.
fn cost(rules: &RuleSet, request: &Request) -> Cost {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let stopped = inspect(rules, request).interruption().is_some();
    let memory = MEMORY.peak_usage().saturating_sub(before);
    let time = (0..3).map(|_| {
        let start = cpu();
        drop(inspect(rules, request));
        cpu() - start
    });
    Cost {
        time: time.min().unwrap_or_default(),
        memory,
        stopped,
    }
}

/// Of this thread: what others do on the machine is not counted.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

fn row(name: &str, request: &Request, costs: &[Cost]) {
    let bytes = request.body.len()
        + request
            .headers
            .iter()
            .map(|(_, value)| value.len())
            .sum::<usize>();
    print!("{name:<32} {bytes:>9}");
    for cost in costs {
        print!(" {:>11.2}", cost.time.as_secs_f64() * 1e3);
    }
    let memory = costs.last().map_or(0, |cost| cost.memory / 1024);
    let stopped = costs.first().is_some_and(|cost| cost.stopped);
    println!(" {memory:>9} {:>8}", if stopped { "yes" } else { "no" });
}
