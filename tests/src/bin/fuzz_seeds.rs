//! `fuzz_seeds`: the regression tests and the rules of an installed CRS as seeds of the engine's fuzz targets.
//!
//! They go where the fuzzer keeps what it finds interesting, outside the repository: their text is not ours.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use palisade_tests::corpus::wire::Message;
use palisade_tests::corpus::{Installation, request, suite};
use palisade_tests::sources::repository;

const USAGE: &str = "usage: fuzz_seeds CRS-DIRECTORY";

/// The fuzzer's bound: longer seeds would be cut.
const LONGEST: usize = 8192;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match seeds() {
        Ok((requests, rules)) => {
            let _ = writeln!(
                io::stdout(),
                "fuzz seeds: {requests} requests, {rules} pieces of rules"
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "fuzz_seeds: {error}");
            ExitCode::FAILURE
        }
    }
}

fn seeds() -> Result<(usize, usize), Failure> {
    let root = std::env::args().nth(1).ok_or(USAGE)?;
    let installation = Installation::find(Path::new(&root))?;
    let corpus = repository().join("waf/fuzz/corpus");
    Ok((requests(&installation, &corpus)?, rules(&installation, &corpus)?))
}

/// Each stage's request, for the targets that take whole exchanges.
fn requests(installation: &Installation, corpus: &Path) -> Result<usize, Failure> {
    let Some(tests) = &installation.tests else {
        return Ok(0);
    };
    let mut count = 0;
    for stage in suite::load(tests)?
        .into_iter()
        .flat_map(|file| file.tests)
        .flatten()
    {
        let Ok(wire) = request::bytes(&stage.input) else {
            continue;
        };
        let text = exchange(&Message::parse(&wire));
        for target in ["crs", "transaction"] {
            write(&corpus.join(target), &format!("crs-{}", stage.id), &text)?;
        }
        count += 1;
    }
    Ok(count)
}

/// The message as the targets read it.
fn exchange(message: &Message) -> Vec<u8> {
    let mut text = [&message.method[..], &message.target, &message.protocol].join(&b' ');
    for (name, value) in &message.headers {
        text.extend([b"\n", &name[..], b": ", value].concat());
    }
    text.extend(b"\n\n");
    text.extend(&message.body);
    text
}

/// The rules, in pieces between empty lines.
fn rules(installation: &Installation, corpus: &Path) -> Result<usize, Failure> {
    let pattern = installation.root.join(&installation.rules);
    let folder = pattern.parent().ok_or("the rules lie in no folder")?;
    let mut count = 0;
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "conf") {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        for piece in text.split("\n\n").filter(|piece| piece.contains("Sec")) {
            write(&corpus.join("seclang"), &format!("crs-{count}"), piece.as_bytes())?;
            count += 1;
        }
    }
    Ok(count)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > LONGEST {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name), bytes)
}
