//! Looks after backends, on a thread of its own: a look-up or a check that hangs is none of those who serve requests.

use std::sync::Arc;

use tokio::sync::watch;

use crate::snapshot::{LiveRoute, SnapshotHandle};
use crate::upstream::{Keeper, Tended};

/// Starts the thread. It follows every configuration that takes over, until the edge stops.
pub(super) fn spawn_thread(
    snapshots: SnapshotHandle,
    generation: watch::Receiver<u64>,
    stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let thread = std::thread::Builder::new().name("upkeep".to_owned());
    let run = move || {
        runtime.block_on(follow(snapshots, generation, stopped));
        // A look-up that hangs does not hold the process up.
        runtime.shutdown_background();
    };
    thread.spawn(run).map(drop)
}

async fn follow(
    snapshots: SnapshotHandle,
    mut generation: watch::Receiver<u64>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut keeper = Keeper::default();
    loop {
        generation.mark_unchanged();
        let snapshot = snapshots.load();
        let tended = |route: &Arc<LiveRoute>| Tended {
            balancer: Arc::clone(&route.balancer),
            dialer: Arc::clone(&route.dialer),
        };
        keeper.tend(snapshot.routes().map(tended).collect());
        drop(snapshot);
        loop {
            tokio::select! {
                changed = generation.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                () = keeper.found() => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            keeper.tend_checks();
        }
    }
}
