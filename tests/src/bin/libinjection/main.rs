//! `libinjection`: holds the engine's libinjection against the Go port of it, string by string.
//!
//! Verdicts on SQL injection and cross-site scripting and the fingerprints must be equal, with the engine's
//! gates and without them. The last line is `libinjection: N strings, M differences`; the exit code is 1 if
//! there is any.

mod compare;
mod generator;
mod material;
mod mutation;
mod random;
mod reference;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use compare::Comparison;
use generator::Generator;
use material::Material;
use palisade_tests::corpus::Installation;
use palisade_tests::corpus::installation::ENVIRONMENT;
use reference::Reference;

const USAGE: &str = "usage: libinjection --reference PROGRAM [--rules DIR] [--strings N] [--seed N]
  --reference PROGRAM  what tests/lab/libinjection builds
  --rules DIR          the CRS directory, whose tests are material (default: the environment variable PALISADE_CRS_FROM)
  --strings N          how many strings (default: 1000000)
  --seed N             equal seeds make equal strings (default: 1)";

/// How many strings are under way at a time.
const BATCH: usize = 10_000;
/// How many differences are shown.
const SHOWN: usize = 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match comparison() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "libinjection: {error}");
            ExitCode::from(2)
        }
    }
}

fn comparison() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let material = Material::gather(&arguments.installation()?)?;
    let mut reference = Reference::start(&arguments.reference)?;
    let mut generator = Generator::new(material, arguments.seed);
    let mut comparison = Comparison::default();
    while comparison.strings < arguments.strings {
        let count = BATCH.min(arguments.strings - comparison.strings);
        let strings: Vec<Vec<u8>> = (0..count).map(|_| generator.next_string()).collect();
        let verdicts = reference.ask(&strings)?;
        comparison.add(&strings, &verdicts);
    }
    let mut out = io::stdout().lock();
    for difference in comparison.differences.iter().take(SHOWN) {
        writeln!(out, "{difference}")?;
    }
    writeln!(out, "{comparison}")?;
    Ok(if comparison.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Arguments {
    reference: PathBuf,
    rules: Option<PathBuf>,
    strings: usize,
    seed: u64,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut reference = None;
        let mut parsed = Self {
            reference: PathBuf::new(),
            rules: None,
            strings: 1_000_000,
            seed: 1,
        };
        while let Some(argument) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            match argument.as_str() {
                "--reference" => reference = Some(value.into()),
                "--rules" => parsed.rules = Some(value.into()),
                "--strings" => parsed.strings = value.parse()?,
                "--seed" => parsed.seed = value.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        parsed.reference = reference.ok_or(USAGE)?;
        Ok(parsed)
    }

    fn installation(&self) -> Result<Installation, Failure> {
        if let Some(rules) = &self.rules {
            return Ok(Installation::find(rules)?);
        }
        let found = Installation::from_environment()
            .ok_or_else(|| format!("no rules: give --rules DIR or set {ENVIRONMENT}"))?;
        Ok(found?)
    }
}
