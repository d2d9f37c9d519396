//! Why the edge does not start, or does not take a new configuration.

use std::net::SocketAddr;

use crate::certs::CertificateError;
use crate::config::ConfigErrors;
use crate::handover::HandoverError;
use crate::listen::BindError;
use crate::rules::RulesError;
use crate::snapshot::SnapshotError;
use crate::telemetry::SinkError;

/// Why a configuration cannot serve. Everything that can be known is reported at once.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The files.
    #[error("{0}")]
    Config(ConfigErrors),
    /// The rule set.
    #[error(
        "{source}\nThe WAF is on and has no rules it can trust. Run `palisade rules install --config {config}`, or set [waf].mode = \"off\" knowingly."
    )]
    Rules {
        /// The configuration's path, for the command.
        config: String,
        /// What is wrong with it.
        source: RulesError,
    },
    /// Routes: their rules or upstreams.
    #[error("{}", lines(.0))]
    Routes(Vec<SnapshotError>),
    /// Certificates.
    #[error("{}", lines(.0))]
    Certificates(Vec<CertificateError>),
    /// The loading itself broke off.
    #[error("loading broke off, which is a bug in Palisade: {0}")]
    Broken(tokio::task::JoinError),
}

/// Why the edge does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot serve.
    #[error(transparent)]
    Reload(#[from] ReloadError),
    /// There is nothing to present to TLS clients.
    #[error("no certificate: set [[tls.certificates]], or [tls].self_signed for a first try")]
    NoCertificate,
    /// A socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The sockets of the edge that runs.
    #[error("no upgrade: {0}")]
    Handover(#[from] HandoverError),
    /// What systemd passed on.
    #[error("systemd's sockets cannot be used: {0}")]
    Activation(std::io::Error),
    /// A socket that the configuration does not know.
    #[error(
        "systemd listens on {0} for this edge, and [listen] does not name that address: add it there, or take it out of the .socket unit"
    )]
    Unnamed(SocketAddr),
    /// A log.
    #[error(transparent)]
    Log(#[from] SinkError),
    /// TLS itself.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The runtime.
    #[error("cannot start worker threads: {0}")]
    Runtime(std::io::Error),
}

fn lines<E: std::fmt::Display>(errors: &[E]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
