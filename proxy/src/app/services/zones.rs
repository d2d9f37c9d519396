//! The zones of a configuration, each with a client for its API.

use std::sync::Arc;

use crate::cloudflare::{Client, Clients};
use crate::config::{Zone, is_within};
use crate::secret::SecretError;

/// The zones. Cheap to clone.
#[derive(Clone)]
pub(in crate::app) struct Zones {
    zones: Arc<[Zone]>,
    clients: Clients,
}

impl Zones {
    pub(in crate::app) fn new(zones: &[Zone], clients: Clients) -> Self {
        Self {
            zones: zones.into(),
            clients,
        }
    }

    /// The zone that a name is in: the most specific one.
    pub(in crate::app) fn of(&self, name: &str) -> Option<&Zone> {
        let around = self.zones.iter().filter(|zone| is_within(name, &zone.name));
        around.max_by_key(|zone| zone.name.len())
    }

    /// A client for a zone's API.
    pub(in crate::app) fn client(&self, zone: &Zone) -> Result<Client, SecretError> {
        self.clients.of(&zone.api, &zone.token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;

    fn zone(name: &str) -> Zone {
        Zone {
            name: name.to_owned(),
            token: SecretSource::File("/none".into()),
            api: "https://api.example/v4".to_owned(),
            certificates: Vec::new(),
            records: true,
        }
    }

    #[test]
    fn dns_a_name_belongs_to_its_most_specific_zone() {
        let zones = ["example.com", "home.example.com", "ample.com"].map(zone);
        let zones = Zones::new(&zones, Clients::new());
        let of = |name| zones.of(name).map(|zone| zone.name.as_str());
        assert_eq!(of("_acme-challenge.home.example.com"), Some("home.example.com"));
        assert_eq!(of("www.example.com"), Some("example.com"));
        assert_eq!(of("example.com"), Some("example.com"));
        assert_eq!(of("example.org"), None);
    }
}
