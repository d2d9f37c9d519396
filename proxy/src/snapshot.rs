//! The immutable state that requests are served from, and its swap handle.
//!
//! A request takes one snapshot when it begins and keeps it to its end; a reload replaces the whole in one
//! step.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use http::{HeaderName, header};

use crate::access::{AccessError, Policies, Shared};
use crate::certs::{CertificateError, ClientTrust, ClientTrusts};
use crate::config::{Backend, Config, Route, Scheme, UpstreamTarget, WafMode, WeightedBackend};
use crate::limit::BodyBudget;
use crate::profile::{Profile, ProfileError, Profiles};
use crate::route::{Asked, RouteTable};
use crate::upstream::{Balancer, Dialer, Hall, Mirror, StickyKey, UpstreamError};

/// What serves.
pub struct Snapshot {
    /// Counts up with each reload, from 1.
    pub generation: u64,
    /// The configuration it was built from.
    pub config: Arc<Config>,
    /// Memory for bodies under inspection.
    pub body_budget: BodyBudget,
    /// Which hosts ask clients for certificates.
    pub client_trusts: ClientTrusts,
    routes: RouteTable<Arc<LiveRoute>>,
    access: Shared,
    hall: Arc<Hall>,
}

/// A route with all it needs to serve.
#[derive(Debug)]
pub struct LiveRoute {
    /// What the configuration says.
    pub route: Arc<Route>,
    /// Its name, as metrics label it.
    pub label: Arc<str>,
    /// Its backends.
    pub balancer: Arc<Balancer>,
    /// The way to them.
    pub dialer: Arc<Dialer>,
    /// The compiled rules; none where the WAF is off.
    pub profile: Option<Arc<Profile>>,
    /// Who gets copies of its requests.
    pub mirror: Option<Mirror>,
    /// Who may use it; none if everybody may.
    pub access: Option<Policies>,
    /// Whose certificates its clients show, if they are to show one.
    pub client_trust: Option<Arc<ClientTrust>>,
    /// Headers by which its application is told who a client is, by this route or by another that leads there: no client
    /// says these itself.
    pub spoken_for: Vec<HeaderName>,
}

/// What a snapshot is built with.
pub struct Ingredients<'a> {
    /// Compiles and remembers rule sets.
    pub profiles: &'a Profiles,
    /// Where the built-in echo listens.
    pub echo: SocketAddr,
    /// What serves now; its balancers keep their knowledge of unchanged backends.
    pub previous: Option<&'a Snapshot>,
}

/// Why a route cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Its rules do not compile, or do not protect.
    #[error("route {route}: {source}")]
    Profile {
        /// The route.
        route: String,
        /// Why.
        source: Arc<ProfileError>,
    },
    /// Its upstream cannot be used.
    #[error("route {route}: {source}")]
    Upstream {
        /// The route.
        route: String,
        /// Why.
        source: UpstreamError,
    },
    /// What access policies share cannot be used.
    #[error("[access]: {0}")]
    Access(AccessError),
    /// The CAs of its clients cannot be used.
    #[error("route {route}: client_certificate: {source}")]
    ClientTrust {
        /// The route.
        route: String,
        /// Why.
        source: Box<CertificateError>,
    },
    /// Its access policies cannot be put into force.
    #[error("route {route}: {source}")]
    Policies {
        /// The route.
        route: String,
        /// Why.
        source: AccessError,
    },
}

impl Snapshot {
    /// Builds what serves; all errors at once.
    pub fn build(config: Config, with: &Ingredients<'_>) -> Result<Self, Vec<SnapshotError>> {
        let mut live = Vec::with_capacity(config.routes.len());
        let mut errors = Vec::new();
        let access = Shared::read(&config, with.previous.map(|previous| &previous.access));
        let access = access.map_err(|error| vec![SnapshotError::Access(error)])?;
        let hall = with
            .previous
            .map_or_else(Arc::default, |previous| Arc::clone(&previous.hall));
        for route in &config.routes {
            match LiveRoute::build(route, &config, (&access, &hall), with) {
                Ok(route) => live.push(Arc::new(route)),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let (limit, per_client) = (config.waf.body_memory, config.waf.body_memory_per_client);
        let body_budget = match with.previous {
            Some(previous) => previous.body_budget.with_limits(limit, per_client),
            None => BodyBudget::new(limit, per_client),
        };
        let hosts = live.iter().flat_map(|live| {
            let trust = || live.client_trust.clone();
            live.route.hosts.iter().map(move |host| (host, trust()))
        });
        let client_trusts = ClientTrusts::new(hosts);
        let table = live.iter().map(|route| (route.route.as_ref(), Arc::clone(route)));
        Ok(Self {
            generation: with.previous.map_or(1, |previous| previous.generation + 1),
            routes: RouteTable::new(table),
            config: Arc::new(config),
            body_budget,
            client_trusts,
            access,
            hall,
        })
    }

    /// The route for a request.
    pub fn find(&self, asked: &Asked<'_>) -> Option<Arc<LiveRoute>> {
        self.routes.find(asked).cloned()
    }

    /// Every route.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<LiveRoute>> {
        self.routes.values()
    }

    fn route(&self, name: &str) -> Option<&Arc<LiveRoute>> {
        self.routes.values().find(|live| live.route.name == name)
    }
}

impl LiveRoute {
    fn build(
        route: &Arc<Route>,
        config: &Config,
        (shared, hall): (&Shared, &Arc<Hall>),
        with: &Ingredients<'_>,
    ) -> Result<Self, SnapshotError> {
        let name = || route.name.clone();
        let profile = match route.waf.mode {
            WafMode::Off => None,
            mode => Some(with.profiles.get(&route.waf.profile, mode).map_err(|source| {
                SnapshotError::Profile {
                    route: name(),
                    source,
                }
            })?),
        };
        let failed = |source: UpstreamError| SnapshotError::Upstream {
            route: name(),
            source,
        };
        let dialer = Dialer::new(&route.upstream).map_err(failed)?;
        let sticky = route.upstream.balancing.sticky.as_ref();
        let sticky = sticky
            .map(|_| match &config.sticky_key {
                Some(secret) => StickyKey::of(secret, &route.name),
                None => StickyKey::ensure(&config.server.data_dir, &route.name),
            })
            .transpose();
        let sticky = sticky.map_err(|error| failed(error.into()))?;
        let known = with.previous.and_then(|previous| previous.route(&route.name));
        let known = known.and_then(|known| known.access.as_ref());
        let access = Policies::build(&route.access, shared, known);
        let access = access.map_err(|source| SnapshotError::Policies {
            route: name(),
            source,
        })?;
        let settings = route.access.client_certificate.as_ref();
        let trust = settings.map(ClientTrust::read);
        let client_trust = trust.transpose().map_err(|source| SnapshotError::ClientTrust {
            route: name(),
            source: Box::new(source),
        })?;
        Ok(Self {
            access,
            client_trust: client_trust.map(Arc::new),
            spoken_for: spoken_for(route, &config.routes),
            label: route.name.as_str().into(),
            balancer: balancer(route, sticky, hall, with),
            route: Arc::clone(route),
            dialer: Arc::new(dialer),
            profile,
            mirror: route.filters.mirror.as_ref().map(Mirror::new),
        })
    }
}

/// What the route's own policies say, and those of routes with a host or a backend in common. Credentials are no such
/// thing elsewhere: there the application may ask for them itself.
fn spoken_for(route: &Route, all: &[Arc<Route>]) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = route.access.spoken_for().cloned().collect();
    for other in all.iter().filter(|other| leads_there_too(route, other)) {
        let theirs = other.access.spoken_for().cloned();
        names.extend(theirs.filter(|name| !matches!(*name, header::AUTHORIZATION | header::COOKIE)));
    }
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    names
}

fn leads_there_too(route: &Route, other: &Route) -> bool {
    let backends = |route: &Route| match &route.upstream.target {
        UpstreamTarget::Backends(backends) => backends.clone(),
        UpstreamTarget::Echo | UpstreamTarget::Elsewhere => Vec::new(),
    };
    let theirs = backends(other);
    let places = |one: &WeightedBackend| (one.backend.host.clone(), one.backend.port);
    other.hosts.iter().any(|host| route.hosts.contains(host))
        || backends(route)
            .iter()
            .any(|one| theirs.iter().any(|other| places(one) == places(other)))
}

fn balancer(
    route: &Route,
    sticky: Option<StickyKey>,
    hall: &Arc<Hall>,
    with: &Ingredients<'_>,
) -> Arc<Balancer> {
    let backends = match &route.upstream.target {
        UpstreamTarget::Backends(backends) => backends.clone(),
        UpstreamTarget::Elsewhere => Vec::new(),
        UpstreamTarget::Echo => {
            let backend = Backend {
                scheme: Scheme::Http,
                host: with.echo.ip().to_string(),
                port: with.echo.port(),
            };
            vec![WeightedBackend { backend, weight: 1 }]
        }
    };
    let known = with.previous.and_then(|previous| previous.route(&route.name));
    let known = known.map(|known| known.balancer.as_ref());
    let policy = &route.upstream.balancing;
    Arc::new(Balancer::new(
        &backends,
        policy,
        sticky,
        known,
        hall,
        Instant::now(),
    ))
}

/// Publishes snapshots; cheap to clone.
#[derive(Clone)]
pub struct SnapshotHandle {
    current: Arc<ArcSwap<Snapshot>>,
}

impl SnapshotHandle {
    /// A handle that serves `snapshot`.
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            current: Arc::new(ArcSwap::from_pointee(snapshot)),
        }
    }

    /// What serves now.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Requests that begin from now on are served from `snapshot`.
    pub fn publish(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
    }
}
