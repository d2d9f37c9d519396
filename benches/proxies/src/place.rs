//! Where a measurement lives: a folder for configurations and logs, the certificate, ports, and what is read.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::load::HOST;

/// Nothing else of a developer's machine is likely to be here.
const FIRST_PORT: u16 = 19_000;

/// See the module.
#[derive(Debug)]
pub struct Place {
    /// Made anew for each run.
    pub folder: PathBuf,
    /// The binary of the edge.
    pub palisade: PathBuf,
    /// An installed OWASP CRS.
    pub rules: PathBuf,
    /// What `scripts/peers.sh` made.
    pub peers: PathBuf,
}

impl Place {
    /// Writes the certificate, unless one is there.
    pub fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        if self.certificate().exists() {
            return Ok(());
        }
        let certified =
            rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).map_err(io::Error::other)?;
        let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
        fs::write(self.certificate(), &certificate)?;
        fs::write(self.key(), &key)?;
        fs::write(self.both(), certificate + &key)
    }

    /// PEM: ECDSA P-256, self-signed.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Both in one file.
    #[must_use]
    pub fn both(&self) -> PathBuf {
        self.folder.join("both.pem")
    }

    /// Where the upstream listens.
    #[must_use]
    pub fn upstream(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, FIRST_PORT).into()
    }

    /// Where the proxy of this number listens.
    #[must_use]
    pub fn proxy(&self, number: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, FIRST_PORT + 1 + number).into()
    }

    /// Writes a file for a peer.
    pub fn write(&self, peer: &str, name: &str, text: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join(peer);
        fs::create_dir_all(&folder)?;
        let path = folder.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// SecLang that switches the rule set on over an engine's recommended settings. Answers pass uninspected, as
    /// with the edge's defaults.
    #[must_use]
    pub fn directives(&self, recommended: &Path) -> String {
        format!(
            "Include {}\nSecRuleEngine On\nSecResponseBodyAccess Off\nSecAuditEngine Off\n\
             Include {rules}/crs-setup.conf.example\nInclude {rules}/rules/*.conf\n",
            recommended.display(),
            rules = self.rules.display(),
        )
    }
}
