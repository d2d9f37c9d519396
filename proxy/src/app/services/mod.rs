//! The background services of a configuration: made with it, woken when routes change, replaced when what they are told
//! changes. None of them is on the way of a request.

mod addresses;
mod certificates;
mod challenges;
mod records;
mod retry;
mod zones;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinError, JoinSet};

use crate::acme::{Authorities, Certificates, DiskStore};
use crate::certs::CertificateStore;
use crate::cloudflare::{ApiError, Clients};
use crate::config::Config;
use crate::ddns::{Addresses, Notifier};
use crate::service::{self, Board, Leadership, Service, Surroundings};
use crate::snapshot::SnapshotHandle;

pub use records::addresses;
pub(super) use retry::Retries;

use addresses::{AddressService, wake_on_change};
use certificates::CertificateService;
use challenges::Challenges;
use records::{RecordService, wake_on_address};
use zones::Zones;

/// After a service ended by a bug of its own, all are begun anew this much later.
const PAUSE_AFTER_BUG: Duration = Duration::from_secs(60);

/// For deleting records at the end: a thousand are ten calls.
pub(super) const FAREWELL: Duration = Duration::from_secs(20);

/// For taking away what was published for certificates that are no longer wanted: the new services wait for it.
const LEAVE_WITHIN: Duration = Duration::from_secs(20);

/// What services are made with, and what they tell.
pub(super) struct Supervisor {
    pub(super) snapshots: SnapshotHandle,
    /// As it was at the start: another one takes effect at the next.
    pub(super) data_dir: PathBuf,
    pub(super) certificates: CertificateStore,
    pub(super) generation: watch::Receiver<u64>,
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) board: Board,
    pub(super) retries: Retries,
    /// Whether the edge that stops has no successor.
    pub(super) for_good: Arc<AtomicBool>,
    /// Of all services, and whatever the configuration becomes.
    pub(super) clients: Clients,
}

/// The services of one configuration.
pub(super) struct Crew {
    certificates: Option<CertificateService>,
    config: Arc<Config>,
}

/// What follows services that ran.
enum Next {
    Stop,
    Reload,
}

/// Services that run.
struct Running {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    records: Arc<Notify>,
}

impl Supervisor {
    /// The services of what serves now. Certificates that are stored serve once this returns.
    pub(super) async fn crew(&self) -> Crew {
        let config = Arc::clone(&self.snapshots.load().config);
        let certificates = match config.zones.iter().any(|zone| !zone.certificates.is_empty()) {
            true => {
                let (served, retries) = (self.certificates.clone(), self.retries.clone());
                Some(CertificateService::new(self.issuer(&config), served, retries).await)
            }
            false => {
                self.certificates.publish_issued(Vec::new(), &[]);
                None
            }
        };
        Crew { certificates, config }
    }

    /// Runs services until the edge stops, on a thread of their own: a disk that hangs, or work that takes long, is
    /// none of those who serve requests. What is returned is closed once they have ended.
    pub(super) fn spawn_thread(self, crew: Crew) -> std::io::Result<oneshot::Receiver<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (ended, told) = oneshot::channel();
        let thread = std::thread::Builder::new().name("services".to_owned());
        thread.spawn(move || {
            // Closed even if this ends by a bug.
            let _ended = ended;
            runtime.block_on(self.run(crew));
        })?;
        Ok(told)
    }

    /// Services of `crew`, then those of whatever configuration follows.
    async fn run(mut self, mut crew: Crew) {
        loop {
            let config = Arc::clone(&crew.config);
            let mut running = self.start(crew);
            let next = self.while_the_same(&config, &mut running).await;
            running.stop().await;
            match next {
                Next::Stop => return self.say_farewell().await,
                Next::Reload => self.board.clear(),
            }
            crew = self.crew().await;
            self.change(&config, &crew.config).await;
        }
    }

    /// Until services are told something else, or the edge stops.
    async fn while_the_same(&mut self, config: &Config, running: &mut Running) -> Next {
        loop {
            let ended = tokio::select! {
                changed = self.generation.changed() => match changed {
                    Ok(()) => None,
                    Err(_) => return Next::Stop,
                },
                _ = self.stopped.wait_for(|stopped| *stopped) => return Next::Stop,
                Some(ended) = running.tasks.join_next() => Some(ended),
            };
            if let Some(ended) = ended {
                self.tell_bug(ended);
                tokio::time::sleep(PAUSE_AFTER_BUG).await;
                return Next::Reload;
            }
            if !told_the_same(config, &self.snapshots.load().config) {
                return Next::Reload;
            }
            running.records.notify_one();
        }
    }

    /// Services do not end by themselves.
    fn tell_bug(&self, ended: Result<(), JoinError>) {
        let why = match ended {
            Err(error) => format!("a background service broke off, which is a bug in Palisade: {error}"),
            Ok(()) => "a background service ended, which is a bug in Palisade".to_owned(),
        };
        tracing::error!("{why}");
        self.board.broken(&why);
    }

    /// Takes our records away, where that is wished for and no other process takes over.
    async fn say_farewell(&self) {
        let config = Arc::clone(&self.snapshots.load().config);
        if !config.dns.delete_on_stop || !self.for_good.load(Ordering::Relaxed) {
            return;
        }
        let deleted = records::delete(self.clients.clone(), &config);
        if tokio::time::timeout(FAREWELL, deleted).await.is_err() {
            tracing::warn!("not all of our DNS records could be deleted in time");
        }
    }

    /// Another configuration: what only the one before looked after is tidied up while that is still known, and what
    /// failed by its word is tried again by that of the new one.
    async fn change(&self, before: &Config, after: &Config) {
        if (&before.zones, &before.acme) == (&after.zones, &after.acme) {
            return;
        }
        let wanted: Vec<String> = names(after).collect();
        let left = self.issuer(before);
        if tokio::time::timeout(LEAVE_WITHIN, left.leave(&wanted))
            .await
            .is_err()
        {
            tracing::warn!("challenges of certificates that are no longer wanted may still be published");
        }
        self.retries.ask(wanted);
    }

    fn issuer(&self, config: &Config) -> Certificates {
        let zones = Zones::new(&config.zones, self.clients.clone());
        Certificates::new(
            &config.zones,
            &config.acme,
            Arc::new(DiskStore::new(&self.data_dir)),
            Arc::new(Challenges::new(zones)),
            Authorities::new(config.acme.nameservers.clone()),
        )
    }

    fn start(&self, crew: Crew) -> Running {
        let Crew { certificates, config } = crew;
        let mut running = Running {
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
            records: Arc::new(Notify::new()),
        };
        if let Some(certificates) = certificates {
            self.spawn(&mut running, certificates, self.retries.wake());
        }
        if !config.zones.iter().any(|zone| zone.records) {
            return running;
        }
        let (found, address) = watch::channel(None);
        let records = RecordService::new(self.clients.clone(), self.snapshots.clone(), address.clone());
        let wake_records = Arc::clone(&running.records);
        self.spawn(&mut running, records, Arc::clone(&wake_records));
        if config.ddns.ipv4.is_empty() && config.ddns.ipv6.is_empty() {
            return running;
        }
        let addresses = AddressService::new(
            Addresses::new(config.ddns.clone(), &self.data_dir),
            Notifier::new(config.ddns.pings.clone()),
            config.ddns.interval,
            found,
            self.board.clone(),
        );
        let wake = Arc::new(Notify::new());
        running.tasks.spawn(wake_on_change(Arc::clone(&wake)));
        let board = self.board.clone();
        running
            .tasks
            .spawn(wake_on_address(config, address, board, wake_records));
        self.spawn(&mut running, addresses, wake);
        running
    }

    fn spawn(&self, running: &mut Running, service: impl Service + 'static, wake: Arc<Notify>) {
        let around = Surroundings {
            leadership: Leadership::always(),
            stopped: running.stop.subscribe(),
            wake,
            board: self.board.clone(),
        };
        running.tasks.spawn(service::run(service, around));
    }
}

impl Running {
    /// A round that is under way is broken off: the next one comes to the same end.
    async fn stop(mut self) {
        self.stop.send_replace(true);
        self.tasks.shutdown().await;
    }
}

/// Whether two configurations tell services the same. Routes are not among it: records look at them anew each round.
fn told_the_same(before: &Config, after: &Config) -> bool {
    (&before.zones, &before.acme, &before.ddns) == (&after.zones, &after.acme, &after.ddns)
}

/// What a configuration's certificates are called.
pub(super) fn names(config: &Config) -> impl Iterator<Item = String> + '_ {
    let names = config.zones.iter().flat_map(|zone| &zone.certificates);
    names.cloned()
}

/// An API's error with what to do about it.
fn advised(error: &ApiError) -> String {
    match error.advice() {
        Some(advice) => format!("{error} ({advice})"),
        None => error.to_string(),
    }
}
