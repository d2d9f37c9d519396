//! `palisade incident`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{DEFAULT_CONFIG, Failed, load, say};
use crate::config::LogTarget;
use crate::incident::{Incident, explain};

/// A line of the audit log is a few kilobytes; one without end must not fill the memory.
const LONGEST_LINE: u64 = 16 << 20;

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

/// The last incident of that id.
fn find(path: &Path, id: &str) -> std::io::Result<Option<Incident>> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut found = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut reader, LONGEST_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(found);
        }
        if let Ok(text) = std::str::from_utf8(&line)
            && let Some(incident) = Incident::from_line(text, id)
        {
            found = Some(incident);
        }
    }
}
