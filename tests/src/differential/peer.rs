//! Another engine: a process of `tests/lab/`, which speaks frames on its pipes.

use std::fmt;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use super::observation::Observation;
use super::setup::RuleFiles;
use super::views::View;
use super::wire;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Engine {
    /// The Go module.
    Coraza,
    /// libmodsecurity 3.
    Modsecurity,
}

impl Engine {
    pub(super) const ALL: [Engine; 2] = [Engine::Coraza, Engine::Modsecurity];

    fn program(self) -> &'static str {
        match self {
            Engine::Coraza => "coraza",
            Engine::Modsecurity => "modsecurity",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.program())
    }
}

/// A running engine; one that dies is started again.
pub(super) struct Peer {
    pub engine: Engine,
    command: Command,
    views: Vec<String>,
    running: Running,
    answers: bool,
}

struct Running {
    child: Child,
    stdin: BufWriter<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it from the folder that `tests/lab/build.sh` fills.
    pub(super) fn start(engine: Engine, lab: &Path, files: &RuleFiles, views: &[View]) -> io::Result<Self> {
        let views: Vec<String> = views.iter().map(View::key).collect();
        let mut command = Command::new(lab.join(engine.program()));
        command
            .arg(files.detecting())
            .arg(files.blocking())
            .arg(views.join(","));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let running = Running::start(&mut command)?;
        Ok(Self {
            engine,
            command,
            views,
            running,
            answers: false,
        })
    }

    /// Asks it about all of them, in order.
    pub(super) fn observe(&mut self, frames: &[Vec<u8>]) -> io::Result<Vec<Observation>> {
        let mut seen = Vec::with_capacity(frames.len());
        while seen.len() < frames.len() {
            let before = seen.len();
            self.running.ask(&frames[before..], &self.views, &mut seen);
            self.answers |= seen.len() > before;
            if !self.answers {
                return Err(io::Error::other(format!(
                    "{} ends before its first answer",
                    self.engine
                )));
            }
            if seen.len() < frames.len() {
                seen.push(Observation {
                    crashed: true,
                    ..Observation::default()
                });
                self.running = Running::start(&mut self.command)?;
            }
        }
        Ok(seen)
    }
}

impl Running {
    fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let missing = || io::Error::other("the pipe is missing");
        let stdin = BufWriter::new(child.stdin.take().ok_or_else(missing)?);
        let stdout = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Self { child, stdin, stdout })
    }

    /// As many answers as come: fewer than frames if the process dies.
    fn ask(&mut self, frames: &[Vec<u8>], views: &[String], seen: &mut Vec<Observation>) {
        let Self { stdin, stdout, .. } = self;
        thread::scope(|scope| {
            scope.spawn(|| {
                let sent = frames.iter().try_for_each(|frame| stdin.write_all(frame));
                sent.and_then(|()| stdin.flush())
            });
            for _ in frames {
                match wire::observation(stdout, views) {
                    Ok(observation) => seen.push(observation),
                    Err(_) => break,
                }
            }
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
