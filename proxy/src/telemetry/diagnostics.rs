//! Diagnostics: what the process has to say about itself, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

use crate::config::{Log, LogFormat};

/// Pingora logs each failed request by itself; the access log says the same with more facts.
const QUIET: &str = "pingora_proxy=error,pingora_core=error,pingora_pool=error";

/// Installs the process-wide subscriber, once; later calls change nothing. `PALISADE_LOG` overrides the
/// configured filter.
pub fn init_diagnostics(log: &Log) {
    let wanted = std::env::var("PALISADE_LOG").unwrap_or_else(|_| log.level.clone());
    let filter = EnvFilter::try_new(format!("{QUIET},{wanted}")).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = SubscriberBuilder::default()
        .with_env_filter(filter)
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

/// Whether people read the log.
pub(super) fn human_readable(format: LogFormat) -> bool {
    match format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    }
}
