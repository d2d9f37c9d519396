//! From an edge that is ready to one that accepts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify, oneshot, watch};
use tokio::task::JoinSet;
use tracing::warn;

use super::build::App;
use super::gauge::Tally;
use super::reload::Reloader;
use super::running::{Connections, Ends, Running};
use super::services::{Retries, Supervisor};
use super::wiring::{Public, Wiring};
use super::workers::{self, Workers};
use super::{StartError, status, upkeep, wiring};
use crate::admin::Readiness;
use crate::cloudflare::Clients;
use crate::handover::{Offer, Predecessor, Socket};
use crate::listen::{self, Spread};
use crate::service::Board;
use crate::telemetry::Metrics;
use crate::watch::FileWatch;

impl App {
    /// Starts accepting, once every certificate that is stored can be served.
    pub async fn start(self) -> Result<Running, StartError> {
        let Self {
            reloader,
            parts,
            sockets,
            addresses,
            files,
            predecessor,
            restored,
        } = self;
        let config = Arc::clone(&reloader.snapshots.load().config);
        let workers = workers::count(config.server.workers);
        let (ends, spread) = (Ends::new(workers), Spread::over(workers));
        let workers = Workers::start(workers).map_err(StartError::Runtime)?;
        let stopped = ends.accepting.subscribe();
        let connections = Connections::new(config.listen.max_connections);
        let readiness = Readiness::default();
        let logs = [parts.access.clone(), parts.audit.clone(), parts.matches.clone()];
        let board = Board::default();
        let (retries, for_good) = (Retries::default(), Arc::new(AtomicBool::new(false)));
        let admin = status::admin(
            &reloader,
            &logs,
            &readiness,
            &board,
            &retries,
            (&parts.bans, &spread),
        );
        let supervisor = Supervisor {
            snapshots: reloader.snapshots.clone(),
            data_dir: config.server.data_dir.clone(),
            certificates: reloader.certificates.clone(),
            generation: reloader.generation.subscribe(),
            stopped: stopped.clone(),
            board,
            retries: retries.clone(),
            for_good: Arc::clone(&for_good),
            clients: Clients::new(),
        };
        let crew = supervisor.crew().await;
        let offered = sockets.offered(&config.listen).map_err(StartError::Runtime)?;
        let mut tasks = JoinSet::new();
        let bans = Arc::clone(&parts.bans);
        let mut wiring = Wiring {
            tasks: &mut tasks,
            ends: &ends,
            gauge: Arc::new(Tally::new(&parts)),
        };
        let public = Public {
            tls: wiring::tls(&config, &reloader)?,
            redirect: wiring::redirect(&config, &addresses, &parts),
            config: &config,
            parts,
            connections: &connections,
            spread: &spread,
        };
        wiring.serve_public(&sockets, &workers, &public)?;
        wiring.serve_sides(sockets, admin, &Handle::current());
        // Requests that drain may still need a name.
        let (generation, ended) = (reloader.generation.subscribe(), ends.echo.subscribe());
        upkeep::spawn_thread(reloader.snapshots.clone(), generation, ended).map_err(StartError::Runtime)?;
        readiness.set(true);
        if replace(predecessor, &reloader.metrics).await {
            restored.renew(&bans, &reloader.snapshots.load().config);
        }
        let (done, bans_kept) = oneshot::channel();
        let snapshots = reloader.snapshots.clone();
        tasks.spawn(super::bans::keep(
            bans,
            restored,
            snapshots,
            stopped.clone(),
            done,
        ));
        // From here on nobody else serves: what fails now is said, and no reason to end.
        let offer = offer(config.server.upgrade_socket.as_deref(), offered);
        let services = supervisor.spawn_thread(crew).unwrap_or_else(|error| {
            tracing::error!(%error, "background services cannot be started; requests are served");
            oneshot::channel().1
        });
        let reloader = Arc::new(reloader);
        let turn = Arc::new(Mutex::new(()));
        let reloaded = Arc::new(Notify::new());
        tasks.spawn(reload_on_change(
            Arc::clone(&reloader),
            Arc::clone(&turn),
            Arc::clone(&reloaded),
            files,
            stopped,
        ));
        Ok(Running {
            addresses,
            reloader,
            turn,
            reloaded,
            retries,
            for_good,
            logs,
            readiness,
            ends,
            tasks,
            workers,
            connections,
            offer,
            services,
            bans_kept,
            grace: config.server.grace,
            drain_delay: config.server.drain_delay,
        })
    }
}

/// The sockets for a successor. Without it the edge serves as well.
fn offer(path: Option<&Path>, sockets: Vec<Socket>) -> Option<Offer> {
    let path = path?;
    let offer = Offer::open(path, sockets);
    let told = offer.inspect_err(|error| {
        warn!(path = %path.display(), %error, "no upgrade without a pause will be possible");
    });
    told.ok()
}

/// From here on this edge serves alone, and its background services may begin. Whether there was another.
async fn replace(predecessor: Option<Predecessor>, metrics: &Arc<Metrics>) -> bool {
    let Some(predecessor) = predecessor else {
        return false;
    };
    let heir = Arc::clone(metrics);
    let inherit = move |text: Option<String>| super::counts::inherit(&heir, text.as_deref());
    let replaced = tokio::task::spawn_blocking(move || predecessor.replace(inherit)).await;
    if let Err(error) = replaced.unwrap_or_else(|broken| Err(std::io::Error::other(broken))) {
        warn!(%error, "the edge before did not say that it drains");
    }
    true
}

async fn reload_on_change(
    reloader: Arc<Reloader>,
    turn: Arc<Mutex<()>>,
    reloaded: Arc<Notify>,
    mut files: FileWatch,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let watched = reloader.files();
        files.watch(watched.iter().map(std::path::PathBuf::as_path));
        tokio::select! {
            () = files.changed() => {
                // The reload logs and counts its own failure.
                let _ = super::reload::in_turn(&reloader, &turn).await;
            }
            () = reloaded.notified() => {}
            () = listen::stop_requested(&mut stopped) => return,
        }
    }
}
