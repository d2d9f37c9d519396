//! What the CA's limits leave: an order that is one too many is refused for days.

use time::OffsetDateTime;

use super::Finding;
use crate::acme::{DiskStore, HeldBack, held_back};
use crate::config::Config;

/// Nothing to look at where nothing is ordered.
pub(super) async fn examine(config: &Config) -> Option<Finding> {
    if config.zones.iter().all(|zone| zone.certificates.is_empty()) {
        return None;
    }
    let store = DiskStore::new(&config.server.data_dir);
    let held = held_back(&store, &config.acme, &config.zones, OffsetDateTime::now_utc());
    Some(match held.await {
        Ok(held) => found(&held),
        // That the storage is at fault is told as such.
        Err(error) => Finding::doubtful("CA budget", error.to_string(), "look at [server].data_dir"),
    })
}

fn found(held: &[HeldBack]) -> Finding {
    if held.is_empty() {
        return Finding::good(
            "CA budget",
            "an order for each certificate is within the CA's limits",
        );
    }
    let held: Vec<String> = held.iter().map(ToString::to_string).collect();
    Finding::doubtful(
        "CA budget",
        held.join("; "),
        "nothing but waiting helps; for trying out there is `directory = \"letsencrypt-staging\"`",
    )
}
