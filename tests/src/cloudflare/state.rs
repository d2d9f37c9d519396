//! All that the fake knows.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::auth::Tokens;
use super::dns::{Question, Server};
use super::draft;
use super::fault::Faults;
use super::journal::Call;
use super::limit::Limiter;
use super::options::FakeOptions;
use super::zone::Zone;

/// The account and its name servers.
#[derive(Debug)]
pub(super) struct State {
    pub tokens: Tokens,
    pub zones: Vec<Zone>,
    pub limiter: Limiter,
    pub faults: Faults,
    pub journal: Vec<Call>,
    pub servers: Vec<Server>,
    pub questions: Vec<Question>,
    pub rules: Rules,
    ids: u64,
}

/// What the plan allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub record_quota: usize,
    pub batch_limit: usize,
    pub quotes_txt: bool,
}

impl State {
    pub(super) fn new(options: &FakeOptions) -> Self {
        let server = |delay: &Duration| Server::new(*delay);
        State {
            tokens: Tokens::default(),
            zones: Vec::new(),
            limiter: Limiter::new(options.quota),
            faults: Faults::default(),
            journal: Vec::new(),
            servers: options.name_servers.iter().map(server).collect(),
            questions: Vec::new(),
            rules: Rules {
                record_quota: options.record_quota,
                batch_limit: options.batch_limit,
                quotes_txt: options.quotes_txt,
            },
            ids: 0,
        }
    }

    pub(super) fn add_zone(&mut self, name: &str) -> String {
        let id = self.next_id();
        self.zones.push(Zone::new(&id, name, self.servers.len()));
        id
    }

    pub(super) fn seed(&mut self, zone: &str, body: &Value) -> String {
        let id = self.next_id();
        let zone = self.zone_named_mut(zone);
        let record = draft::unchecked(body, &zone.name, &id);
        zone.plant(record);
        id
    }

    pub(super) fn remove(&mut self, zone: &str, record_id: &str) {
        let zone = self.zone_named_mut(zone);
        zone.records.retain(|record| record.id != record_id);
        zone.changed(Instant::now());
    }

    pub(super) fn zone_named(&self, name: &str) -> &Zone {
        let zone = self.zones.iter().find(|zone| zone.name == name);
        zone.unwrap_or_else(|| panic!("the fake has no zone {name}"))
    }

    pub(super) fn zone_named_mut(&mut self, name: &str) -> &mut Zone {
        let zone = self.zones.iter_mut().find(|zone| zone.name == name);
        zone.unwrap_or_else(|| panic!("the fake has no zone {name}"))
    }

    /// An id like the API's, never the same again.
    pub(super) fn next_id(&mut self) -> String {
        self.ids += 1;
        // Spread by an odd multiplier, so that the order of ids is not the order of creation.
        let spread = u128::from(self.ids).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        format!("{spread:032x}")
    }
}
