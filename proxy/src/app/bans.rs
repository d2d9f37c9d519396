//! Bans over restarts: a file in the data folder, written when something changed and read at start. A successor reads it
//! once more when it takes over: the edge before it served, banned and let in again while this one was starting.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tracing::warn;

use crate::config::Config;
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

/// What was read, and how far `Bans` was then.
#[derive(Debug)]
pub(super) struct Restored {
    bans: Vec<(IpAddr, Ban)>,
    changes: u64,
}

impl Restored {
    /// The bans that were kept, in force again.
    pub(super) fn new(bans: &Bans, config: &Config) -> Self {
        let kept = match config.bans.enabled && config.bans.keep {
            true => read(&config.server.data_dir),
            false => Vec::new(),
        };
        bans.restore(kept.iter().cloned(), config.bans.most, now());
        Self {
            bans: kept,
            changes: bans.changes(),
        }
    }

    /// The same as the edge before left them; those that it had let in again are let in here.
    pub(super) fn renew(&self, bans: &Bans, config: &Config) {
        if !config.bans.enabled || !config.bans.keep {
            return;
        }
        let kept = read(&config.server.data_dir);
        let lifted = self.bans.iter().filter(|before| !kept.contains(before));
        for (client, ban) in lifted {
            bans.lift_this(*client, ban);
        }
        bans.restore(kept, config.bans.most, now());
    }
}

/// Without a word where there is no file, with one where it cannot be read.
fn read(data_dir: &Path) -> Vec<(IpAddr, Ban)> {
    let path = file(data_dir);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            warn!(path = %path.display(), %error, "bans that were kept cannot be read");
            return Vec::new();
        }
    };
    let kept = serde_json::from_str::<Vec<Kept>>(&text).unwrap_or_else(|error| {
        warn!(path = %path.display(), %error, "bans that were kept cannot be read");
        Vec::new()
    });
    let ban = |kept: Kept| {
        let ban = Ban {
            since: kept.since,
            until: kept.until,
            incident: kept.incident,
        };
        (kept.client, ban)
    };
    kept.into_iter().map(ban).collect()
}

/// Keeps bans until the edge stops, and once more then; `_done` is dropped once nothing more is written.
pub(super) async fn keep(
    bans: Arc<Bans>,
    restored: Restored,
    snapshots: SnapshotHandle,
    mut stopped: watch::Receiver<bool>,
    _done: oneshot::Sender<()>,
) {
    let mut kept = restored.changes;
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
