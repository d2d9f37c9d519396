//! A zone: its records now, and as they were.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::record::Record;

/// One zone of the account.
#[derive(Debug)]
pub(super) struct Zone {
    pub id: String,
    pub name: String,
    /// `active`, `pending`, `moved`…
    pub status: String,
    pub records: Vec<Record>,
    /// How many name servers there are: `ns1` to `nsN` below the zone.
    pub name_servers: usize,
    /// What the records were, each from its moment on.
    history: Vec<(Option<Instant>, Version)>,
}

/// The records at one time.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub serial: u32,
    pub records: Arc<Vec<Record>>,
}

impl Zone {
    pub(super) fn new(id: &str, name: &str, name_servers: usize) -> Self {
        let mut zone = Zone {
            id: id.to_owned(),
            name: name.to_ascii_lowercase(),
            status: "active".to_owned(),
            records: Vec::new(),
            name_servers,
            history: Vec::new(),
        };
        let empty = zone.version();
        zone.history.push((None, empty));
        zone
    }

    /// The records have changed: the name servers are told from now on.
    pub(super) fn changed(&mut self, now: Instant) {
        let version = self.version();
        self.history.push((Some(now), version));
    }

    /// A record that all name servers know at once; changes on their way stay on their way.
    pub(super) fn plant(&mut self, record: Record) {
        self.records.push(record.clone());
        for (_, version) in &mut self.history {
            version.serial += 1;
            Arc::make_mut(&mut version.records).push(record.clone());
        }
    }

    /// What a name server shows that learns of changes so late.
    pub(super) fn seen_after(&self, delay: Duration, now: Instant) -> Version {
        let known = |at: &Option<Instant>| at.is_none_or(|at| now.duration_since(at) >= delay);
        let seen = self.history.iter().rev().find(|(at, _)| known(at));
        seen.unwrap().1.clone()
    }

    pub(super) fn json(&self) -> Value {
        let servers: Vec<String> = (1..=self.name_servers)
            .map(|n| format!("ns{n}.{}", self.name))
            .collect();
        json!({
            "id": self.id, "name": self.name, "status": self.status, "paused": false, "type": "full",
            "development_mode": 0, "name_servers": servers, "original_name_servers": null,
            "original_registrar": null, "original_dnshost": null,
            "created_on": "2026-01-01T00:00:00.000000Z", "modified_on": "2026-01-01T00:00:00.000000Z",
            "activated_on": "2026-01-01T00:00:00.000000Z",
            "owner": {"id": null, "type": "user", "email": null},
            "account": {"id": "0123456789abcdef0123456789abcdef", "name": "Account of the tests"},
            "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
            "plan": {"id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "Free Website", "price": 0,
                "currency": "USD", "frequency": "", "is_subscribed": false, "can_subscribe": false,
                "legacy_id": "free", "legacy_discount": false, "externally_managed": false},
        })
    }

    fn version(&self) -> Version {
        let serial = self.history.last().map_or(1, |(_, version)| version.serial + 1);
        Version {
            serial,
            records: Arc::new(self.records.clone()),
        }
    }
}
