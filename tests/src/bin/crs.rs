//! `crs`: runs the regression corpus of an installed CRS.
//!
//! The last line is `crs corpus <version>: N passed, M failed, K http-layer`; the exit code is 1 if a stage
//! fails that is not on the list of known failures, or the other way round.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use palisade_tests::corpus::installation::ENVIRONMENT;
use palisade_tests::corpus::known::KnownFailures;
use palisade_tests::corpus::{Installation, Report, Selection, run};

const USAGE: &str = "usage: crs [--rules DIR] [--show] [STAGE...]
  --rules DIR  the CRS directory (default: the environment variable PALISADE_CRS_FROM)
  --show       the log lines of every stage that runs
  STAGE        only stages whose name starts so, such as 942100 or 942100-3";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match corpus() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "crs: {error}");
            ExitCode::from(2)
        }
    }
}

fn corpus() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let installation = arguments.installation()?;
    let known = KnownFailures::for_version(&installation.version)?;
    let report = run(&installation, &arguments.selection)?;
    let mut out = io::stdout().lock();
    if arguments.show {
        show(&mut out, &report)?;
    }
    let outdated = report.outdated(&known);
    for stage in &outdated {
        writeln!(out, "{stage} is on the list of known failures, but passes")?;
    }
    writeln!(out, "{}", report.text(&known))?;
    let sound = outdated.is_empty() && report.unknown_failures(&known).is_empty();
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for outcome in &report.outcomes {
        writeln!(out, "{}: {:?}", outcome.id, outcome.verdict)?;
        for line in &outcome.observed.log {
            writeln!(out, "    {}", String::from_utf8_lossy(line))?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Arguments {
    rules: Option<String>,
    show: bool,
    selection: Selection,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut parsed = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--rules" => parsed.rules = Some(arguments.next().ok_or(USAGE)?),
                "--show" => parsed.show = true,
                _ if argument.starts_with('-') => return Err(USAGE.into()),
                _ => parsed.selection.prefixes.push(argument),
            }
        }
        Ok(parsed)
    }

    fn installation(&self) -> Result<Installation, Failure> {
        if let Some(rules) = &self.rules {
            return Ok(Installation::find(Path::new(rules))?);
        }
        let found = Installation::from_environment().ok_or_else(|| {
            format!("no rules: give --rules DIR or set {ENVIRONMENT} (`make rules` installs them)")
        })?;
        Ok(found?)
    }
}
