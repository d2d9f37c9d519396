//! The country of an address, by a database in MaxMind's format: MaxMind's own, DB-IP's, IPinfo's.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use maxminddb::{LookupResult, PathElement, Reader, WithinOptions};

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

/// Entries without a country before a database is taken for one of something else.
const LOOKED_AT: usize = 10_000;

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
        if !tells_countries(&reader) {
            return Err(AccessError::NoCountries {
                path: path.to_owned(),
            });
        }
        Ok(Arc::new(Self { reader, read_from }))
    }

    /// The country; none where the database does not know, or is broken at that place.
    pub fn of(&self, address: IpAddr) -> Option<Country> {
        country(&self.reader.lookup(address.to_canonical()).ok()?)
    }
}

/// Whether any of the first entries names a country: a database of something else would deny nobody.
fn tells_countries(reader: &Reader<Vec<u8>>) -> bool {
    let entries = reader.networks(WithinOptions::default());
    let mut first = entries.into_iter().flatten().flatten().take(LOOKED_AT);
    first.any(|entry| country(&entry).is_some())
}

fn country(entry: &LookupResult<'_, Vec<u8>>) -> Option<Country> {
    let code = |place: &[PathElement<'_>]| {
        let code = entry.decode_path::<&str>(place).ok().flatten()?;
        match code.as_bytes() {
            [a, b] => Some(Country([*a, *b])),
            _ => None,
        }
    };
    PLACES.iter().find_map(|place| code(place))
}

impl std::fmt::Debug for Countries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Countries({})", self.read_from.0.display())
    }
}
