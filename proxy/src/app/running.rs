//! An edge that accepts requests, and how it stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify, Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::ReloadError;
use super::counts::Remainder;
use super::reload::Reloader;
use super::services::{FAREWELL, Retries, names};
use super::sockets::Addresses;
use super::workers::Workers;
use crate::admin::Readiness;
use crate::handover::{Offer, Successor};
use crate::listen::ConnectionEnds;
use crate::telemetry::Sink;

/// Background services that are in the midst of a request to an API end it in this time. They may be broken off
/// anywhere; this is so that a successor's do not meet them.
const END_OF_SERVICES: Duration = Duration::from_secs(10);

/// A small file is written in this time, or the disk is stuck.
const END_OF_BANS: Duration = Duration::from_secs(2);

/// A connection that was accepted last sends its request in this time, or has none: a few round trips.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// An edge that accepts requests.
pub struct Running {
    pub(super) addresses: Addresses,
    pub(super) reloader: Arc<Reloader>,
    /// Reloads come one after another, wherever they come from.
    pub(super) turn: Arc<Mutex<()>>,
    /// Tells the watch on files that others may be in use now.
    pub(super) reloaded: Arc<Notify>,
    pub(super) retries: Retries,
    /// Tells background services that nobody comes after them.
    pub(super) for_good: Arc<AtomicBool>,
    pub(super) logs: [Sink; 3],
    pub(super) readiness: Readiness,
    pub(super) ends: Ends,
    pub(super) tasks: JoinSet<()>,
    pub(super) workers: Workers,
    pub(super) connections: Connections,
    /// None where sockets cannot be handed over.
    pub(super) offer: Option<Offer>,
    /// Closed once they have ended.
    pub(super) services: oneshot::Receiver<()>,
    /// Closed once bans are not written any more.
    pub(super) bans_kept: oneshot::Receiver<()>,
    pub(super) grace: Duration,
    pub(super) drain_delay: Duration,
}

/// What ends one after another, each once its flag is true.
pub(super) struct Ends {
    /// Connections, with the answer that each is at.
    pub(super) connections: Flag,
    /// Connections that wait for a request.
    pub(super) idle: Flag,
    /// Accepting, and background services.
    pub(super) accepting: watch::Sender<bool>,
    /// The admin listener: those who watch the edge drain still need it.
    pub(super) admin: watch::Sender<bool>,
    /// The echo, which requests in flight still need.
    pub(super) echo: watch::Sender<bool>,
}

/// A flag for all connections. One channel for each worker: connections look at it with each request, and a channel has
/// locks.
pub(super) struct Flag(Vec<watch::Sender<bool>>);

/// The cap on connections, which also tells when all are gone.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) permits: Arc<Semaphore>,
    cap: u32,
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Takes a new configuration, as SIGHUP does; also reopens log files, and tries certificates again that failed:
    /// somebody is at work here.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        self.logs.iter().for_each(Sink::reopen);
        let result = super::reload::in_turn(&self.reloader, &self.turn).await;
        self.reloaded.notify_one();
        self.retries.ask(names(&self.reloader.snapshots.load().config));
        result
    }

    /// Until another process serves on this one's sockets, if ever: then [`Running::give_way`].
    pub async fn succeeded(&self) -> Successor {
        match &self.offer {
            Some(offer) => {
                let metrics = &self.reloader.metrics;
                offer.taken(&|text| super::counts::add(metrics, text)).await
            }
            None => std::future::pending().await,
        }
    }

    /// Drains: for `drain_delay` requests are served, and each answer ends its connection; then nothing is accepted any
    /// more. Returns once requests in flight have their answers, or after the grace.
    pub async fn stop(mut self) {
        let since = Instant::now();
        self.readiness.set(false);
        self.ends.connections.raise();
        tokio::time::sleep(self.drain_delay.min(self.grace)).await;
        // The offer has the sockets too: with it connections would wait for nobody.
        self.offer = None;
        self.for_good.store(true, Ordering::Relaxed);
        self.ends.accepting.send_replace(true);
        let _ = tokio::time::timeout(END_OF_BANS, &mut self.bans_kept).await;
        // Records that go with the edge take calls of the API.
        let farewell = match self.reloader.snapshots.load().config.dns.delete_on_stop {
            true => FAREWELL,
            false => Duration::ZERO,
        };
        let (_, ended) = oneshot::channel();
        let services = std::mem::replace(&mut self.services, ended);
        let _ = tokio::join!(
            self.drain(since, FIRST_REQUEST),
            tokio::time::timeout(farewell, services)
        );
    }

    /// The same for an edge whose successor accepts already: this one accepts nothing from now on.
    pub async fn give_way(mut self, mut successor: Successor) {
        let since = Instant::now();
        info!("a successor serves; this edge drains");
        self.ends.admin.send_replace(true);
        self.ends.accepting.send_replace(true);
        self.ends.connections.raise();
        let offer = self.offer.take();
        let remainder = Remainder::of(&self.reloader.metrics, &mut successor, offer).await;
        if tokio::time::timeout(END_OF_SERVICES, &mut self.services)
            .await
            .is_err()
        {
            warn!("background services do not end; the successor's begin all the same");
        }
        // It reads what was written last.
        let _ = tokio::time::timeout(END_OF_BANS, &mut self.bans_kept).await;
        successor.tell_draining().await;
        let quiet = self.drain_delay.max(FIRST_REQUEST);
        self.drain(since, quiet).await;
        if let Some(remainder) = remainder {
            remainder.settle().await;
        }
    }

    /// Nothing is accepted any more; connections without a request have `quiet` to send one.
    async fn drain(self, since: Instant, quiet: Duration) {
        let Self {
            ends,
            mut tasks,
            workers,
            connections,
            grace,
            logs,
            ..
        } = self;
        let closed = connections.all_closed();
        tokio::pin!(closed);
        let left = || grace.saturating_sub(since.elapsed());
        let mut ended = tokio::time::timeout(quiet.min(left()), &mut closed).await;
        if ended.is_err() {
            // Idle keep-alive connections end now; busy ones after their request.
            ends.idle.raise();
            ended = tokio::time::timeout(left(), closed).await;
        }
        if ended.is_err() {
            warn!(?grace, "requests still in flight after the grace; closing them");
        }
        ends.admin.send_replace(true);
        ends.echo.send_replace(true);
        tasks.abort_all();
        while tasks.join_next().await.is_some() {}
        workers.end().await;
        let _ = tokio::task::spawn_blocking(move || logs.iter().for_each(Sink::flush)).await;
        info!("stopped");
    }
}

impl Ends {
    pub(super) fn new(workers: usize) -> Self {
        let no = || watch::Sender::new(false);
        Self {
            connections: Flag::new(workers),
            idle: Flag::new(workers),
            accepting: no(),
            admin: no(),
            echo: no(),
        }
    }

    /// As each worker's connections are told them.
    pub(super) fn of_connections(&self) -> impl Iterator<Item = ConnectionEnds> {
        let pairs = self.connections.0.iter().zip(&self.idle.0);
        pairs.map(|(drain, idle)| ConnectionEnds {
            drain: drain.subscribe(),
            idle: idle.subscribe(),
        })
    }
}

impl Flag {
    fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| watch::Sender::new(false)).collect())
    }

    fn raise(&self) {
        for worker in &self.0 {
            worker.send_replace(true);
        }
    }
}

impl Connections {
    pub(super) fn new(cap: usize) -> Self {
        let cap = u32::try_from(cap.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            permits: Arc::new(Semaphore::new(cap as usize)),
            cap,
        }
    }

    /// Until all are gone; none is accepted any more then, even by a worker that was too busy to hear that it is to stop.
    async fn all_closed(&self) {
        if let Ok(all) = self.permits.acquire_many(self.cap).await {
            all.forget();
        }
    }
}
