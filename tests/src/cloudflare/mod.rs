//! A fake of the Cloudflare API v4 and of the name servers behind it: stateful, in process, and strict.
//!
//! What it refuses where the real API would shrug (an unknown parameter, an unknown field) has the code [`STRICT`],
//! so that a client's mistake shows. Where the real API's code for an error is not documented and was not seen in
//! the wild, the comment at the error says so. The client of cloudflare-go 7.8.0, as external-dns 0.22 uses it, was seen
//! to list, make, replace, batch and delete with it.
//!
//! ```ignore
//! let fake = FakeCloudflare::start(FakeOptions::zones(&["example.com"])).await;
//! let client = Client::new(fake.base_url(), fake.token());
//! assert_eq!(fake.count("POST", "/dns_records/batch"), 1);
//! ```

// A fake that cannot do its work has nothing better to do than to fail the test that asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod batch;
mod conflict;
mod content;
mod dns;
mod draft;
mod error;
mod fault;
mod http;
mod journal;
mod limit;
mod options;
mod query;
mod record;
mod records;
mod state;
#[cfg(test)]
mod tests;
mod zone;
mod zones;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

pub use auth::Access;
pub use dns::{Behaviour, Question};
pub use error::STRICT;
pub use fault::{Fault, FaultKind};
pub use journal::Call;
pub use limit::Quota;
pub use options::FakeOptions;
pub use record::Record;

use crate::harness::eventually;
use state::State;

/// The token of [`FakeCloudflare::token`], in the format of the real ones.
const TOKEN: &str = "fake-token_0123456789abcdefghijklmnopqrst";

/// What the connections and the test share.
type Shared = Arc<Mutex<State>>;

/// The API and its name servers; they end when it is dropped.
pub struct FakeCloudflare {
    state: Shared,
    api: SocketAddr,
    name_servers: Vec<SocketAddr>,
    _tasks: JoinSet<()>,
}

impl FakeCloudflare {
    /// Starts on free ports of the loopback, on the test's own runtime: what blocks that blocks the fake.
    pub async fn start(options: FakeOptions) -> Self {
        let delays = options.name_servers.clone();
        let mut state = State::new(&options);
        let names: Vec<&str> = options.zones.iter().map(String::as_str).collect();
        for zone in &names {
            state.add_zone(zone);
        }
        state.tokens.add(TOKEN, &names, Access::Edit);
        let state: Shared = Arc::new(Mutex::new(state));
        let mut tasks = JoinSet::new();
        let name_servers = dns::start(&delays, &state, &mut tasks).await;
        let api = http::start(&state, &mut tasks).await;
        FakeCloudflare {
            state,
            api,
            name_servers,
            _tasks: tasks,
        }
    }

    /// `http://127.0.0.1:PORT/client/v4`.
    pub fn base_url(&self) -> String {
        format!("http://{}/client/v4", self.api)
    }

    /// The token that may edit every zone of [`FakeOptions::zones`].
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// The first name server, over UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.name_servers[0]
    }

    /// All name servers: `ns1.ZONE` at 127.0.0.1, `ns2.ZONE` at 127.0.0.2 and so on, all of one port.
    pub fn name_servers(&self) -> &[SocketAddr] {
        &self.name_servers
    }

    /// Adds a zone that is there from the start; gives its id.
    pub fn add_zone(&self, name: &str) -> String {
        self.state().add_zone(name)
    }

    /// The id of a zone.
    pub fn zone_id(&self, zone: &str) -> String {
        self.state().zone_named(zone).id.clone()
    }

    /// From now on the zone has this status: `active`, `pending`, `moved`.
    pub fn set_zone_status(&self, zone: &str, status: &str) {
        self.state().zone_named_mut(zone).status = status.to_owned();
    }

    /// A token with access to these zones and no others. Given again, it has the new access.
    pub fn add_token(&self, token: &str, zones: &[&str], access: Access) {
        self.state().tokens.add(token, zones, access);
    }

    /// The token is good no more.
    pub fn revoke_token(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    /// Puts a record into the zone as if someone else had made it, seen in the DNS at once; gives its id. `body` is
    /// as in a POST. Any type is taken and nothing is checked: CAA, HTTPS, MX and SRV come with `data`.
    pub fn seed(&self, zone: &str, body: Value) -> String {
        self.state().seed(zone, &body)
    }

    /// Removes a record as if someone else had.
    pub fn remove(&self, zone: &str, record_id: &str) {
        self.state().remove(zone, record_id);
    }

    /// The zone's records as the API has them, oldest first.
    pub fn records(&self, zone: &str) -> Vec<Record> {
        self.state().zone_named(zone).records.clone()
    }

    /// The contents of the records of one name and type, sorted.
    pub fn contents(&self, zone: &str, name: &str, kind: &str) -> Vec<String> {
        let records = self.records(zone);
        let matching = records.iter().filter(|r| r.name == name && r.kind == kind);
        let mut contents: Vec<String> = matching.map(|record| record.content.clone()).collect();
        contents.sort();
        contents
    }

    /// Every request so far, in order of its end.
    pub fn calls(&self) -> Vec<Call> {
        self.state().journal.clone()
    }

    /// How many requests there were by this method to a path that ends in this; an empty method is any.
    pub fn count(&self, method: &str, path_end: &str) -> usize {
        let calls = self.calls();
        calls.iter().filter(|call| call.is(method, path_end)).count()
    }

    /// Until there were so many requests by this method to a path that ends in this.
    pub async fn await_count(&self, method: &str, path_end: &str, count: usize) {
        let what = format!("{count} times {method} {path_end}");
        eventually(&what, || async {
            (self.count(method, path_end) >= count).then_some(())
        })
        .await;
    }

    /// Forgets the requests so far.
    pub fn forget_calls(&self) {
        self.state().journal.clear();
    }

    /// Does this to the next requests that match; of several faults the oldest is first.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// No more faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// From now on a name server shows a change only so long after it; `Duration::MAX` is never.
    pub fn set_propagation(&self, name_server: usize, delay: Duration) {
        self.state().servers[name_server].delay = delay;
    }

    /// From now on a name server behaves so.
    pub fn set_behaviour(&self, name_server: usize, behaviour: Behaviour) {
        self.state().servers[name_server].behaviour = behaviour;
    }

    /// Every DNS question so far.
    pub fn questions(&self) -> Vec<Question> {
        self.state().questions.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}
