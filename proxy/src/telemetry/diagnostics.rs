//! Diagnostics: what the process has to say about itself, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

use crate::config::{Log, LogFormat};

/// Pingora logs each failed request by itself; the access log says the same with more facts. Of a head that it
/// cannot read, its small HTTP server (redirects, admin, echo) logs the beginning, credentials included: never. Of odd frames
/// the h2 crate warns one by one: whoever sends them would write the log.
const QUIET: &str =
    "pingora_proxy=error,pingora_core=error,pingora_core::apps=off,pingora_pool=error,h2=error";

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
