//! How requests are spread over the backends of a route, and when a backend is left alone.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::HealthCheck;

/// What is spoken with a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/2 in the clear, without asking first (RFC 9113 section 3.3).
    H2c,
    /// HTTP/1.1 or HTTP/2 over TLS.
    Https,
}

/// One `http://host:port`, `h2c://host:port` or `https://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Backend {
    /// What is spoken with it.
    pub scheme: Scheme,
    /// A name in lower-case ASCII or an address, without brackets.
    pub host: String,
    /// The port; the scheme's default if the file names none.
    pub port: u16,
}

/// A backend and its share of the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedBackend {
    /// Where.
    pub backend: Backend,
    /// Its share, over the sum of all weights; 0 for none.
    pub weight: u32,
}

/// How a request's backend is chosen among those that are up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Balance {
    /// In turn, each as often as its weight says.
    RoundRobin,
    /// Of two that chance picks, the one with fewer requests in flight for its weight.
    LeastRequests,
    /// The same backend for the same key, and few keys that move when backends come and go.
    Hash(HashKey),
}

/// What a request's backend is computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address.
    Address,
    /// A request header, by its name in lower case.
    Header(String),
    /// A cookie, by its name.
    Cookie(String),
}

/// A cookie of the edge that leads a client back to the backend that served it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sticky {
    /// Its name.
    pub cookie: String,
    /// How long clients keep it; `None` for as long as the browser runs.
    pub ttl: Option<Duration>,
    /// Its `Path`.
    pub path: String,
    /// Out of reach of scripts.
    pub http_only: bool,
    /// Only over TLS.
    pub secure: bool,
    /// Whether requests that other sites cause carry it.
    pub same_site: SameSite,
}

/// The SameSite attribute (RFC 6265bis section 5.6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Links from elsewhere carry the cookie, embedded requests do not.
    Lax,
    /// Nothing from elsewhere carries it.
    Strict,
    /// Everything does; only over TLS.
    None,
}

/// What happens while no backend of a route is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllDown {
    /// They are tried all the same.
    Try,
    /// 503 at once.
    Refuse,
}

/// How a backend that fails is noticed by its answers, and how it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ejection {
    /// Connections that could not be made, in a row.
    pub connect_failures: u32,
    /// Requests without a good answer, in a row: no connection, none in time, a broken one, 502, 503 or 504.
    pub failures: u32,
    /// How long it is left alone the first time; twice as long each time after.
    pub time: Duration,
    /// Never longer than this.
    pub max_time: Duration,
    /// The share of a route's backends, in percent, that may be left alone at once.
    pub max_percent: u8,
    /// How long a backend that returns takes to get its full share again.
    pub slow_start: Duration,
}

/// How backends are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancing {
    /// By what.
    pub balance: Balance,
    /// Whether clients stay with a backend.
    pub sticky: Option<Sticky>,
    /// While all are down.
    pub all_down: AllDown,
    /// How failures are noticed.
    pub ejection: Ejection,
    /// How names of backends are looked up.
    pub resolving: Resolving,
    /// How much each takes.
    pub capacity: Capacity,
    /// How they are asked whether they are well.
    pub health: Option<HealthCheck>,
}

/// How names of backends are looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resolving {
    /// Never later than this after the last look-up, whatever the records' TTL.
    pub interval: Duration,
    /// Never sooner than this.
    pub min_interval: Duration,
    /// Whom to ask; what the system asks if there are none.
    pub nameservers: Vec<SocketAddr>,
}

/// How much a backend takes, and who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// Requests at once at each address.
    pub max_requests: Option<NonZeroUsize>,
    /// Requests of the route that may wait for one to end.
    pub queue: usize,
    /// How long they wait.
    pub queue_timeout: Duration,
}

/// When a request is tried again, after more than a connection that was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    /// More attempts for one request.
    pub attempts: u32,
    /// Statuses that are reason enough, as inclusive ranges.
    pub statuses: Vec<(u16, u16)>,
    /// Retries in percent of requests.
    pub budget: u8,
    /// Before the first retry; twice as long before each next.
    pub backoff: Duration,
}

impl Resolving {
    /// From one look-up to the next.
    pub fn pause(&self, ttl: Option<Duration>) -> Duration {
        ttl.unwrap_or(self.interval)
            .max(self.min_interval)
            .min(self.interval)
    }
}

impl Default for Resolving {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            min_interval: Duration::from_secs(1),
            nameservers: Vec::new(),
        }
    }
}

impl Backend {
    /// Whether the backend speaks TLS.
    pub fn tls(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

impl Scheme {
    /// As a URL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::H2c => "h2c",
            Self::Https => "https",
        }
    }

    /// Where it is spoken unless a port is named.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http | Self::H2c => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        let scheme = scheme.as_str();
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_again_within_its_ttl_and_within_bounds() {
        let resolving = Resolving::default();
        let seconds = Duration::from_secs;
        for (ttl, expected) in [
            (None, seconds(5)),
            (Some(seconds(0)), seconds(1)),
            (Some(seconds(3)), seconds(3)),
            (Some(seconds(600)), seconds(5)),
        ] {
            assert_eq!(resolving.pause(ttl), expected, "{ttl:?}");
        }
    }
}
