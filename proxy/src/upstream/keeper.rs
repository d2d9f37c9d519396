//! Looks after backends while others use them: names are looked up again and again, by tasks of their own. A request
//! waits for none of this but for a name's very first look-up.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::Balancer;
use super::source::Source;

/// After a failed look-up the next one comes this much later: a name that is new, or a name server that is back, is
/// noticed soon.
const RETRY: Duration = Duration::from_secs(1);

/// The tasks of one edge. Dropping it ends them.
#[derive(Debug, Default)]
pub struct Keeper {
    balancers: Arc<ArcSwap<Vec<Arc<Balancer>>>>,
    tasks: JoinSet<()>,
    named: HashMap<(usize, Duration), Kept>,
}

/// A source that a task looks after.
#[derive(Debug)]
struct Kept {
    /// Keeps the address that is its name here.
    _source: Arc<Source>,
    task: tokio::task::AbortHandle,
}

impl Keeper {
    /// Looks after these from now on. What was looked after already goes on undisturbed; what is no longer among
    /// them is left.
    pub fn tend(&mut self, balancers: Vec<Arc<Balancer>>) {
        self.balancers.store(Arc::new(balancers));
        // What has ended is not kept.
        while self.tasks.try_join_next().is_some() {}
        let balancers = self.balancers.load_full();
        let mut before = std::mem::take(&mut self.named);
        for balancer in balancers.iter() {
            let interval = balancer.policy().resolve_interval;
            for source in balancer.sources().filter(|source| source.is_named()) {
                let name = (Arc::as_ptr(source) as usize, interval);
                let kept = before.remove(&name).unwrap_or_else(|| self.look_after(source, interval));
                self.named.insert(name, kept);
            }
        }
        before.into_values().for_each(|kept| kept.task.abort());
    }

    fn look_after(&mut self, source: &Arc<Source>, interval: Duration) -> Kept {
        let looking = look_up_forever(Arc::clone(source), interval, Arc::clone(&self.balancers));
        Kept {
            _source: Arc::clone(source),
            task: self.tasks.spawn(looking),
        }
    }
}

async fn look_up_forever(
    source: Arc<Source>,
    interval: Duration,
    balancers: Arc<ArcSwap<Vec<Arc<Balancer>>>>,
) {
    let mut failing = false;
    loop {
        let backend = source.backend();
        let (host, port) = (backend.host.as_str(), backend.port);
        let found = look_up(host, port).await;
        let pause = match &found {
            Ok(addresses) => {
                if source.learn(addresses.clone(), Instant::now()) {
                    info!(host, ?addresses, "addresses of a backend");
                }
                interval
            }
            Err(error) => {
                if !failing {
                    let known = source.endpoints().len();
                    warn!(host, %error, known, "cannot look a backend up; known addresses stay in use");
                }
                source.found_nothing();
                RETRY.min(interval)
            }
        };
        failing = found.is_err();
        let using = balancers.load_full();
        let concerned = using.iter().filter(|balancer| balancer.uses(&source));
        concerned.for_each(|balancer| balancer.gather());
        tokio::time::sleep(pause.mul_f64(0.9 + 0.2 * rand::random::<f64>())).await;
    }
}

/// By the system's resolver, with all that it knows: /etc/hosts, search domains, the cluster's DNS. It limits its own
/// time; no second look-up of the same name is begun before. (docs/decisions/0023-choosing-backends.md)
async fn look_up(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    match found.is_empty() {
        true => Err(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "the name has no address",
        )),
        false => Ok(found),
    }
}
