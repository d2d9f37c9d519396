//! What the background services are told: zones, certificates, records, the home's address.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where a secret is kept. The configuration itself never holds one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretSource {
    /// A file; white space at its ends does not count.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// One of `[[zones]]`: a DNS zone at Cloudflare that the edge looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// `example.com`: lower-case ASCII, no trailing dot.
    pub name: String,
    /// An API token that may edit the zone's DNS.
    pub token: SecretSource,
    /// The API's base URL, without a trailing slash.
    pub api: String,
    /// Names in the zone (itself, or below it) that get a certificate each: the name and its wildcard.
    pub certificates: Vec<String>,
    /// Whether the hostnames of routes in this zone get DNS records.
    pub records: bool,
}

/// Whether a name is the zone's own, or below it.
pub fn is_within(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

/// `[acme]`: where certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The URL of the CA's directory.
    pub directory: String,
    /// PEM of the root that the CA's own server is trusted by; the system's roots otherwise.
    pub root: Option<PathBuf>,
    /// `mailto:` is added to it for the account.
    pub email: Option<String>,
    /// The profile to ask for; the CA's default otherwise.
    pub profile: Option<String>,
    /// The common name of the root that the chain is to lead to; the CA's default otherwise.
    pub preferred_chain: Option<String>,
    /// External account binding (RFC 8555, section 7.3.4).
    pub eab: Option<Eab>,
    /// Resolvers that are asked whether a challenge is visible, instead of the zone's own name servers.
    pub nameservers: Vec<SocketAddr>,
    /// How long a challenge may take to be visible at all of them.
    pub propagation_timeout: Duration,
    /// What is served for names whose certificate has not come yet.
    pub until_issued: UntilIssued,
}

/// External account binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eab {
    /// The key's identifier.
    pub kid: String,
    /// The MAC key, base64url.
    pub key: SecretSource,
}

/// What is served while a certificate is still awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UntilIssued {
    /// A self-signed certificate for its names.
    SelfSigned,
    /// None: the handshake fails.
    Refuse,
}

/// `[dns]`: records for the hostnames of routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    /// What may be changed.
    pub policy: DnsPolicy,
    /// Who we are in ownership records.
    pub owner: String,
    /// How ownership records are named.
    pub txt: TxtNames,
    /// Seconds; 1 is Cloudflare's automatic.
    pub ttl: u32,
    /// Whether Cloudflare proxies what is newly made.
    pub proxied: bool,
    /// What names point to; empty: the address that `[ddns]` finds.
    pub targets: Vec<DnsTarget>,
    /// Whose IPv6 address behind the prefix that `[ddns]` finds names point to; the found one otherwise.
    pub ipv6_host_id: Option<HostId>,
    /// Between two looks at the zone.
    pub interval: Duration,
    /// Whether our records go when the edge stops for good.
    pub delete_on_stop: bool,
    /// A plan that deletes more records than this is refused.
    pub max_deletes: usize,
    /// Likewise, as a share of the records that are ours, in percent.
    pub max_delete_percent: u8,
}

/// external-dns' `--policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsPolicy {
    /// Create, update, delete.
    Sync,
    /// Create and update.
    UpsertOnly,
    /// Create.
    CreateOnly,
}

/// external-dns' `--txt-prefix`, `--txt-suffix` and `--txt-wildcard-replacement`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxtNames {
    /// In front of or behind the first label; never both. May hold `%{record_type}`.
    pub affix: TxtAffix,
    /// Stands for `*` in names of ownership records.
    pub wildcard: Option<String>,
}

/// Where the mark of an ownership record stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TxtAffix {
    /// Nothing but the record's type.
    #[default]
    None,
    /// In front of the name.
    Prefix(String),
    /// Behind the first label.
    Suffix(String),
}

/// What a name points to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DnsTarget {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME.
    Name(String),
}

/// A route's `dns`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteDns {
    /// `Some(false)`: no records for this route.
    pub enabled: Option<bool>,
    /// Instead of `[dns]`'s.
    pub ttl: Option<u32>,
    /// Instead of `[dns]`'s.
    pub proxied: Option<bool>,
    /// Instead of `[dns]`'s; empty: those.
    pub targets: Vec<DnsTarget>,
    /// Instead of `[dns]`'s.
    pub ipv6_host_id: Option<HostId>,
}

/// `[ddns]`: how the home's public address is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ddns {
    /// Methods for the IPv4 address; empty: there is none to publish.
    pub ipv4: Vec<Detection>,
    /// Likewise for IPv6.
    pub ipv6: Vec<Detection>,
    /// How many methods have to agree before a change (fewer if fewer are configured).
    pub agreement: usize,
    /// Between two detections.
    pub interval: Duration,
    /// For one method.
    pub timeout: Duration,
    /// For `https`: pages in the form of Cloudflare's `cdn-cgi/trace`.
    pub trace: Vec<String>,
    /// For `dns`: servers that answer `whoami.cloudflare.` TXT CH (1.1.1.1) or `myip.opendns.com` (208.67.222.222).
    pub whoami: Vec<Whoami>,
    /// For `router`: its address; the default gateway otherwise.
    pub router: Option<IpAddr>,
    /// Where success and failure are told.
    pub pings: Vec<Ping>,
}

/// How an address is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Detection {
    /// A web page that tells.
    Https,
    /// A name server that tells.
    Dns,
    /// The router: UPnP IGD, PCP, NAT-PMP.
    Router,
    /// An interface of this host; without a name the one of the default route.
    Interface(Option<String>),
    /// This one.
    Fixed(IpAddr),
}

/// A name server that tells who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Whoami {
    /// `whoami.cloudflare.` TXT, class CH.
    Cloudflare(SocketAddr),
    /// The same question over HTTPS (RFC 8484), for networks that let no other DNS out: the URL.
    CloudflareHttps(String),
    /// `myip.opendns.com.` A or AAAA.
    OpenDns(SocketAddr),
}

/// The lower half of an IPv6 address: which host it is behind the home's prefix (RFC 4291, section 2.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostId(pub u64);

impl HostId {
    /// The address of this host behind the prefix, a /64, that an address of the home has.
    pub fn behind(self, home: Ipv6Addr) -> Ipv6Addr {
        let prefix = u128::from(home) & !u128::from(u64::MAX);
        Ipv6Addr::from(prefix | u128::from(self.0))
    }
}

/// Who is told how it went.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ping {
    /// Healthchecks: the URL, `/fail`, `/start`. The URL is a secret.
    Healthchecks(SecretSource),
    /// Uptime Kuma's push URL. The URL is a secret.
    UptimeKuma(SecretSource),
}

impl std::fmt::Display for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(name) => write!(f, "the environment variable {name}"),
        }
    }
}
