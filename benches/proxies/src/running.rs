//! Processes of a measurement: started on a core of their own, ended with it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::accounting::Family;
use crate::load::{self, Target};
use crate::peer::{Absent, Launch, Peer};
use crate::place::Place;
use palisade_bench_engine::{attacks, requests};

/// nginx and Go read the rule set for seconds on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// The proxy has one core, what loads it and what answers it have another.
const PROXY_CORE: &str = "0";
const OTHER_CORE: &str = "1";

/// Why a process is not there.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing to start.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// It did not start.
    #[error("starting {program}: {source}")]
    Spawn {
        /// What.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It started and does not answer.
    #[error("it does not answer within {}s: {why}; its output: {}", START_DEADLINE.as_secs(), log.display())]
    Silent {
        /// The last attempt.
        why: String,
        /// Its output.
        log: PathBuf,
    },
    /// It answers something else than it should.
    #[error("{method} {uri} should be answered {expected}, not {seen}")]
    Wrong {
        /// Of the request.
        method: &'static str,
        /// Of the request.
        uri: &'static str,
        /// Status.
        expected: u16,
        /// Status.
        seen: u16,
    },
    /// It stopped answering.
    #[error(transparent)]
    Load(#[from] load::LoadError),
}

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// The upstream: this program again.
    pub fn upstream(place: &Place) -> Result<Self, StartError> {
        let launch = Launch {
            program: std::env::current_exe().unwrap_or_default(),
            arguments: vec!["upstream".into(), place.upstream().to_string().into()],
            environment: Vec::new(),
        };
        Self::spawn(&launch, OTHER_CORE, &place.folder.join("upstream.log"))
    }

    /// A proxy that answers, passes what is ordinary, and stops an attack if its WAF is on.
    pub async fn peer(peer: Peer, place: &Place, target: &Target) -> Result<Self, StartError> {
        let launch = peer.prepare(place)?;
        let log = place.folder.join(peer.name()).join("output.log");
        let running = Self::spawn(&launch, PROXY_CORE, &log)?;
        running.answers(target).await?;
        verify(peer, target).await?;
        Ok(running)
    }

    fn spawn(launch: &Launch, core: &str, log: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::Spawn {
            program: launch.program.clone(),
            source,
        };
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let output = File::create(log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let mut command = on_core(core, launch);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = command.spawn().map_err(failed)?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// The process and its children, for accounting.
    #[must_use]
    pub fn family(&self) -> Family {
        Family::of(self.child.id())
    }

    /// Of the process that was started.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    async fn answers(&self, target: &Target) -> Result<(), StartError> {
        let start = Instant::now();
        loop {
            let why = match load::status(target, &requests::get()).await {
                Ok(_) => return Ok(()),
                Err(error) => error.to_string(),
            };
            if start.elapsed() > START_DEADLINE {
                let log = self.log.clone();
                return Err(StartError::Silent { why, log });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Running {
    /// Gently first: a master that is killed leaves its workers behind.
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        for _ in 0..30 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps this process and its threads off the core of the proxies.
pub fn leave_the_proxy_core() {
    if has_two_cores() {
        let id = std::process::id().to_string();
        let command = Command::new("taskset")
            .args(["-a", "-c", "-p", OTHER_CORE, &id])
            .stdout(Stdio::null())
            .status();
        let _ = command;
    }
}

fn on_core(core: &str, launch: &Launch) -> Command {
    let mut command = if has_two_cores() {
        let mut command = Command::new("taskset");
        command.args(["-c", core]).arg(&launch.program);
        command
    } else {
        Command::new(&launch.program)
    };
    command.args(&launch.arguments);
    command.envs(launch.environment.iter().copied());
    command
}

fn has_two_cores() -> bool {
    // Not what this process may use: it is on one core already.
    std::fs::read_to_string("/proc/cpuinfo")
        .is_ok_and(|text| text.lines().filter(|line| line.starts_with("processor")).count() > 1)
}

async fn verify(peer: Peer, target: &Target) -> Result<(), StartError> {
    let blocked = if peer.blocks() { 403 } else { 200 };
    for (request, expected) in [
        (requests::get(), 200),
        (requests::form_post(), 200),
        (attacks::get(), blocked),
        (attacks::form_post(), blocked),
    ] {
        let seen = load::status(target, &request).await?;
        if seen != expected {
            return Err(StartError::Wrong {
                method: request.method,
                uri: request.uri,
                expected,
                seen,
            });
        }
    }
    Ok(())
}
