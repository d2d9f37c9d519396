//! From a configuration file to an edge that is ready to accept.

use std::hash::RandomState;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use tokio::sync::watch;

use super::bans::Restored;
use super::reload::Reloader;
use super::sockets::{Addresses, Inherited, Sockets, local};
use super::{ReloadError, StartError};
use crate::certs::{self, CertificateStore};
use crate::config::Config;
use crate::flow::EdgeParts;
use crate::handover::Predecessor;
use crate::limit::Bans;
use crate::profile::Profiles;
use crate::snapshot::{Ingredients, Snapshot, SnapshotHandle};
use crate::telemetry::access::Style;
use crate::telemetry::{Metrics, Sink};
use crate::watch::FileWatch;

/// An edge whose configuration is proven, whose rules block, and whose sockets are bound. It accepts nothing
/// until it is started.
pub struct App {
    pub(super) reloader: Reloader,
    pub(super) parts: EdgeParts,
    pub(super) sockets: Sockets,
    pub(super) addresses: Addresses,
    pub(super) files: FileWatch,
    /// The edge that serves until this one is started.
    pub(super) predecessor: Option<Predecessor>,
    /// The bans that were kept.
    pub(super) restored: Restored,
}

impl App {
    /// Loads the configuration, compiles and proves the rules, reads certificates, binds sockets.
    pub fn build(path: &Path) -> Result<Self, StartError> {
        Self::build_as(path, false)
    }

    /// The same with the sockets of the edge that runs, which serves until this one is started.
    pub fn build_upgrade(path: &Path) -> Result<Self, StartError> {
        Self::build_as(path, true)
    }

    fn build_as(path: &Path, upgrade: bool) -> Result<Self, StartError> {
        // An error means that the provider is there already.
        let _ = aws_lc_rs::default_provider().install_default();
        let config = super::reload::load_config(path)?;
        // From here on: compiling takes a while, and an edit in that time must not go unnoticed.
        let mut files = FileWatch::new();
        files.watch(config.files.iter().map(PathBuf::as_path));
        crate::telemetry::init_diagnostics(&config.log);
        let (access, audit) = (Sink::open(&config.log.access)?, Sink::open(&config.log.audit)?);
        let matches = Sink::open(&config.log.matches)?;
        let style = Style::of(&config.log);
        let mut inherited = Inherited::new(&config.server, upgrade)?;
        let sockets = Sockets::open(&config.listen, &mut inherited)?;
        let addresses = sockets.addresses();
        let reloader = first(path, config, local(&sockets.echo))?;
        if inherited.predecessor.is_some() {
            reloader.metrics.await_inheritance();
        }
        let serves = &reloader.snapshots.load().config;
        let awaited = serves.zones.iter().any(|zone| !zone.certificates.is_empty());
        let none = reloader.certificates.current().entries().is_empty();
        if !addresses.https.is_empty() && none && !awaited {
            return Err(StartError::NoCertificate);
        }
        let bans = Arc::new(Bans::new(RandomState::new()));
        let restored = Restored::new(&bans, serves);
        let parts = EdgeParts {
            bans,
            snapshots: reloader.snapshots.clone(),
            certificates: reloader.certificates.clone(),
            metrics: Arc::clone(&reloader.metrics),
            access,
            style,
            audit,
            matches,
        };
        Ok(Self {
            reloader,
            parts,
            sockets,
            addresses,
            files,
            predecessor: inherited.predecessor,
            restored,
        })
    }

    /// The real addresses, where the configuration said port 0.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }
}

/// The first load.
fn first(path: &Path, config: Config, echo: SocketAddr) -> Result<Reloader, ReloadError> {
    let profiles = Profiles::new();
    super::reload::open_rules(path, &config, &profiles)?;
    let certificates =
        certs::load(&config.tls, &config.server.data_dir).map_err(ReloadError::Certificates)?;
    let ingredients = Ingredients {
        profiles: &profiles,
        echo,
        previous: None,
    };
    let snapshot = Snapshot::build(config, &ingredients).map_err(ReloadError::Routes)?;
    let metrics = Arc::new(Metrics::default());
    metrics.generation.set(1);
    metrics.reloaded(true);
    Ok(Reloader {
        path: PathBuf::from(path),
        echo,
        profiles,
        metrics,
        certificates: CertificateStore::new(certificates),
        snapshots: SnapshotHandle::new(snapshot),
        generation: watch::Sender::new(1),
    })
}
