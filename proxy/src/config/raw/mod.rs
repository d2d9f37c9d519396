//! What the files say: every option that was written, nothing that was not. Defaults and what options mean
//! to one another are the business of [`super::build`].

mod access;
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

use std::path::PathBuf;
use std::time::Duration;

use super::ready::SecretSource;
pub(super) use access::{Access, AddressLists, RateLimit, RouteAccess};
pub(super) use auth::{BasicAuth, ForwardAuth};
pub(super) use bans::Bans;
pub(super) use client_certificate::ClientCertificate;
pub(super) use errors::Errors;
pub(super) use filters::{Compression, Cors, Filters, Mirror};
pub(super) use headers::{Frames, Preset, SecurityHeaders};
pub(super) use health::Health;
pub(super) use listen::{Http2, Listen};
pub(super) use matching::Conditions;
pub(super) use services::{Acme, Ddns, Dns, RouteDns, Zone};
pub(super) use upstream::{Balancing, Ejection, Retries, Sticky, WeightedBackend};

use super::decode::At;
use super::errors::Place;
use super::ready::{
    BodyLimitAction, CertificateFiles, Exclusion, HostPattern, LogFormat, LogTarget, RoutePath, TlsVersion,
    UnknownSni, WafEngine, WafMode,
};

/// The entry file, with the routes of all files.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) server: Server,
    pub(super) listen: Listen,
    pub(super) tls: Tls,
    pub(super) log: Log,
    pub(super) errors: Errors,
    pub(super) waf: Waf,
    pub(super) access: Access,
    pub(super) bans: Bans,
    pub(super) security_headers: SecurityHeaders,
    pub(super) upstream: Timeouts,
    pub(super) balancing: Balancing,
    pub(super) idle_connections: Option<usize>,
    pub(super) sticky_key: Option<SecretSource>,
    pub(super) zones: Vec<Zone>,
    pub(super) acme: Acme,
    pub(super) dns: Dns,
    pub(super) ddns: Ddns,
    pub(super) routes: Vec<Route>,
}

/// `[server]`.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) grace: Option<Duration>,
    pub(super) workers: Option<usize>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) drain_delay: Option<Duration>,
    /// `Some(None)`: none, said aloud.
    pub(super) upgrade_socket: Option<Option<PathBuf>>,
}

/// `[tls]`.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) min_version: Option<TlsVersion>,
    pub(super) unknown_sni: Option<UnknownSni>,
    pub(super) self_signed: Option<Vec<HostPattern>>,
    pub(super) certificates: Vec<CertificateFiles>,
    /// Whether certificates are named at all, right or wrong.
    pub(super) names_certificates: bool,
    pub(super) place: Place,
}

/// `[log]`.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) level: Option<String>,
    pub(super) format: Option<LogFormat>,
    pub(super) access: Option<LogTarget>,
    pub(super) audit: Option<LogTarget>,
    pub(super) matches: Option<LogTarget>,
}

/// `[waf]`.
#[derive(Debug)]
pub(super) struct Waf {
    pub(super) rules: Option<PathBuf>,
    pub(super) body_memory: Option<usize>,
    pub(super) body_memory_per_client: Option<usize>,
    pub(super) policy: WafPolicy,
}

/// The keys that `[waf]` and a route's `waf` share.
#[derive(Debug)]
pub(super) struct WafPolicy {
    pub(super) mode: Option<WafMode>,
    pub(super) engine: Option<At<WafEngine>>,
    pub(super) shadow: Option<At<Option<WafEngine>>>,
    pub(super) paranoia_level: Option<u8>,
    pub(super) detection_paranoia_level: Option<At<u8>>,
    pub(super) inbound_threshold: Option<u32>,
    pub(super) outbound_threshold: Option<u32>,
    pub(super) request_body_limit: Option<At<usize>>,
    pub(super) request_body_limit_action: Option<BodyLimitAction>,
    pub(super) inspect_responses: Option<bool>,
    pub(super) response_body_limit: Option<At<usize>>,
    pub(super) response_mime_types: Option<Vec<String>>,
    pub(super) allowed_methods: Option<Vec<String>>,
    pub(super) allowed_content_types: Option<Vec<String>>,
    pub(super) argument_limit: Option<u32>,
    pub(super) recalled_requests: Option<u32>,
    pub(super) fail_closed: Option<bool>,
    pub(super) seclang_before: Option<Vec<PathBuf>>,
    pub(super) seclang_after: Option<Vec<PathBuf>>,
    pub(super) exclusions: Vec<At<Exclusion>>,
}

/// `[upstream]`, and a route's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Option<Duration>,
    pub(super) first_byte: Option<Duration>,
    pub(super) idle: Option<Duration>,
}

/// One of `[[routes]]`.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) name: At<String>,
    pub(super) hosts: Vec<At<HostPattern>>,
    /// Whether every host and backend was right: only then can something be found to be missing from them.
    pub(super) complete: bool,
    /// `None` where the file names none.
    pub(super) paths: Option<Vec<At<RoutePath>>>,
    pub(super) conditions: Conditions,
    pub(super) target: Target,
    pub(super) timeouts: Timeouts,
    pub(super) balancing: Balancing,
    pub(super) sticky: Option<At<Sticky>>,
    pub(super) health: Option<Health>,
    /// `Some(None)`: the client's, said aloud.
    pub(super) host: Option<Option<String>>,
    pub(super) tls: Option<At<UpstreamTls>>,
    pub(super) waf: WafPolicy,
    pub(super) dns: RouteDns,
    pub(super) filters: Filters,
    pub(super) access: RouteAccess,
    pub(super) security_headers: SecurityHeaders,
}

/// A route's `backends` or `echo`; neither where it has a `redirect`.
#[derive(Debug)]
pub(super) enum Target {
    Backends(Vec<WeightedBackend>),
    Echo,
    Elsewhere,
}

/// A route's `tls`.
#[derive(Debug)]
pub(super) struct UpstreamTls {
    pub(super) verify: Option<bool>,
    pub(super) ca: Option<PathBuf>,
    pub(super) server_name: Option<String>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}
