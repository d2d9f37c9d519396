//! What was last agreed on, kept in a file: a restart during an outage must not forget it.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ddns::address::Family;

/// The addresses that were last agreed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Of IPv4.
    ipv4: Option<Agreed>,
    /// Of IPv6.
    ipv6: Option<Agreed>,
}

/// An address that methods agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Agreed {
    /// The address.
    pub(super) address: IpAddr,
    /// When it was first agreed on.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) since: OffsetDateTime,
}

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}")]
pub(super) struct KnownError {
    path: PathBuf,
    cause: io::Error,
}

impl Known {
    /// Reads the file. Where there is none, nothing is known yet.
    pub(super) fn read(path: &Path) -> Result<Self, KnownError> {
        let known = match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        };
        known.map_err(|cause| KnownError {
            path: path.to_owned(),
            cause,
        })
    }

    /// Replaces the file: whoever reads it sees the old or the new.
    pub(super) fn write(&self, path: &Path) -> Result<(), KnownError> {
        self.replace(path).map_err(|cause| KnownError {
            path: path.to_owned(),
            cause,
        })
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// What is known of this family.
    pub(super) fn of(&self, family: Family) -> Option<Agreed> {
        let agreed = match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        };
        // A file can hold anything.
        agreed.filter(|agreed| family.holds(agreed.address))
    }

    /// Takes note of what was agreed on.
    pub(super) fn learn(&mut self, family: Family, agreed: Agreed) {
        let slot = match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        };
        *slot = Some(agreed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddns_what_was_agreed_on_outlives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("ddns.json");
        let mut known = Known::read(&path).unwrap();
        assert_eq!(known, Known::default());

        let agreed = Agreed {
            address: [8, 8, 8, 8].into(),
            since: OffsetDateTime::UNIX_EPOCH,
        };
        known.learn(Family::Ipv4, agreed);
        known.write(&path).unwrap();
        known.write(&path).unwrap();

        let read = Known::read(&path).unwrap();
        assert_eq!(read.of(Family::Ipv4), Some(agreed));
        assert_eq!(read.of(Family::Ipv6), None);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn ddns_a_damaged_file_is_told_and_another_family_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ddns.json");
        std::fs::write(&path, "{\"ipv4\":").unwrap();
        let told = Known::read(&path).unwrap_err().to_string();
        assert!(told.contains("ddns.json: EOF"), "{told}");
        let odd = r#"{"ipv4":{"address":"::1","since":"2026-01-01T00:00:00Z"},"ipv6":null}"#;
        std::fs::write(&path, odd).unwrap();
        assert_eq!(Known::read(&path).unwrap().of(Family::Ipv4), None);
    }
}
