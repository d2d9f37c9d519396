//! `instructions FILE` counts the engine's main cases under callgrind and holds them against the file: more than 5 %
//! worse fails. `instructions FILE --update` writes the file.
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark is a program of the terminal"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use palisade_bench_engine::baseline::{Baseline, Comparison, Machine, compare};
use palisade_bench_engine::counting::{CountError, count, counted};
use palisade_bench_engine::crs;
use palisade_bench_engine::inspect::{inspect, objections};
use palisade_bench_engine::requests::{self, Request};
use palisade_waf::RuleSet;

/// Instead of a file: this is the program under callgrind.
const COUNTED: &str = "--counted";

/// Whatever differs from one request to the next (the seeds of hash maps) is averaged.
const REQUESTS: u64 = 20;

/// Level, name, request.
type Case = (u8, &'static str, fn() -> Request);

const CASES: [Case; 5] = [
    (1, "get-pl1", requests::get),
    (4, "get-pl4", requests::get),
    (1, "form-pl1", requests::form_post),
    (1, "json-pl1", requests::json_post),
    (1, "multipart-pl1", requests::multipart_post),
];

const HEADER: &str = "\
# Instructions of one request through the engine, by callgrind; `load` is compiling the whole rule set once.
# `make instructions` holds them against this file; this writes it:
#     make instructions UPDATE=--update
# Counts are of the release profile and the allocator of the C library. They hardly depend on the machine: hash maps
# have random seeds (20 requests are averaged), and searches use AVX2 where there is any, which is why it stands here.

";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [COUNTED] => under_callgrind(),
        [file] => check(Path::new(file)),
        [file, "--update"] => update(Path::new(file)),
        _ => Err("usage: instructions FILE [--update]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(file: &Path) -> Result<(), Box<dyn Error>> {
    let baseline: Baseline = toml::from_str(&std::fs::read_to_string(file)?)?;
    let here = Machine::here(crs::version(&crs::installed()?));
    if here != baseline.machine {
        println!(
            "instructions: NOT CHECKED, {} is of {:?}, this is {here:?}",
            file.display(),
            baseline.machine
        );
        return Ok(());
    }
    let counts = match measure() {
        Err(CountError::Valgrind(error)) => {
            println!("instructions: NOT CHECKED, {}", CountError::Valgrind(error));
            return Ok(());
        }
        counts => counts?,
    };
    verdict(file, &compare(&baseline.counts, &counts))
}

fn verdict(file: &Path, comparison: &Comparison) -> Result<(), Box<dyn Error>> {
    print!("{}", comparison.table);
    if !comparison.worse.is_empty() {
        let worse = comparison.worse.join("\n  ");
        let remedy = "if that is the price of something worth it, write the file anew: make instructions UPDATE=--update";
        return Err(format!(
            "the engine does more than {} says:\n  {worse}\n{remedy}",
            file.display()
        )
        .into());
    }
    if !comparison.outdated.is_empty() {
        let outdated = comparison.outdated.join(", ");
        println!(
            "{} is out of date ({outdated}): make instructions UPDATE=--update",
            file.display()
        );
    }
    Ok(())
}

fn update(file: &Path) -> Result<(), Box<dyn Error>> {
    let baseline = Baseline {
        machine: Machine::here(crs::version(&crs::installed()?)),
        counts: measure()?,
    };
    std::fs::write(file, HEADER.to_owned() + &toml::to_string(&baseline)?)?;
    println!("{}", std::fs::read_to_string(file)?);
    Ok(())
}

fn measure() -> Result<BTreeMap<String, u64>, CountError> {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.with_file_name("instructions.dumps");
    let counts = count(&program, COUNTED, &folder, CASES.len() + 1)?;
    let names = CASES.iter().map(|(_, name, _)| *name);
    let requests = names.zip(counts.iter().skip(1).map(|count| count / REQUESTS));
    let load = counts.first().map(|count| ("load", *count));
    Ok(load
        .into_iter()
        .chain(requests)
        .map(|(name, count)| (name.to_owned(), count))
        .collect())
}

/// The calls of `counted`, in the order in which `measure` reads their counts.
fn under_callgrind() -> Result<(), Box<dyn Error>> {
    let source = crs::installed()?;
    let mut loaded = None;
    counted(&mut || loaded = Some(crs::compile(&source, 1)));
    let pl1 = loaded.ok_or("nothing was loaded")??;
    let pl4 = crs::compile(&source, 4)?;
    for (level, name, request) in CASES {
        request_case(if level == 1 { &pl1 } else { &pl4 }, name, &request())?;
    }
    Ok(())
}

/// Fills the caches of patterns first, under another symbol. A request that is stopped half-way would look cheap.
fn request_case(rules: &RuleSet, name: &str, request: &Request) -> Result<(), Box<dyn Error>> {
    for _ in 0..3 {
        let rules = objections(rules, request);
        if !rules.is_empty() {
            return Err(format!("{name}: rules {rules:?} object to an ordinary request").into());
        }
    }
    counted(&mut || {
        for _ in 0..REQUESTS {
            drop(inspect(rules, request));
        }
    });
    Ok(())
}
