//! What is compared.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::place::Place;
use crate::{envoy, go_coraza, haproxy, nginx, palisade};

/// A proxy in one of its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The edge, and its mode.
    Palisade(&'static str),
    /// Without a WAF.
    Envoy,
    /// With libmodsecurity or without.
    Nginx(Waf),
    /// Without a WAF.
    Haproxy,
    /// Go's reverse proxy, with Coraza or without.
    Go(Waf),
}

/// Is there one?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waf {
    /// With the OWASP CRS, engine on.
    On,
    /// None.
    None,
}

/// Why a peer is not measured.
#[derive(Debug, thiserror::Error)]
pub enum Absent {
    /// It is not installed.
    #[error("{0} is not there; scripts/peers.sh sets it up")]
    NotInstalled(PathBuf),
    /// Its configuration cannot be written.
    #[error("its configuration cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// How a peer is started.
#[derive(Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Added to its environment.
    pub environment: Vec<(&'static str, &'static str)>,
}

/// All, in the order of the tables.
pub const PEERS: [Peer; 9] = [
    Peer::Palisade("off"),
    Peer::Palisade("detection-only"),
    Peer::Palisade("on"),
    Peer::Envoy,
    Peer::Nginx(Waf::None),
    Peer::Haproxy,
    Peer::Go(Waf::None),
    Peer::Nginx(Waf::On),
    Peer::Go(Waf::On),
];

impl Peer {
    /// The peer of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PEERS.into_iter().find(|peer| peer.name() == name)
    }

    /// In tables, in the names of folders.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Palisade("off") => "palisade-off",
            Self::Palisade("detection-only") => "palisade-detection",
            Self::Palisade(_) => "palisade-on",
            Self::Envoy => "envoy",
            Self::Nginx(Waf::None) => "nginx",
            Self::Nginx(Waf::On) => "nginx-modsecurity",
            Self::Haproxy => "haproxy",
            Self::Go(Waf::None) => "go-no-waf",
            Self::Go(Waf::On) => "go-coraza",
        }
    }

    /// Its place in the tables, and its port.
    #[must_use]
    pub fn number(self) -> u16 {
        let place = PEERS.iter().position(|peer| *peer == self);
        place.unwrap_or_default() as u16
    }

    /// Does it stop attacks?
    #[must_use]
    pub fn blocks(self) -> bool {
        matches!(
            self,
            Self::Palisade("on") | Self::Nginx(Waf::On) | Self::Go(Waf::On)
        )
    }

    /// Writes its configuration.
    pub fn prepare(self, place: &Place) -> Result<Launch, Absent> {
        let setting = Setting {
            name: self.name(),
            place,
            listen: place.proxy(self.number()),
        };
        match self {
            Self::Palisade(mode) => palisade::prepare(&setting, mode),
            Self::Envoy => envoy::prepare(&setting),
            Self::Nginx(waf) => nginx::prepare(&setting, waf),
            Self::Haproxy => haproxy::prepare(&setting),
            Self::Go(waf) => go_coraza::prepare(&setting, waf),
        }
    }
}

/// What a peer's configuration is made of.
pub(super) struct Setting<'a> {
    pub(super) name: &'static str,
    pub(super) place: &'a Place,
    pub(super) listen: SocketAddr,
}

impl Setting<'_> {
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        self.place.write(self.name, name, text)
    }
}

/// The first of these that exists.
pub(super) fn installed(candidates: &[PathBuf]) -> Result<PathBuf, Absent> {
    let found = candidates.iter().find(|path| path.exists());
    let first = candidates.first().cloned().unwrap_or_default();
    found.cloned().ok_or(Absent::NotInstalled(first))
}
