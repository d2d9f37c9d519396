//! Looks after backends while others use them: names are looked up again and again, backends are asked whether they
//! are well, by tasks of their own. A request waits for none of this but for a name's very first look-up.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use pingora_core::connectors::ConnectorOptions;
use pingora_core::connectors::http::Connector;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tracing::{info, warn};

use super::endpoint::Endpoint;
use super::health::Checker;
use super::names::{self, Found, NameError};
use super::source::Source;
use super::{Balancer, Dialer};
use crate::config::Resolving;

/// After a failed look-up the next one comes this much later: a name that is new, or a name server that is back, is
/// noticed soon.
const RETRY: Duration = Duration::from_secs(1);

/// A route's backends, and how they are connected to.
#[derive(Debug, Clone)]
pub struct Tended {
    /// The backends.
    pub balancer: Arc<Balancer>,
    /// The way to them.
    pub dialer: Arc<Dialer>,
}

type Balancers = Arc<ArcSwap<Vec<Arc<Balancer>>>>;

/// A name -> addresses.
type LookUp = fn(String, Resolving) -> BoxFuture<'static, Result<Found, NameError>>;

/// The tasks of one edge. Dropping it ends them.
pub struct Keeper {
    look_up: LookUp,
    tended: Vec<Tended>,
    balancers: Balancers,
    tasks: JoinSet<()>,
    named: HashMap<(usize, Resolving), (Arc<Source>, AbortHandle)>,
    checked: HashMap<usize, Checked>,
    connector: Option<Arc<Connector>>,
    found: Arc<Notify>,
}

/// An endpoint that is asked.
struct Checked {
    endpoint: Arc<Endpoint>,
    dialer: Arc<Dialer>,
    task: AbortHandle,
}

impl Default for Keeper {
    fn default() -> Self {
        Self::with(|host, resolving| Box::pin(async move { names::look_up(&host, &resolving).await }))
    }
}

impl Keeper {
    /// One that finds addresses in this way.
    fn with(look_up: LookUp) -> Self {
        Self {
            look_up,
            tended: Vec::new(),
            balancers: Balancers::default(),
            tasks: JoinSet::new(),
            named: HashMap::new(),
            checked: HashMap::new(),
            connector: None,
            found: Arc::default(),
        }
    }

    /// Looks after these from now on. What was looked after already goes on undisturbed; what is no longer among
    /// them is left.
    pub fn tend(&mut self, tended: Vec<Tended>) {
        let balancers = tended.iter().map(|tended| Arc::clone(&tended.balancer));
        self.balancers.store(Arc::new(balancers.collect()));
        // A look-up that ended after one of them was built and before it was stored told only those before it.
        self.balancers
            .load()
            .iter()
            .for_each(|balancer| balancer.gather());
        self.tended = tended;
        self.tend_names();
        self.tend_checks();
    }

    /// Until a look-up finds other addresses, which are to be checked as well: then [`Keeper::tend_checks`].
    pub async fn found(&self) {
        self.found.notified().await;
    }

    fn tend_names(&mut self) {
        // What has ended is not kept.
        while self.tasks.try_join_next().is_some() {}
        let mut before = std::mem::take(&mut self.named);
        for balancer in self.balancers.load().iter() {
            let resolving = &balancer.policy().resolving;
            for source in balancer.sources().filter(|source| source.is_named()) {
                let name = (Arc::as_ptr(source) as usize, resolving.clone());
                let looking = Looking {
                    source: Arc::clone(source),
                    resolving: resolving.clone(),
                    look_up: self.look_up,
                    balancers: Arc::clone(&self.balancers),
                    found: Arc::clone(&self.found),
                };
                let kept = before.remove(&name);
                let kept = kept.unwrap_or_else(|| (Arc::clone(source), self.tasks.spawn(looking.run())));
                self.named.insert(name, kept);
            }
        }
        before.into_values().for_each(|(_, task)| task.abort());
    }

    /// Checks every address of today.
    pub fn tend_checks(&mut self) {
        let mut before = std::mem::take(&mut self.checked);
        for tended in self.tended.clone() {
            let Some(check) = &tended.balancer.policy().health else {
                continue;
            };
            for endpoint in tended.balancer.endpoints() {
                let name = Arc::as_ptr(&endpoint) as usize;
                let same = |kept: &Checked| kept.dialer == tended.dialer && !kept.task.is_finished();
                match before.remove(&name) {
                    Some(kept) if same(&kept) => {
                        self.checked.insert(name, kept);
                        continue;
                    }
                    Some(other) => other.task.abort(),
                    None => {}
                }
                let checker = Checker {
                    endpoint: Arc::clone(&endpoint),
                    dialer: Arc::clone(&tended.dialer),
                    check: check.clone(),
                    connector: self.connector(),
                };
                let checked = Checked {
                    endpoint,
                    dialer: Arc::clone(&tended.dialer),
                    task: self.tasks.spawn(checker.run()),
                };
                self.checked.insert(name, checked);
            }
        }
        for checked in before.into_values() {
            checked.task.abort();
            // Nobody asks it any more: what was found is no longer true.
            checked.endpoint.forget_checks();
        }
    }

    /// Made when it is first needed: it reads the system's CAs.
    fn connector(&mut self) -> Arc<Connector> {
        let made = self
            .connector
            .get_or_insert_with(|| Arc::new(Connector::new(Some(ConnectorOptions::new(1)))));
        Arc::clone(made)
    }
}

/// A name that is looked up again and again.
struct Looking {
    source: Arc<Source>,
    resolving: Resolving,
    look_up: LookUp,
    balancers: Balancers,
    found: Arc<Notify>,
}

impl Looking {
    async fn run(self) {
        let mut was_failing = false;
        loop {
            let backend = self.source.backend();
            let found = (self.look_up)(backend.host.clone(), self.resolving.clone()).await;
            let failing = found.is_err();
            let pause = match found {
                Ok(found) => self.learn(found),
                Err(error) => self.fail(&error, was_failing),
            };
            was_failing = failing;
            // Many that were looked up together drift apart; none is used for longer than it holds.
            tokio::time::sleep(pause.mul_f64(0.9 + 0.1 * rand::random::<f64>())).await;
        }
    }

    /// How long it holds.
    fn learn(&self, found: Found) -> Duration {
        let pause = self.resolving.pause(found.ttl);
        let port = self.source.backend().port;
        let new = found
            .addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port));
        let mut addresses: Vec<_> = new.collect();
        // What nothing was heard of is as it was.
        let known = self.source.endpoints();
        let known = known.iter().map(|endpoint| endpoint.address());
        let unheard = |address: &SocketAddr| found.unheard.is_some_and(|family| family.has(address.ip()));
        addresses.extend(known.filter(unheard));
        let told = format!("{addresses:?}");
        if self.source.learn(addresses, Instant::now()) {
            info!(
                host = self.source.backend().host,
                addresses = told,
                "addresses of a backend"
            );
            self.gather();
            self.found.notify_one();
        }
        pause
    }

    fn fail(&self, error: &NameError, again: bool) -> Duration {
        if !again {
            let (host, known) = (&self.source.backend().host, self.source.endpoints().len());
            warn!(host, %error, known, "cannot look a backend up; known addresses stay in use");
        }
        if self.source.found_nothing() {
            self.gather();
        }
        RETRY.min(self.resolving.interval)
    }

    /// Those that use this backend take what is known of it now.
    fn gather(&self) {
        let using = self.balancers.load_full();
        let concerned = using.iter().filter(|balancer| balancer.uses(&self.source));
        concerned.for_each(|balancer| balancer.gather());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use std::net::IpAddr;

    use super::*;
    use crate::config::testing::config;
    use crate::upstream::names::Family;
    use crate::upstream::{NoBackend, Wish};

    fn tended(known: Option<&Tended>) -> Tended {
        let config = config(
            "waf.mode = \"off\"\n[[routes]]\nname = \"app\"\nhosts = [\"app.example\"]\n\
             backends = [\"http://app.internal\"]\n",
        );
        let upstream = &config.routes[0].upstream;
        let crate::config::UpstreamTarget::Backends(backends) = &upstream.target else {
            panic!("backends")
        };
        let known = known.map(|known| known.balancer.as_ref());
        Tended {
            balancer: Arc::new(Balancer::new(
                backends,
                &upstream.balancing,
                None,
                known,
                &Arc::default(),
                Instant::now(),
            )),
            dialer: Arc::new(Dialer::new(upstream).unwrap()),
        }
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 80))
    }

    fn found(addresses: &[SocketAddr]) -> Found {
        Found {
            addresses: addresses.iter().map(SocketAddr::ip).collect(),
            ttl: None,
            unheard: None,
        }
    }

    async fn until(tended: &Tended, expected: &[SocketAddr]) {
        let known = || -> Vec<_> {
            tended
                .balancer
                .endpoints()
                .iter()
                .map(|endpoint| endpoint.address())
                .collect()
        };
        let there = async {
            while known() != expected {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        // The clock of the test jumps from one sleep to the next.
        let waited = tokio::time::timeout(Duration::from_secs(600), there).await;
        assert!(waited.is_ok(), "{:?} instead of {expected:?}", known());
    }

    #[tokio::test]
    async fn what_is_found_between_building_and_tending_is_used() {
        let mut keeper = Keeper::with(|_, _| Box::pin(std::future::pending()));
        let tended = tended(None);
        let source = tended.balancer.sources().next().unwrap();
        source.learn(vec![address(1)], Instant::now());
        let pick = || {
            let lease = tended.balancer.pick(&Wish::default(), Instant::now(), || 0);
            lease.map(|lease| lease.endpoint().address())
        };
        assert_eq!(pick(), Err(NoBackend::Unknown));
        keeper.tend(vec![tended.clone()]);
        assert_eq!(pick(), Ok(address(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_followed_through_changes_outages_and_reloads() {
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        let mut keeper = Keeper::with(|_, _| {
            Box::pin(async {
                match LOOKS.fetch_add(1, Ordering::SeqCst) {
                    0..=1 => Ok(found(&[address(2), address(1)])),
                    2..=4 => Err(NameError::Dns(Box::new("no answer".into()))),
                    _ => Ok(found(&[address(3)])),
                }
            })
        });
        let first = tended(None);
        keeper.tend(vec![first.clone()]);
        first.balancer.known().await;
        until(&first, &[address(1), address(2)]).await;
        while LOOKS.load(Ordering::SeqCst) < 4 {
            // A name server that is away takes nothing away.
            until(&first, &[address(1), address(2)]).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        // The same task goes on for the balancer of a new configuration.
        let second = tended(Some(&first));
        keeper.tend(vec![second.clone()]);
        assert_eq!(keeper.tasks.len(), 1);
        until(&second, &[address(3)]).await;
        keeper.tend(Vec::new());
        while keeper.tasks.join_next().await.is_some() {}
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_heard_of_one_family_takes_no_address_away() {
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        let six: SocketAddr = "[2001:db8::1]:80".parse().unwrap();
        let mut keeper = Keeper::with(|_, _| {
            let six = IpAddr::V6("2001:db8::1".parse().unwrap());
            let number = LOOKS.fetch_add(1, Ordering::SeqCst);
            let (addresses, unheard) = match number {
                0 => (vec![address(1).ip(), six], None),
                1..=3 => (vec![address(2).ip()], Some(Family::V6)),
                _ => (vec![address(2).ip()], None),
            };
            let ttl = Some(Duration::from_secs(1));
            Box::pin(async move {
                Ok(Found {
                    addresses,
                    ttl,
                    unheard,
                })
            })
        });
        let tended = tended(None);
        keeper.tend(vec![tended.clone()]);
        until(&tended, &[address(1), six]).await;
        until(&tended, &[address(2), six]).await;
        until(&tended, &[address(2)]).await;
    }
}
