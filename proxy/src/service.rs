//! What every background service is: it looks, plans, applies, publishes; then it waits for its next round. It ends
//! with the edge, it works only while this replica leads, and whatever goes wrong is state that can be asked for.
//! Nothing here is on the way of a request.

use std::collections::BTreeMap;
use std::mem::replace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

/// After a failed round the next comes this much later, twice as much after each further one.
const FIRST_RETRY: Duration = Duration::from_secs(10);

/// However often a round has failed, the next comes within this.
const LAST_RETRY: Duration = Duration::from_secs(15 * 60);

/// One background service.
#[async_trait]
pub trait Service: Send {
    /// What it is called in logs, in `palisade status` and in metrics.
    fn name(&self) -> &'static str;

    /// Looks, plans, applies, publishes. Dropped half-way if leadership is lost or the edge stops: the next round has to
    /// come to the same end.
    async fn round(&mut self) -> Round;

    /// What there is to tell, besides how the last round went.
    fn detail(&self) -> serde_json::Value;
}

/// How a round went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Round {
    /// All is as it should be; look again after this time.
    Settled(Duration),
    /// Not all is.
    Troubled {
        /// What is wrong and what to do about it, for people.
        why: String,
        /// When to try again, if the service knows better than to back off.
        again: Option<Duration>,
    },
}

/// Whether this replica leads.
#[derive(Debug, Clone)]
pub struct Leadership(watch::Receiver<bool>);

/// How the services stand: written by each, read by whoever asks. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    services: BTreeMap<&'static str, Status>,
    /// When each last had a round without trouble, whatever configuration it was of.
    succeeded: BTreeMap<&'static str, OffsetDateTime>,
}

/// How one service stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// When its last round ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_round: Option<OffsetDateTime>,
    /// When its last round without trouble ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_success: Option<OffsetDateTime>,
    /// When its next round is due.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_round: Option<OffsetDateTime>,
    /// Rounds with trouble since the last one without.
    pub failures: u32,
    /// What is wrong.
    pub trouble: Option<String>,
    /// The service's own words.
    pub detail: serde_json::Value,
}

/// What ends or wakes a service.
#[derive(Clone)]
pub struct Surroundings {
    /// Whether this replica leads.
    pub leadership: Leadership,
    /// Becomes true when the edge stops.
    pub stopped: watch::Receiver<bool>,
    /// Wakes the service before its time.
    pub wake: Arc<Notify>,
    /// Where it tells how it stands.
    pub board: Board,
}

/// Runs a service until the edge stops.
pub async fn run(mut service: impl Service, mut around: Surroundings) {
    let mut failures = 0;
    around.board.enter(&service);
    loop {
        let round = tokio::select! {
            round = lead(&mut service, &mut around.leadership) => round,
            _ = around.stopped.wait_for(|stopped| *stopped) => return,
        };
        let wait = match &round {
            Round::Settled(next) => *next,
            Round::Troubled { again, .. } => again.unwrap_or_else(|| backoff(failures, &mut rand::rng())),
        };
        failures = around.board.record(&service, round, wait);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = around.wake.notified() => {}
            _ = around.stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// One round while this replica leads; begun anew if leadership is lost and comes back.
async fn lead(service: &mut impl Service, leadership: &mut Leadership) -> Round {
    loop {
        leadership.gained().await;
        tokio::select! {
            round = service.round() => return round,
            () = leadership.lost() => info!(service = service.name(), "no longer leading: the round is broken off"),
        }
    }
}

/// Between half of the time and all of it: many edges that lost the same server do not come back at once.
fn backoff(failures: u32, random: &mut impl Rng) -> Duration {
    let most = FIRST_RETRY.saturating_mul(1 << failures.min(16)).min(LAST_RETRY);
    random.random_range(most / 2..=most)
}

impl Leadership {
    /// Of an edge without replicas.
    pub fn always() -> Self {
        let (leads, leadership) = watch::channel(true);
        drop(leads);
        Self(leadership)
    }

    /// Tells of a leadership that comes and goes.
    pub fn new(leads: watch::Receiver<bool>) -> Self {
        Self(leads)
    }

    async fn gained(&mut self) {
        // Whoever told of it is gone with what it said last.
        if self.0.wait_for(|leads| *leads).await.is_err() && !*self.0.borrow() {
            std::future::pending::<()>().await;
        }
    }

    async fn lost(&mut self) {
        if self.0.wait_for(|leads| !*leads).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Board {
    /// How each service stands.
    pub fn read(&self) -> BTreeMap<&'static str, Status> {
        self.entries().services.clone()
    }

    /// Forgets services that are no longer configured. Those that are begin anew, and it stays known when they last had
    /// a round without trouble.
    pub fn clear(&self) {
        self.entries().services.clear();
    }

    /// From now on it has an entry.
    fn enter(&self, service: &impl Service) {
        let detail = service.detail();
        let mut entries = self.entries();
        let succeeded = entries.succeeded.get(service.name()).copied();
        let status = entries.services.entry(service.name()).or_default();
        status.detail = detail;
        status.last_success = status.last_success.or(succeeded);
    }

    /// A service that ended by a bug of its own is in trouble.
    pub fn broken(&self, why: &str) {
        for status in self.entries().services.values_mut() {
            status.trouble.get_or_insert_with(|| why.to_owned());
            status.failures = status.failures.saturating_add(1);
        }
    }

    /// Writes down how a round went; says in the log what changed. Returns the failures in a row.
    fn record(&self, service: &impl Service, round: Round, wait: Duration) -> u32 {
        let (now, name, detail) = (OffsetDateTime::now_utc(), service.name(), service.detail());
        let mut entries = self.entries();
        if matches!(round, Round::Settled(_)) {
            entries.succeeded.insert(name, now);
        }
        let status = entries.services.entry(name).or_default();
        status.last_round = Some(now);
        status.next_round = Some(now + wait);
        status.detail = detail;
        let trouble = match round {
            Round::Settled(_) => {
                status.failures = 0;
                status.last_success = Some(now);
                None
            }
            Round::Troubled { why, .. } => {
                status.failures = status.failures.saturating_add(1);
                Some(why)
            }
        };
        let (failures, before) = (status.failures, replace(&mut status.trouble, trouble.clone()));
        drop(entries);
        // The same trouble again is no news.
        match trouble {
            None if before.is_some() => info!(service = name, "recovered"),
            Some(why) if before.as_ref() != Some(&why) => warn!(service = name, "{why}"),
            _ => {}
        }
        failures
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Status {
    fn default() -> Self {
        Self {
            last_round: None,
            last_success: None,
            next_round: None,
            failures: 0,
            trouble: None,
            detail: serde_json::Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Fails `fails` times, then settles; each round takes `takes`.
    struct Stubborn {
        rounds: Arc<AtomicU32>,
        begun: Arc<AtomicU32>,
        fails: u32,
        takes: Duration,
    }

    #[async_trait]
    impl Service for Stubborn {
        fn name(&self) -> &'static str {
            "stubborn"
        }

        async fn round(&mut self) -> Round {
            self.begun.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.takes).await;
            let round = self.rounds.fetch_add(1, Ordering::Relaxed);
            if round < self.fails {
                return Round::Troubled {
                    why: "the server is down".to_owned(),
                    again: None,
                };
            }
            Round::Settled(Duration::from_secs(3600))
        }

        fn detail(&self) -> serde_json::Value {
            self.rounds.load(Ordering::Relaxed).into()
        }
    }

    struct Stage {
        begun: Arc<AtomicU32>,
        board: Board,
        wake: Arc<Notify>,
        lead: watch::Sender<bool>,
        stop: watch::Sender<bool>,
        task: tokio::task::JoinHandle<()>,
    }

    fn stage(fails: u32, takes: Duration) -> Stage {
        let (rounds, begun) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (lead, leads) = watch::channel(true);
        let (stop, stopped) = watch::channel(false);
        let (board, wake) = (Board::default(), Arc::new(Notify::new()));
        let service = Stubborn {
            rounds,
            begun: Arc::clone(&begun),
            fails,
            takes,
        };
        let around = Surroundings {
            leadership: Leadership::new(leads),
            stopped,
            wake: Arc::clone(&wake),
            board: board.clone(),
        };
        Stage {
            begun,
            board,
            wake,
            lead,
            stop,
            task: tokio::spawn(run(service, around)),
        }
    }

    impl Stage {
        fn status(&self) -> Status {
            self.board.read()["stubborn"].clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_is_state_and_goes_by_itself() {
        let stage = stage(3, Duration::ZERO);
        tokio::time::sleep(Duration::from_millis(10)).await;
        let status = stage.status();
        assert_eq!(status.trouble.as_deref(), Some("the server is down"));
        assert_eq!((status.failures, status.last_success), (1, None));
        // 10 s, 20 s and 40 s at the most.
        tokio::time::sleep(Duration::from_secs(71)).await;
        let status = stage.status();
        assert_eq!((status.trouble, status.failures), (None, 0));
        assert!(status.last_success.is_some());
        assert_eq!(status.detail, 4);

        stage.wake.notify_one();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(stage.status().detail, 5);
        // Another configuration: the service begins anew, and what is known stays known.
        let succeeded = stage.status().last_success;
        stage.board.clear();
        let same = Stubborn {
            rounds: Arc::default(),
            begun: Arc::default(),
            fails: 0,
            takes: Duration::ZERO,
        };
        stage.board.enter(&same);
        assert_eq!(stage.status().last_success, succeeded);
        assert_eq!(stage.status().last_round, None);
        stage.stop.send_replace(true);
        stage.task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_leader_works_and_losing_the_lead_breaks_a_round_off() {
        let stage = stage(0, Duration::from_secs(60));
        tokio::time::sleep(Duration::from_secs(30)).await;
        stage.lead.send_replace(false);
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(stage.begun.load(Ordering::Relaxed), 1);
        assert_eq!(stage.status().last_round, None);
        stage.lead.send_replace(true);
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert_eq!(stage.begun.load(Ordering::Relaxed), 2);
        assert_eq!(stage.status().detail, 1);
        stage.stop.send_replace(true);
        stage.task.await.unwrap();
    }

    #[test]
    fn retries_come_later_and_later_within_a_quarter_of_an_hour() {
        let mut random = rand::rng();
        for (failures, most) in [(0, 10), (1, 20), (6, 640), (7, 900), (u32::MAX, 900)] {
            let most = Duration::from_secs(most);
            let wait = backoff(failures, &mut random);
            assert!(wait <= most && wait >= most / 2, "{failures}: {wait:?}");
        }
    }
}
