//! Other programs, with a deadline.

use std::io::{ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::error::RulesError;

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Runs `command` to its end and returns what it wrote to standard output. A program that is absent, fails
/// or is not done within `deadline` is an error that quotes its last words.
pub(super) fn run(command: &mut Command, deadline: Duration) -> Result<Vec<u8>, RulesError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let fail = |reason: String| RulesError::Program {
        program: program.clone(),
        reason,
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => fail("not installed".to_owned()),
        _ => fail(error.to_string()),
    })?;
    let output = collect(child.stdout.take());
    let complaints = collect(child.stderr.take());
    let Some(status) = wait(&mut child, deadline).map_err(|error| fail(error.to_string()))? else {
        return Err(fail(format!("not done after {} s", deadline.as_secs())));
    };
    if !status.success() {
        let words = complaints.recv_timeout(POLL).unwrap_or_default();
        return Err(fail(format!("{status}: {}", last_line(&words))));
    }
    output
        .recv_timeout(deadline)
        .map_err(|_| fail("kept its output open".to_owned()))
}

/// Reads a pipe in a thread of its own: a full pipe would stop the program. The thread ends with the pipe.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        // The receiver is gone if the deadline has passed; nobody wants the bytes then.
        let _ = sender.send(bytes);
    });
    receiver
}

fn wait(child: &mut Child, deadline: Duration) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no message")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> Result<Vec<u8>, RulesError> {
        run(Command::new("sh").args(["-c", script]), deadline)
    }

    #[test]
    fn output_is_returned_and_failure_quotes_the_last_words() {
        let second = Duration::from_secs(5);
        assert_eq!(shell("echo hello", second).unwrap(), b"hello\n");
        let error = shell("echo one >&2; echo E: two >&2; exit 3", second)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "sh: exit status: 3: E: two");
    }

    #[test]
    fn a_program_past_its_deadline_is_stopped() {
        let error = shell("sleep 30", Duration::from_millis(100))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "sh: not done after 0 s");
    }

    #[test]
    fn an_absent_program_is_said_so() {
        let error = run(&mut Command::new("palisade-no-such-program"), POLL)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "palisade-no-such-program: not installed");
    }
}
