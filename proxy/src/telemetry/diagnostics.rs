//! Diagnostics: what the process has to say about itself, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

use crate::config::{Log, LogFormat};

/// Pingora logs each failed request by itself; the access log says the same with more facts. Of a head that it
/// cannot read, its small HTTP server (redirects, admin, echo) logs the beginning, credentials included: never. Its
/// connectors call it an error when another request was faster to take an idle connection; a new one is made.
/// rustls and h2 warn of what strangers do in handshakes and frames (an address for a name, a renegotiation, a rapid
/// reset): whoever likes could fill the log with it, and metrics count it.
const QUIET: &str = "pingora_proxy=error,pingora_core=error,pingora_core::apps=off,pingora_core::connectors=off,\
    pingora_pool=error,rustls=off,h2=error";

/// Installs the process-wide subscriber, once; later calls change nothing. `PALISADE_LOG` overrides the
/// configured filter.
pub fn init_diagnostics(log: &Log) {
    let wanted = std::env::var("PALISADE_LOG").unwrap_or_else(|_| log.level.clone());
    let builder = SubscriberBuilder::default()
        .with_env_filter(filter(&wanted))
        .with_writer(std::io::stderr);
    // An error means that a subscriber is installed already: a test, or a second edge in the process.
    let _ = if human_readable(log.format) {
        builder
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}

fn filter(wanted: &str) -> EnvFilter {
    EnvFilter::try_new(format!("{QUIET},{wanted}"))
        .unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},info")))
}

/// Whether people read the log.
pub(super) fn human_readable(format: LogFormat) -> bool {
    match format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    }
}

#[cfg(test)]
mod tests {
    use tracing::{Level, enabled};

    use super::*;

    #[test]
    fn strangers_cannot_fill_the_log() {
        let subscriber = SubscriberBuilder::default()
            .with_env_filter(filter("info"))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            assert!(!enabled!(target: "rustls::common_state", Level::WARN));
            assert!(!enabled!(target: "h2::proto::streams::recv", Level::WARN));
            assert!(!enabled!(target: "pingora_core::connectors", Level::ERROR));
            assert!(enabled!(target: "pingora_core::server", Level::ERROR));
        });
        let asked = SubscriberBuilder::default()
            .with_env_filter(filter("info,rustls=debug"))
            .finish();
        tracing::subscriber::with_default(asked, || {
            assert!(enabled!(target: "rustls::common_state", Level::DEBUG));
        });
    }

    #[test]
    fn heads_that_pingora_cannot_read_are_never_logged() {
        for wanted in ["info", "debug", "pingora_core=trace", "not a filter=="] {
            let subscriber = SubscriberBuilder::default()
                .with_env_filter(filter(wanted))
                .finish();
            tracing::subscriber::with_default(subscriber, || {
                assert!(
                    !enabled!(target: "pingora_core::apps::http_app", Level::ERROR),
                    "{wanted}"
                );
                assert!(!enabled!(target: "h2::proto::ping_pong", Level::WARN));
                assert!(enabled!(target: "palisade::app", Level::INFO) || wanted.starts_with("pingora"));
            });
        }
    }
}
