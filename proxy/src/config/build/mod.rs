//! From what the files say to what is true: defaults filled in, options held against one another. The
//! reasons for the defaults stand in `config/palisade.toml`; a test keeps the two equal.

mod access;
mod auth;
mod bans;
mod client_certificate;
mod filters;
mod headers;
mod health;
mod listen;
mod matching;
mod routes;
mod services;
mod upstream;
mod waf;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::errors::{Problem, Report};
use super::raw;
use super::ready::{
    Config, ErrorPages, HostPattern, Log, LogFormat, LogTarget, Server, Tls, TlsVersion, UnknownSni, Waf,
    Zone,
};

const DATA_DIR: &str = "/var/lib/palisade";

/// The configuration, right only if `report` stayed empty.
pub(super) fn config(raw: raw::Config, report: &Report, mut files: Vec<PathBuf>) -> Config {
    files.extend(raw.errors.files);
    let server = server(raw.server);
    let body_memory = raw.waf.body_memory.unwrap_or(256 << 20);
    let body_memory_per_client = raw.waf.body_memory_per_client.unwrap_or(body_memory / 4);
    let mut policies = waf::Policies::new(raw.waf.policy, body_memory, report);
    let zones = services::zones(raw.zones, report);
    headers::check_preload(&raw.security_headers, report);
    let defaults = routes::Defaults {
        timeouts: raw.upstream,
        balancing: raw.balancing,
        security_headers: raw.security_headers,
    };
    let routes = routes::routes(raw.routes, &defaults, &mut policies, report);
    access::needs_database(&raw.access, &routes, report);
    Config {
        listen: listen::listen(raw.listen, report),
        tls: tls(raw.tls, &zones, report),
        log: log(raw.log, &server),
        errors: Arc::new(ErrorPages::new(raw.errors.pages)),
        waf: Waf {
            rules: raw.waf.rules.unwrap_or_else(|| server.data_dir.join("crs")),
            body_memory,
            body_memory_per_client,
        },
        idle_connections: raw.idle_connections.unwrap_or(1024),
        sticky_key: raw.sticky_key,
        access: access::access(raw.access),
        bans: bans::bans(raw.bans),
        zones,
        acme: services::acme(raw.acme, report),
        dns: services::dns(raw.dns, report),
        ddns: services::ddns(raw.ddns, report),
        server,
        routes,
        files,
    }
}

fn server(raw: raw::Server) -> Server {
    let data_dir = raw.data_dir.unwrap_or_else(|| PathBuf::from(DATA_DIR));
    let upgrade_socket = raw
        .upgrade_socket
        .unwrap_or_else(|| Some(data_dir.join("upgrade.sock")));
    Server {
        grace: raw.grace.unwrap_or(Duration::from_secs(25)),
        workers: raw.workers.and_then(NonZeroUsize::new),
        drain_delay: raw.drain_delay.unwrap_or(Duration::from_secs(2)),
        upgrade_socket,
        data_dir,
    }
}

fn tls(raw: raw::Tls, zones: &[Zone], report: &Report) -> Tls {
    let certified = raw.names_certificates || zones.iter().any(|zone| !zone.certificates.is_empty());
    // Without any certificate the edge still starts and says so; with certificates it makes none up.
    let self_signed = raw.self_signed.unwrap_or_else(|| match certified {
        true => Vec::new(),
        false => vec![
            HostPattern::Exact("localhost".to_owned()),
            HostPattern::Wildcard("localhost".to_owned()),
        ],
    });
    if self_signed.is_empty() && !certified {
        let reason = "there is neither a certificate nor a name for a self-signed one";
        report.problem(&raw.place, Problem::Contradiction(reason.to_owned()));
    }
    Tls {
        min_version: raw.min_version.unwrap_or(TlsVersion::V1_2),
        unknown_sni: raw.unknown_sni.unwrap_or(UnknownSni::Default),
        certificates: raw.certificates,
        self_signed: self_signed.iter().map(HostPattern::to_string).collect(),
    }
}

fn log(raw: raw::Log, server: &Server) -> Log {
    Log {
        level: raw.level.unwrap_or_else(|| "info".to_owned()),
        format: raw.format.unwrap_or(LogFormat::Auto),
        access: raw.access.unwrap_or(LogTarget::Stdout),
        audit: raw
            .audit
            .unwrap_or_else(|| LogTarget::File(server.data_dir.join("audit.log"))),
        matches: raw.matches.unwrap_or(LogTarget::Off),
    }
}
