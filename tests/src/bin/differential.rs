//! `differential`: the CRS corpus and generated requests through our engine, Coraza and libmodsecurity.
//!
//! The last line is `differential: N requests, X classes of difference, Y unexplained`; the exit code is 1 if a
//! difference has no explanation in `tests/differential-known.toml`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use palisade_tests::corpus::Installation;
use palisade_tests::corpus::installation::ENVIRONMENT;
use palisade_tests::differential::{Plan, run};

const USAGE: &str = "usage: differential [--rules DIR] [--lab DIR] [--requests N] [--seed S] [--first I] [--no-corpus] [--show]
  --rules DIR   the CRS directory (default: the environment variable PALISADE_CRS_FROM)
  --lab DIR     the other engines (default: tests/lab/.build, which `make lab` fills)
  --requests N  generated requests (default: 100000)
  --seed S      what they depend on (default: 1)
  --first I     the index of the first one, to look at single requests (default: 0)
  --no-corpus   only generated requests
  --shrink K    how many unexplained kinds get a small example (default: 12)
  --show        every request that differs, with its differences";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match differential() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "differential: {error}");
            ExitCode::from(2)
        }
    }
}

fn differential() -> Result<ExitCode, Failure> {
    let (plan, rules) = arguments(std::env::args().skip(1))?;
    let installation = match rules {
        Some(rules) => Installation::find(Path::new(&rules))?,
        None => Installation::from_environment().ok_or_else(|| {
            format!("no rules: give --rules DIR or set {ENVIRONMENT} (`make rules` installs them)")
        })??,
    };
    let mut out = io::stdout().lock();
    let totals = run(&installation, &plan, &mut out)?;
    writeln!(
        out,
        "differential: {} requests, {} classes of difference, {} unexplained",
        totals.requests, totals.classes, totals.unexplained
    )?;
    Ok(if totals.unexplained == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<(Plan, Option<String>), Failure> {
    let mut plan = Plan {
        requests: 100_000,
        first: 0,
        seed: 1,
        corpus: true,
        show: false,
        shrink: 12,
        lab: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/lab/.build")),
    };
    let mut rules = None;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--rules" => rules = Some(value()?),
            "--lab" => plan.lab = value()?.into(),
            "--requests" => plan.requests = value()?.parse()?,
            "--seed" => plan.seed = value()?.parse()?,
            "--first" => plan.first = value()?.parse()?,
            "--shrink" => plan.shrink = value()?.parse()?,
            "--no-corpus" => plan.corpus = false,
            "--show" => plan.show = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok((plan, rules))
}
