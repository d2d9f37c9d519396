//! The process: runtime, signals, and what systemd is told.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};

use super::{App, Running, StartError, descriptors};
use crate::handover::Successor;

/// What a successor is started with.
const UPGRADE: &str = "--upgrade";

/// Runs the edge until SIGTERM or SIGINT; SIGHUP reloads, SIGUSR2 starts a successor. With `upgrade` it takes the
/// sockets of the edge that runs.
pub fn run(config: &Path, upgrade: bool) -> Result<(), StartError> {
    // Before a new binary stands in its place: then its path would be that of a deleted file.
    let binary = std::env::current_exe();
    let app = match upgrade {
        true => App::build_upgrade(config)?,
        false => App::build(config)?,
    };
    let config = Arc::clone(&app.reloader.snapshots.load().config);
    descriptors::raise(config.listen.max_connections);
    // Workers have their own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("edge")
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    runtime.block_on(async {
        let running = app.start().await?;
        announce(&running);
        match until_ended(&running, binary).await.map_err(StartError::Runtime)? {
            End::Signal => {
                tell_systemd(&[NotifyState::Stopping]);
                running.stop().await;
            }
            End::Succeeded(successor) => running.give_way(successor).await,
        }
        Ok(())
    })
}

/// Why it ends.
enum End {
    Signal,
    Succeeded(Successor),
}

fn announce(running: &Running) {
    let addresses = running.addresses();
    let admin = addresses.admin.map(tracing::field::display);
    info!(https = ?addresses.https, http = ?addresses.http, admin, "serving");
    tell_systemd(&[NotifyState::Ready, NotifyState::MainPid(std::process::id())]);
}

/// Nobody may be there to listen.
fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

async fn until_ended(running: &Running, binary: std::io::Result<PathBuf>) -> std::io::Result<End> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut upgrade = signal(SignalKind::user_defined2())?;
    let succeeded = running.succeeded();
    tokio::pin!(succeeded);
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(End::Signal),
            _ = interrupt.recv() => return Ok(End::Signal),
            successor = &mut succeeded => return Ok(End::Succeeded(successor)),
            _ = hangup.recv() => {
                // The reload logs and counts its own failure.
                let _ = running.reload().await;
            }
            _ = upgrade.recv() => match &binary {
                Ok(binary) => start_successor(binary),
                Err(error) => error!(%error, "no upgrade: it is not known which file this process was started from"),
            }
        }
    }
}

/// The file may hold another version by now; the arguments stay.
fn start_successor(binary: &Path) {
    let mut command = Command::new(binary);
    command.args(std::env::args_os().skip(1).filter(|argument| argument != UPGRADE));
    command.arg(UPGRADE);
    match command.spawn() {
        Ok(mut child) => {
            info!(binary = %binary.display(), pid = child.id(), "a successor starts");
            tokio::spawn(async move { tell_end(child.wait().await) });
        }
        Err(error) => error!(binary = %binary.display(), %error, "no successor can be started"),
    }
}

/// Seen only while this edge is there: of a successor that did not take over.
fn tell_end(ended: std::io::Result<ExitStatus>) {
    match ended {
        Ok(status) => error!(%status, "the successor has ended, and said why; this edge goes on"),
        Err(error) => error!(%error, "the successor is not known to run"),
    }
}
