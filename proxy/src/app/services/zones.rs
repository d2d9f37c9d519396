//! The zones of a configuration, each with a client for its API. Zones with the same token share one, and with it what
//! the API said of its limits.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cloudflare::Client;
use crate::config::{Zone, is_within};
use crate::secret::{Secret, SecretError};

/// The zones. Cheap to clone.
#[derive(Clone)]
pub(in crate::app) struct Zones {
    zones: Arc<[Zone]>,
    clients: Arc<Mutex<Vec<Known>>>,
}

struct Known {
    api: String,
    token: Secret,
    client: Client,
}

impl Zones {
    pub(in crate::app) fn new(zones: &[Zone]) -> Self {
        Self {
            zones: zones.into(),
            clients: Arc::default(),
        }
    }

    /// The zone that a name is in: the most specific one.
    pub(in crate::app) fn of(&self, name: &str) -> Option<&Zone> {
        let around = self.zones.iter().filter(|zone| is_within(name, &zone.name));
        around.max_by_key(|zone| zone.name.len())
    }

    /// A client for a zone's API. The token is read anew: it may have been replaced.
    pub(in crate::app) fn client(&self, zone: &Zone) -> Result<Client, SecretError> {
        let token = Secret::read(&zone.token)?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients
            .iter()
            .find(|known| known.api == zone.api && known.token == token);
        if let Some(known) = known {
            return Ok(known.client.clone());
        }
        let client = Client::new(&zone.api, token.clone());
        // As many tokens as zones are in use at a time; those before are replaced ones.
        if clients.len() >= self.zones.len() {
            clients.remove(0);
        }
        clients.push(Known {
            api: zone.api.clone(),
            token,
            client: client.clone(),
        });
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;

    fn zone(name: &str, token: &std::path::Path) -> Zone {
        Zone {
            name: name.to_owned(),
            token: SecretSource::File(token.to_owned()),
            api: "https://api.example/v4".to_owned(),
            certificates: Vec::new(),
            records: true,
        }
    }

    #[test]
    fn a_name_belongs_to_its_most_specific_zone() {
        let zones = ["example.com", "home.example.com", "ample.com"];
        let zones = Zones::new(&zones.map(|name| zone(name, "/none".as_ref())));
        let of = |name| zones.of(name).map(|zone| zone.name.as_str());
        assert_eq!(of("_acme-challenge.home.example.com"), Some("home.example.com"));
        assert_eq!(of("www.example.com"), Some("example.com"));
        assert_eq!(of("example.com"), Some("example.com"));
        assert_eq!(of("example.org"), None);
    }

    #[test]
    fn a_replaced_token_makes_another_client_and_the_same_token_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "one").unwrap();
        let zones = Zones::new(&[zone("example.com", &path), zone("example.org", &path)]);
        let count = || zones.clients.lock().unwrap().len();
        for zone in zones.zones.iter() {
            zones.client(zone).unwrap();
        }
        assert_eq!(count(), 1);
        for token in ["two", "three", "four"] {
            std::fs::write(&path, token).unwrap();
            zones.client(&zones.zones[0]).unwrap();
        }
        assert_eq!(count(), 2);
        std::fs::remove_file(&path).unwrap();
        assert!(zones.client(&zones.zones[0]).is_err());
    }
}
