//! The country of an address, by a database in MaxMind's format: MaxMind's own, DB-IP's, IPinfo's.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use maxminddb::{PathElement, Reader};

use super::AccessError;
use crate::config::Country;

/// Where the code stands in the databases there are. Where an address is used tells more than where it is registered.
const PLACES: [&[PathElement<'static>]; 4] = [
    &[PathElement::Key("country"), PathElement::Key("iso_code")],
    &[
        PathElement::Key("registered_country"),
        PathElement::Key("iso_code"),
    ],
    &[PathElement::Key("country_code")],
    &[PathElement::Key("country")],
];

/// A database of countries.
pub struct Countries {
    reader: Reader<Vec<u8>>,
    read_from: (PathBuf, Option<SystemTime>, usize),
}

impl Countries {
    /// Reads the database; `previous` is taken where it is the same file still.
    pub fn read(path: &Path, previous: Option<&Arc<Self>>) -> Result<Arc<Self>, AccessError> {
        let failed = |source| AccessError::Countries {
            path: path.to_owned(),
            source,
        };
        let found = std::fs::metadata(path).map_err(|error| failed(error.into()))?;
        let length = usize::try_from(found.len()).unwrap_or(usize::MAX);
        let read_from = (path.to_owned(), found.modified().ok(), length);
        if let Some(previous) = previous.filter(|previous| previous.read_from == read_from) {
            return Ok(Arc::clone(previous));
        }
        let content = std::fs::read(path).map_err(|error| failed(error.into()))?;
        let reader = Reader::from_source(content).map_err(failed)?;
        Ok(Arc::new(Self { reader, read_from }))
    }

    /// The country; none where the database does not know, or is broken at that place.
    pub fn of(&self, address: IpAddr) -> Option<Country> {
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let code = |place: &[PathElement<'_>]| {
            let code = found.decode_path::<&str>(place).ok().flatten()?;
            match code.as_bytes() {
                [a, b] => Some(Country([*a, *b])),
                _ => None,
            }
        };
        PLACES.iter().find_map(|place| code(place))
    }
}

impl std::fmt::Debug for Countries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Countries({})", self.read_from.0.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::database;

    #[test]
    fn a_country_is_found_by_network_and_an_unknown_address_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countries.mmdb");
        let networks = [
            ("203.0.113.0/24", "DE"),
            ("198.51.100.128/25", "FR"),
            ("2001:db8::/32", "AT"),
        ];
        std::fs::write(&path, database(&networks)).unwrap();
        let countries = Countries::read(&path, None).unwrap();
        for (address, expected) in [
            ("203.0.113.7", Some(b"DE")),
            ("::ffff:203.0.113.7", Some(b"DE")),
            ("198.51.100.200", Some(b"FR")),
            ("198.51.100.1", None),
            ("2001:db8::1", Some(b"AT")),
            ("192.168.1.1", None),
            ("::1", None),
        ] {
            let found = countries.of(address.parse().unwrap());
            assert_eq!(found, expected.map(|code| Country(*code)), "{address}");
        }
        let again = Countries::read(&path, Some(&countries)).unwrap();
        assert!(
            Arc::ptr_eq(&again, &countries),
            "an unchanged file is not read again"
        );
        std::fs::write(&path, database(&[("203.0.113.0/24", "FR")])).unwrap();
        let changed = Countries::read(&path, Some(&countries)).unwrap();
        assert_eq!(changed.of("203.0.113.7".parse().unwrap()), Some(Country(*b"FR")));
    }

    #[test]
    fn what_is_no_database_is_refused_and_a_broken_one_knows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countries.mmdb");
        assert!(matches!(
            Countries::read(&path, None),
            Err(AccessError::Countries { .. })
        ));
        std::fs::write(&path, "not a database").unwrap();
        assert!(matches!(
            Countries::read(&path, None),
            Err(AccessError::Countries { .. })
        ));
        let whole = database(&[("203.0.113.0/24", "DE")]);
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xff;
            std::fs::write(&path, broken).unwrap();
            if let Ok(countries) = Countries::read(&path, None) {
                let _ = countries.of("203.0.113.7".parse().unwrap());
            }
        }
    }
}
