//! `external_dns`: our records beside those of external-dns, case by case.
//!
//! The last line is `external-dns: N cases, ...`; the exit code is 1 if a difference is not meant, or if what
//! external-dns writes is not what `tests/external-dns.json` says.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use palisade_tests::external_dns::{ExternalDns, FIXTURE, Findings, Wrote, ask, cases, hold, keep, kept};

const USAGE: &str = "usage: external_dns PROGRAM [--update]
  PROGRAM   what tests/lab/external-dns.sh builds
  --update  keep what external-dns wrote, for `make test`";

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    match comparison().await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "external-dns: {error}");
            ExitCode::from(2)
        }
    }
}

async fn comparison() -> Result<ExitCode, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (program, update) = match arguments.as_slice() {
        [program] => (program, false),
        [program, update] if update == "--update" => (program, true),
        _ => return Err(USAGE.into()),
    };
    let external = ExternalDns {
        program: program.into(),
    };
    let (wrote, findings) = all(&external).await?;
    let mut out = io::stdout();
    for finding in &findings.unexplained {
        writeln!(out, "{finding}")?;
    }
    let mut good = findings.unexplained.is_empty();
    if update {
        keep(&wrote)?;
    } else if kept()? != wrote {
        writeln!(
            out,
            "{FIXTURE} is not what external-dns writes: make external-dns UPDATE=--update"
        )?;
        good = false;
    }
    writeln!(out, "external-dns: {} cases, {findings}", wrote.len())?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn all(external: &ExternalDns) -> Result<(BTreeMap<String, Wrote>, Findings), Failure> {
    let mut all = BTreeMap::new();
    let mut findings = Findings::default();
    for case in cases() {
        let asked = ask(&case, external).await;
        let (wrote, found) = asked.map_err(|error| format!("{}: {error}", case.name))?;
        findings.add(found);
        findings.add(hold(&case, &wrote).await);
        all.insert(case.name.to_owned(), wrote);
    }
    Ok((all, findings))
}
