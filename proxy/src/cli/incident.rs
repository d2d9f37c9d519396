//! `palisade incident`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::backwards::LinesFromEnd;
use super::{DEFAULT_CONFIG, Failed, load, say};
use crate::config::LogTarget;
use crate::incident::{Incident, explain};

/// A line of the audit log is a few kilobytes; one without end must not fill the memory.
const LONGEST_LINE: usize = 16 << 20;

/// Which incident.
#[derive(Debug, Args)]
pub(super) struct IncidentArguments {
    /// The number that the visitor was shown.
    id: String,
    /// The configuration, which names the audit log.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// The audit log, if it is elsewhere by now.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// Finds the incident in the audit log and explains it.
pub(super) fn run(arguments: &IncidentArguments) -> Result<(), Failed> {
    let path = match &arguments.log {
        Some(path) => path.clone(),
        None => audit_log(&arguments.config)?,
    };
    let id = arguments.id.trim();
    if id.len() < 8 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(say(format!(
            "{id:?} is no incident number: 24 hexadecimal digits expected"
        )));
    }
    match find(&path, id).map_err(|error| say(format!("{}: {error}", path.display())))? {
        Some(incident) => {
            print!("{}", explain(&incident));
            Ok(())
        }
        None => Err(say(format!(
            "no incident {id} in {}; an older log may have it: --log FILE",
            path.display()
        ))),
    }
}

fn audit_log(config: &Path) -> Result<PathBuf, Failed> {
    match load(config)?.log.audit {
        LogTarget::File(path) => Ok(path),
        _ => Err(say(
            "the configuration writes no audit log file ([log].audit); name one with --log FILE",
        )),
    }
}

/// The last incident of that id. What is no file, such as a pipe, is read from its beginning.
fn find(path: &Path, id: &str) -> io::Result<Option<Incident>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return find_forwards(BufReader::new(file), id);
    }
    for line in LinesFromEnd::new(file, LONGEST_LINE)? {
        if let Some(incident) = incident(&line?, id) {
            return Ok(Some(incident));
        }
    }
    Ok(None)
}

fn find_forwards(mut reader: impl BufRead, id: &str) -> io::Result<Option<Incident>> {
    let mut found = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader
            .by_ref()
            .take(LONGEST_LINE as u64)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(found);
        }
        found = incident(&line, id).or(found);
    }
}

fn incident(line: &[u8], id: &str) -> Option<Incident> {
    Incident::from_line(std::str::from_utf8(line).ok()?, id)
}
