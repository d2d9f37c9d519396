//! From a configuration file to an edge that is ready to accept.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use tokio::sync::watch;

use super::reload::Reloader;
use super::{ReloadError, StartError};
use crate::certs::{self, CertificateStore};
use crate::config::{Config, Listen};
use crate::flow::EdgeParts;
use crate::listen;
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
}

/// Where the edge listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// TLS.
    pub https: Vec<SocketAddr>,
    /// Plain; redirects only.
    pub http: Vec<SocketAddr>,
    /// Health and metrics.
    pub admin: Option<SocketAddr>,
}

/// Bound sockets.
pub(super) struct Sockets {
    pub(super) https: Vec<TcpListener>,
    pub(super) http: Vec<TcpListener>,
    pub(super) admin: Option<TcpListener>,
    pub(super) echo: TcpListener,
}

impl App {
    /// Loads the configuration, compiles and proves the rules, reads certificates, binds sockets.
    pub fn build(path: &Path) -> Result<Self, StartError> {
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
        let sockets = Sockets::bind(&config.listen)?;
        let addresses = sockets.addresses();
        let reloader = first(path, config, local(&sockets.echo))?;
        let serves = &reloader.snapshots.load().config;
        let awaited = serves.zones.iter().any(|zone| !zone.certificates.is_empty());
        let none = reloader.certificates.current().entries().is_empty();
        if !addresses.https.is_empty() && none && !awaited {
            return Err(StartError::NoCertificate);
        }
        let parts = EdgeParts {
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

impl Sockets {
    fn bind(listen: &Listen) -> Result<Self, StartError> {
        let all = |addresses: &[SocketAddr]| {
            addresses
                .iter()
                .map(|a| listen::bind(*a))
                .collect::<Result<_, _>>()
        };
        Ok(Self {
            https: all(&listen.https)?,
            http: all(&listen.http)?,
            admin: listen.admin.map(listen::bind).transpose()?,
            echo: listen::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?,
        })
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            https: self.https.iter().map(local).collect(),
            http: self.http.iter().map(local).collect(),
            admin: self.admin.as_ref().map(local),
        }
    }
}

fn local(listener: &TcpListener) -> SocketAddr {
    listener
        .local_addr()
        .unwrap_or_else(|_| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
}
