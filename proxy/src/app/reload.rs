//! A new configuration takes over in one step, or not at all.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, watch};
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
    /// The generation that serves: whoever does not ask at each request is told by it.
    pub(super) generation: watch::Sender<u64>,
}

impl Reloader {
    /// Reads everything anew. On an error, or a bug in a rule's compilation, what serves now goes on serving,
    /// and log and metric say so. `turn` is held to the end even if the caller is gone.
    pub(super) async fn reload<T: Send + 'static>(self: &Arc<Self>, turn: T) -> Result<(), ReloadError> {
        let reloader = Arc::clone(self);
        let result = apart(move || {
            let _turn = turn;
            reloader.try_reload()
        });
        self.report(result.await)
    }

    fn report(&self, result: Result<(), ReloadError>) -> Result<(), ReloadError> {
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
        let generation = snapshot.generation;
        self.certificates.publish(certificates);
        self.snapshots.publish(snapshot);
        self.generation.send_replace(generation);
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
        files.extend(config.access.country_database.iter().cloned());
        for route in &config.routes {
            files.extend(route.waf.profile.seclang_before.iter().cloned());
            files.extend(route.waf.profile.seclang_after.iter().cloned());
            files.extend(route.upstream.tls.ca.iter().cloned());
            let shown = route.upstream.tls.certificate.iter();
            files.extend(shown.flat_map(|pair| [pair.certificate.clone(), pair.key.clone()]));
            files.extend(route.access.files().map(Path::to_owned));
        }
        files
    }
}

/// One reload after another.
pub(super) async fn in_turn(reloader: &Arc<Reloader>, turn: &Arc<Mutex<()>>) -> Result<(), ReloadError> {
    let turn = Arc::clone(turn).lock_owned().await;
    reloader.reload(turn).await
}

/// Compiling rules takes a while: not on a worker that serves requests. And a panic in it ends there.
async fn apart<F>(work: F) -> Result<(), ReloadError>
where
    F: FnOnce() -> Result<(), ReloadError> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|broken| Err(ReloadError::Broken(broken)))
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
        (
            "[upstream].idle_connections",
            before.idle_connections != after.idle_connections,
        ),
        ("[server]", before.server != after.server),
    ];
    for (what, _) in fixed.iter().filter(|(_, changed)| *changed) {
        warn!("{what} has changed: it takes effect at the next start, or by SIGUSR2 without a pause");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::CertificateSet;
    use crate::config::testing::config;

    fn reloader() -> Reloader {
        let (profiles, echo) = (Profiles::new(), ([127, 0, 0, 1], 1).into());
        let ingredients = Ingredients {
            profiles: &profiles,
            echo,
            previous: None,
        };
        let text = "waf.mode = \"off\"\n[[routes]]\nname = \"app\"\nhosts = [\"app.example\"]\necho = true\n";
        let snapshot = Snapshot::build(config(text), &ingredients).unwrap();
        Reloader {
            path: PathBuf::from("palisade.toml"),
            echo,
            profiles,
            metrics: Arc::new(Metrics::default()),
            certificates: CertificateStore::new(CertificateSet::new(Vec::new(), true)),
            snapshots: SnapshotHandle::new(snapshot),
            generation: watch::Sender::new(1),
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_failed_reload() {
        let reloader = reloader();
        reloader.metrics.reloaded(true);
        let before = reloader.metrics.counts();
        let result = reloader.report(apart(|| panic!("a rule that nobody thought of")).await);
        assert!(matches!(result, Err(ReloadError::Broken(_))), "{result:?}");
        assert_ne!(before, reloader.metrics.counts());
        assert_eq!(reloader.snapshots.load().generation, 1);
    }
}
