//! The process: runtime and signals.

use std::num::NonZeroUsize;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use super::{App, Running, StartError};

/// Runs the edge until SIGTERM or SIGINT; SIGHUP reloads.
pub fn run(config: &Path) -> Result<(), StartError> {
    let app = App::build(config)?;
    let workers = workers(app.reloader.snapshots.load().config.server.workers);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("edge")
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    runtime.block_on(async {
        let running = app.start().await?;
        announce(&running);
        until_stopped(&running).await.map_err(StartError::Runtime)?;
        running.stop().await;
        Ok(())
    })
}

/// One per core unless the configuration says otherwise.
pub(super) fn workers(configured: Option<NonZeroUsize>) -> usize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    configured.unwrap_or_else(cores).get()
}

fn announce(running: &Running) {
    let addresses = running.addresses();
    let admin = addresses.admin.map(tracing::field::display);
    info!(https = ?addresses.https, http = ?addresses.http, admin, "serving");
}

async fn until_stopped(running: &Running) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => {
                // The reload logs and counts its own failure.
                let _ = running.reload().await;
            }
        }
    }
}
