//! Bans over restarts: a file in the data folder, written when something changed and read at start.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::warn;

use crate::limit::{Ban, Bans};
use crate::listen;
use crate::snapshot::SnapshotHandle;

/// A ban that a crash loses within this time is lost.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Serialize, Deserialize)]
struct Kept {
    client: IpAddr,
    since: u64,
    until: u64,
    incident: String,
}

/// The bans that were kept; without a word where there is no file, with one where it cannot be read.
pub(super) fn restore(bans: &Bans, data_dir: &Path, most: usize) {
    let path = file(data_dir);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            warn!(path = %path.display(), %error, "bans that were kept cannot be read");
            return;
        }
    };
    match serde_json::from_str::<Vec<Kept>>(&text) {
        Ok(kept) => {
            let ban = |kept: Kept| {
                let ban = Ban {
                    since: kept.since,
                    until: kept.until,
                    incident: kept.incident,
                };
                (kept.client, ban)
            };
            bans.restore(kept.into_iter().map(ban), most, now());
        }
        Err(error) => warn!(path = %path.display(), %error, "bans that were kept cannot be read"),
    }
}

/// Keeps bans until the edge stops, and once more then.
pub(super) async fn keep(bans: Arc<Bans>, snapshots: SnapshotHandle, mut stopped: watch::Receiver<bool>) {
    let mut kept = bans.changes();
    loop {
        let stops = tokio::time::timeout(PAUSE, listen::stop_requested(&mut stopped))
            .await
            .is_ok();
        let config = Arc::clone(&snapshots.load().config);
        let changes = bans.changes();
        if changes != kept && config.bans.enabled && config.bans.keep {
            let (bans, path) = (Arc::clone(&bans), file(&config.server.data_dir));
            let written = tokio::task::spawn_blocking(move || write(&bans, &path)).await;
            match written {
                Ok(Ok(())) => kept = changes,
                Ok(Err(error)) => {
                    warn!(%error, "bans cannot be kept");
                    // Not every second the same words: with the next change.
                    kept = changes;
                }
                Err(_) => return,
            }
        }
        if stops {
            return;
        }
    }
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
fn write(bans: &Bans, path: &Path) -> std::io::Result<()> {
    let kept = bans.list(now()).into_iter().map(|(key, ban)| Kept {
        client: key.address(),
        since: ban.since,
        until: ban.until,
        incident: ban.incident,
    });
    let text = serde_json::to_vec(&kept.collect::<Vec<_>>())?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("bans.json")
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
