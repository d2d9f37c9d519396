//! A new configuration takes over in one step, or not at all.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{error, info, warn};

use super::ReloadError;
use crate::certs::{self, CertificateStore};
use crate::config::{self, Config, WafMode};
use crate::config_files::DiskFiles;
use crate::profile::Profiles;
use crate::rules;
use crate::snapshot::{Ingredients, Snapshot, SnapshotHandle};
use crate::telemetry::Metrics;

/// All that a reload touches.
pub(super) struct Reloader {
    pub(super) path: PathBuf,
    pub(super) echo: SocketAddr,
    pub(super) profiles: Profiles,
    pub(super) metrics: Arc<Metrics>,
    pub(super) certificates: CertificateStore,
    pub(super) snapshots: SnapshotHandle,
}

impl Reloader {
    /// Reads everything anew. On an error what serves now goes on serving, and log and metric say so.
    pub(super) fn reload(&self) -> Result<(), ReloadError> {
        let result = self.try_reload();
        self.metrics.reloaded(result.is_ok());
        match &result {
            Ok(()) => info!(
                generation = self.snapshots.load().generation,
                "configuration reloaded"
            ),
            Err(reason) => error!("configuration not reloaded; the one before goes on serving:\n{reason}"),
        }
        result
    }

    fn try_reload(&self) -> Result<(), ReloadError> {
        let config = load_config(&self.path)?;
        open_rules(&self.path, &config, &self.profiles)?;
        let certificates =
            certs::load(&config.tls, &config.server.data_dir).map_err(ReloadError::Certificates)?;
        let previous = self.snapshots.load();
        warn_of_restart(&previous.config, &config);
        let ingredients = Ingredients {
            profiles: &self.profiles,
            echo: self.echo,
            previous: Some(&previous),
        };
        let snapshot = Snapshot::build(config, &ingredients).map_err(ReloadError::Routes)?;
        self.metrics
            .generation
            .set(i64::try_from(snapshot.generation).unwrap_or(i64::MAX));
        self.certificates.publish(certificates);
        self.snapshots.publish(snapshot);
        self.profiles.forget_unused();
        Ok(())
    }

    /// The files whose change is a reason to reload.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let snapshot = self.snapshots.load();
        let config = &snapshot.config;
        let certificates = config.tls.certificates.iter();
        let mut files = config.files.clone();
        files.extend(certificates.flat_map(|pair| [pair.certificate.clone(), pair.key.clone()]));
        for route in &config.routes {
            files.extend(route.waf.profile.seclang_before.iter().cloned());
            files.extend(route.waf.profile.seclang_after.iter().cloned());
            files.extend(route.upstream.tls.ca.iter().cloned());
        }
        files
    }
}

/// Reads and builds the configuration.
pub(super) fn load_config(path: &Path) -> Result<Config, ReloadError> {
    config::load(path, &DiskFiles).map_err(ReloadError::Config)
}

/// Verifies the rule set and opens it for compilation, if any route needs it.
pub(super) fn open_rules(path: &Path, config: &Config, profiles: &Profiles) -> Result<(), ReloadError> {
    if config.routes.iter().all(|route| route.waf.mode == WafMode::Off) {
        return Ok(());
    }
    let installed = rules::verify(&config.waf.rules).map_err(|source| ReloadError::Rules {
        config: path.display().to_string(),
        source,
    })?;
    profiles.open(installed);
    Ok(())
}

/// Some options are read once, at start.
fn warn_of_restart(before: &Config, after: &Config) {
    let fixed = [
        ("[listen]", before.listen != after.listen),
        (
            "[tls].min_version",
            before.tls.min_version != after.tls.min_version,
        ),
        ("[log]", before.log != after.log),
        ("[server].workers", before.server.workers != after.server.workers),
    ];
    for (what, _) in fixed.iter().filter(|(_, changed)| *changed) {
        warn!("{what} has changed: it takes effect at the next start");
    }
}
