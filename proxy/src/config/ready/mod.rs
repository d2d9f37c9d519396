//! What is true once a configuration has been read: types that cannot be wrong any more.

mod access;
mod addresses;
mod auth;
mod bans;
mod client_certificate;
mod errors;
mod filters;
mod headers;
mod health;
mod listen;
mod matching;
mod services;
mod upstream;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use access::*;
pub use addresses::AddressSet;
pub use auth::*;
pub use bans::{BanCause, Bans};
pub use client_certificate::*;
pub use errors::*;
pub use filters::*;
pub use headers::*;
pub use health::*;
pub use listen::*;
pub use matching::*;
pub use services::*;
pub use upstream::*;

/// A whole configuration. [`super::load`] returns it, or every error at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `[server]`: the process.
    pub server: Server,
    /// `[listen]`: where connections come in. Read once at start; a change needs a restart and says so.
    pub listen: Listen,
    /// `[tls]`.
    pub tls: Tls,
    /// `[log]`.
    pub log: Log,
    /// `[errors]`: pages for the edge's own answers.
    pub errors: Arc<ErrorPages>,
    /// `[waf]`: what the engine shares between routes.
    pub waf: Waf,
    /// Connections to all backends that may be kept without a request.
    pub idle_connections: usize,
    /// What sticky cookies are made with, where several edges share it.
    pub sticky_key: Option<SecretSource>,
    /// `[access]`: what the access policies of routes share.
    pub access: Access,
    /// `[bans]`.
    pub bans: Bans,
    /// `[[zones]]`.
    pub zones: Vec<Zone>,
    /// `[acme]`.
    pub acme: Acme,
    /// `[dns]`.
    pub dns: Dns,
    /// `[ddns]`.
    pub ddns: Ddns,
    /// `[[routes]]`, each with its defaults filled in.
    pub routes: Vec<Arc<Route>>,
    /// The entry file and every file it includes: with their folders (where a new file may match an
    /// `include`), what a watcher watches.
    pub files: Vec<PathBuf>,
}

/// The process.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// How long requests in flight may take after SIGTERM.
    pub grace: Duration,
    /// Worker threads; `None` for one per core.
    pub workers: Option<NonZeroUsize>,
    /// State that outlives the process: the rule set, self-signed certificates.
    pub data_dir: PathBuf,
    /// From SIGTERM to the end of accepting; every answer in that time ends its connection.
    pub drain_delay: Duration,
    /// Where sockets are handed over to a successor; `None` for not at all.
    pub upgrade_socket: Option<PathBuf>,
}

/// The oldest TLS version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// What a client gets whose SNI names no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownSni {
    /// The first certificate.
    Default,
    /// A fatal alert.
    Reject,
}

/// Certificates and protocol versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Tls {
    /// The oldest version.
    pub min_version: TlsVersion,
    /// Unknown or absent SNI.
    pub unknown_sni: UnknownSni,
    /// PEM files, watched.
    pub certificates: Vec<CertificateFiles>,
    /// Names (`localhost`, `*.localhost`) of a self-signed certificate that is made at first start and kept
    /// in the data folder; empty for none. Never empty if `certificates` is.
    pub self_signed: Vec<String>,
}

/// One certificate chain and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// Leaf first.
    pub certificate: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// A `tracing` filter: `info`, `palisade=debug`.
    pub level: String,
    /// How diagnostics and the access log look.
    pub format: LogFormat,
    /// The access log.
    pub access: LogTarget,
    /// The audit log: one JSON line per incident.
    pub audit: LogTarget,
    /// The log of matches: one line per rule that matched, values unmasked.
    pub matches: LogTarget,
}

/// The shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// JSON lines.
    Json,
    /// For people.
    Text,
}

/// Where a log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Appended to a file; reopened on SIGHUP.
    File(PathBuf),
    /// Nowhere.
    Off,
}

/// What the WAF shares between routes.
#[derive(Debug, Clone, PartialEq)]
pub struct Waf {
    /// The folder of the installed rule set.
    pub rules: PathBuf,
    /// Bytes that all request and response bodies under inspection may hold together.
    pub body_memory: usize,
    /// What bodies of one client may hold of it, where it has more than one.
    pub body_memory_per_client: usize,
}

/// A route: which requests, to where, under which policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Unique; in logs and metrics.
    pub name: String,
    /// At least one.
    pub hosts: Vec<HostPattern>,
    /// At least one; `Prefix("/")` if the file names none.
    pub paths: Vec<RoutePath>,
    /// What else a request must have.
    pub conditions: Conditions,
    /// Where requests go.
    pub upstream: Upstream,
    /// The WAF for this route.
    pub waf: WafPolicy,
    /// Its records.
    pub dns: RouteDns,
    /// What it does to requests and answers.
    pub filters: Filters,
    /// Who may come, and how often.
    pub access: RouteAccess,
    /// Headers of its answers that tell browsers what not to do.
    pub security_headers: SecurityHeaders,
}

/// A hostname in lower-case ASCII (IDNA applied), without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPattern {
    /// This name only.
    Exact(String),
    /// `*.suffix`: any number of labels in front of the suffix, at least one. Holds the suffix without `*.`.
    Wildcard(String),
}

/// A path condition, on the form of the path that [`super::normalized_path`] gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathMatch {
    /// The whole path.
    Exact(String),
    /// The path itself, or it and `/` in front of more; without a trailing `/` except for `/` itself.
    Prefix(String),
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq)]
pub struct Upstream {
    /// One or more; the built-in echo is an upstream by itself.
    pub target: UpstreamTarget,
    /// TCP and TLS connect.
    pub connect_timeout: Duration,
    /// From the end of the request to the first byte of the answer.
    pub first_byte_timeout: Duration,
    /// Between two reads or writes.
    pub idle_timeout: Duration,
    /// The Host that the upstream sees: the client's, or another.
    pub host: Option<String>,
    /// For https backends.
    pub tls: UpstreamTls,
    /// How a backend is chosen.
    pub balancing: Balancing,
    /// How long a connection without a request is kept.
    pub keepalive_timeout: Duration,
    /// Bytes of an answer's head.
    pub max_response_head: usize,
    /// Whether HTTP/2 is offered to https backends.
    pub http2: bool,
    /// Protocols that a request may ask for, in lower case (RFC 9110 section 7.8).
    pub upgrades: Vec<String>,
    /// When a request is tried again.
    pub retries: Retries,
}

/// Backends or the embedded default.
#[derive(Debug, Clone, PartialEq)]
pub enum UpstreamTarget {
    /// These.
    Backends(Vec<WeightedBackend>),
    /// The built-in upstream that answers with what it received.
    Echo,
    /// None: every request is redirected.
    Elsewhere,
}

/// How an https backend is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamTls {
    /// `false` accepts any certificate: for appliances with their own; a warning is logged.
    pub verify: bool,
    /// PEM of the only CA to trust, instead of the system's.
    pub ca: Option<PathBuf>,
    /// The name in SNI and in verification; the backend's host otherwise.
    pub server_name: Option<String>,
    /// What the edge shows of itself.
    pub certificate: Option<CertificateFiles>,
}

/// Whether the WAF runs and stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WafMode {
    /// Attacks are stopped.
    On,
    /// Attacks are only logged.
    DetectionOnly,
    /// Requests are not looked at.
    Off,
}

/// What judges requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WafEngine {
    /// Our own.
    #[default]
    Palisade,
    /// Coraza; only in builds with the feature `coraza`.
    Coraza,
}

/// What happens to a request body past the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyLimitAction {
    /// 413.
    Reject,
    /// The first part is inspected; the request is marked as partly inspected in the logs.
    InspectPartial,
}

/// The WAF policy of one route.
#[derive(Debug, Clone, PartialEq)]
pub struct WafPolicy {
    /// On, detection only, off.
    pub mode: WafMode,
    /// What the compiled rule set depends on; equal profiles share one.
    pub profile: Arc<WafProfile>,
    /// Bytes of a request body that are held for inspection.
    pub request_body_limit: usize,
    /// Past that limit.
    pub request_body_limit_action: BodyLimitAction,
    /// Whether phases 3 and 4 run.
    pub inspect_responses: bool,
    /// Bytes of a response body that are held for inspection; what is beyond streams uninspected.
    pub response_body_limit: usize,
    /// If the engine fails: `true` answers 500, `false` lets the request pass; both are counted.
    pub fail_closed: bool,
}

/// What a compiled rule set depends on. Equal profiles are compiled once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WafProfile {
    /// What judges requests.
    pub engine: WafEngine,
    /// What judges them as well, afterwards and without effect.
    pub shadow: Option<WafEngine>,
    /// 1 to 4: rules up to this level block.
    pub paranoia_level: u8,
    /// At least `paranoia_level`: rules up to this level are logged.
    pub detection_paranoia_level: u8,
    /// Requests with at least this score are blocked; 5 is one critical match.
    pub inbound_threshold: u32,
    /// Responses likewise; 4 is one error match.
    pub outbound_threshold: u32,
    /// MIME types whose response bodies are inspected, lower case.
    pub response_mime_types: Vec<String>,
    /// Methods that are no finding by themselves.
    pub allowed_methods: Vec<String>,
    /// Content types of requests that are no finding by themselves, lower case.
    pub allowed_content_types: Vec<String>,
    /// Arguments (query and body together) of a request; more are refused.
    pub argument_limit: u32,
    /// Harmless requests that each worker recalls; 0 for none.
    pub recalled_requests: u32,
    /// Exclusions, in order.
    pub exclusions: Vec<Exclusion>,
    /// SecLang files read before the CRS.
    pub seclang_before: Vec<PathBuf>,
    /// SecLang files read after the CRS.
    pub seclang_after: Vec<PathBuf>,
}

/// A false positive, excluded as narrowly as its author could.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exclusion {
    /// Which rules.
    pub rules: ExcludedRules,
    /// Which targets, SecLang's names (`ARGS:comment`, `REQUEST_COOKIES:/^id_/`); empty switches the rules
    /// off altogether.
    pub targets: Vec<String>,
    /// Only for these hosts; empty for all of the route's.
    pub hosts: Vec<HostPattern>,
    /// Only for this path.
    pub path: Option<PathMatch>,
    /// Only for these methods; empty for all.
    pub methods: Vec<String>,
    /// Why: shown by `palisade check` and in documentation of the next reader.
    pub reason: String,
}

/// The rules of an exclusion.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ExcludedRules {
    /// Inclusive ranges of ids.
    Ids(Vec<(u64, u64)>),
    /// Rules with any of these tags.
    Tags(Vec<String>),
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Wildcard(suffix) => write!(f, "*.{suffix}"),
        }
    }
}

/// As the file writes it: `"/api"` for a prefix, `{ exact = "/api" }`.
impl fmt::Display for PathMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => write!(f, "{{ exact = \"{path}\" }}"),
            Self::Prefix(path) => write!(f, "\"{path}\""),
        }
    }
}
