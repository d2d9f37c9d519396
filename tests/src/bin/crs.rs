//! `crs`: runs the regression corpus of an installed CRS, in process or through a running edge.
//!
//! The last line is `crs corpus <version>: N passed, M failed, K http-layer`, or `crs live <version>: N passed,
//! M failed`; the exit code is 1 if a stage fails that is not on the list of known failures, or the other way round.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use palisade_tests::corpus::installation::ENVIRONMENT;
use palisade_tests::corpus::known::KnownFailures;
use palisade_tests::corpus::{Installation, Report, Selection, live, run};

const USAGE: &str = "usage: crs [--rules DIR] [--tests DIR] [--live] [--edge FILE] [--every N] [--show] [STAGE...]
       crs --origin ADDRESS
  --rules DIR      the CRS directory (default: the environment variable PALISADE_CRS_FROM)
  --tests DIR      its tests, where they lie elsewhere
  --live           through a running edge; DIR is then what `palisade rules install` wrote
  --edge FILE      the edge's binary (default: palisade, beside this program)
  --every N        only every Nth stage
  --show           the log lines of every stage that runs
  STAGE            only stages whose name starts so, such as 942100 or 942100-3
  --origin ADDRESS only the upstream that answers as a request says, such as 127.0.0.1:8000, until it is killed";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse(std::env::args().skip(1));
    let done = arguments.and_then(|arguments| match arguments.origin {
        Some(address) => origin(address),
        None => corpus(&arguments),
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "crs: {error}");
            ExitCode::from(2)
        }
    }
}

fn corpus(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let installation = arguments.installation()?;
    let (known, report) = if arguments.live {
        let known = KnownFailures::live(&installation.version)?;
        (
            known,
            live::run(&installation, &arguments.selection, &arguments.edge()?)?,
        )
    } else {
        let known = KnownFailures::for_version(&installation.version)?;
        (known, run(&installation, &arguments.selection)?)
    };
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

fn origin(address: SocketAddr) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let address = live::upstream::start(address).await?;
        writeln!(io::stdout(), "the upstream of the CRS tests listens on {address}")?;
        std::future::pending::<()>().await;
        Ok(ExitCode::SUCCESS)
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
    tests: Option<PathBuf>,
    live: bool,
    edge: Option<PathBuf>,
    origin: Option<SocketAddr>,
    show: bool,
    selection: Selection,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut parsed = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "--rules" => parsed.rules = Some(value()?),
                "--tests" => parsed.tests = Some(value()?.into()),
                "--live" => parsed.live = true,
                "--edge" => parsed.edge = Some(value()?.into()),
                "--every" => parsed.selection.every = value()?.parse()?,
                "--origin" => parsed.origin = Some(value()?.parse()?),
                "--show" => parsed.show = true,
                _ if argument.starts_with('-') => return Err(USAGE.into()),
                _ => parsed.selection.prefixes.push(argument),
            }
        }
        Ok(parsed)
    }

    fn installation(&self) -> Result<Installation, Failure> {
        let found = match &self.rules {
            Some(rules) => Some(Installation::find(Path::new(rules))),
            None => Installation::from_environment(),
        };
        let mut found = found.ok_or_else(|| {
            format!("no rules: give --rules DIR or set {ENVIRONMENT} (`make rules` installs them)")
        })??;
        found.tests = self.tests.clone().or(found.tests);
        Ok(found)
    }

    fn edge(&self) -> Result<PathBuf, Failure> {
        match &self.edge {
            Some(edge) => Ok(edge.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("palisade")),
        }
    }
}
