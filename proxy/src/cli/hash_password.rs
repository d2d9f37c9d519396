//! `palisade hash-password`.

use std::io::{BufRead, IsTerminal, stdin};

use clap::Args;

use super::{Failed, output, say};
use crate::access::password;

/// Longer ones are a file that was piped here by mistake.
const LONGEST: usize = 1024;

/// For whom.
#[derive(Debug, Args)]
pub(super) struct HashPasswordArguments {
    /// Print a whole line for `users` or a file of them.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Reads a password from standard input, never from an argument, which others on the machine can see; prints its hash.
pub(super) fn run(arguments: &HashPasswordArguments) -> Result<(), Failed> {
    if stdin().is_terminal() {
        output::progress("The password, and Enter (it shows as you type):");
    }
    let mut line = Vec::new();
    stdin().lock().read_until(b'\n', &mut line).map_err(say)?;
    let password = line.strip_suffix(b"\n").unwrap_or(&line);
    let password = password.strip_suffix(b"\r").unwrap_or(password);
    match password.len() {
        0 => return Err(say("no password came on standard input")),
        1..=LONGEST => {}
        _ => return Err(say(format!("a password of more than {LONGEST} bytes"))),
    }
    let hash = password::hash(password).map_err(say)?;
    output::line(&match &arguments.user {
        Some(name) if name.contains(':') => return Err(say("a user's name holds no `:`")),
        Some(name) => format!("{name}:{hash}"),
        None => hash,
    });
    Ok(())
}
