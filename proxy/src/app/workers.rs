//! The threads that serve. Each has a runtime, accept loops, a proxy and connections to backends of its own, so that a
//! connection stays on one thread from its first byte to its last, and threads have no work to hand to each other.
//!
//! All else runs beside them: the admin listener, signals, reloads, health checks, background services
//! (docs/decisions/0052-workers.md).

use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tracing::warn;

/// Threads for what would hold a worker up (large bodies, passwords, look-ups that hang) that all workers have together:
/// as many as tokio gives one runtime.
const BESIDE: usize = 512;

/// But each of them so many: no more hang at once.
const BESIDE_EACH: usize = 64;

/// A worker that is in the midst of a computation is waited for so long.
const END: Duration = Duration::from_secs(1);

/// One per core unless the configuration says otherwise.
pub(super) fn count(configured: Option<NonZeroUsize>) -> usize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    configured.unwrap_or_else(cores).get()
}

/// What `worker` of so many has of `total`: together they have no more, and no less.
pub(super) fn part(total: usize, worker: usize, workers: usize) -> usize {
    let workers = workers.max(1);
    total / workers + usize::from(worker < total % workers)
}

/// Threads that serve, until this is dropped.
pub(super) struct Workers(Vec<Worker>);

struct Worker {
    handle: Handle,
    /// Dropped, it ends the thread.
    _end: oneshot::Sender<()>,
    /// Closed once all that ran there is gone.
    ended: oneshot::Receiver<()>,
}

impl Workers {
    /// Starts so many threads, with nothing to do yet.
    pub(super) fn start(count: usize) -> io::Result<Self> {
        let beside = (BESIDE / count.max(1)).max(BESIDE_EACH);
        let workers = (0..count).map(|number| Worker::start(number, beside));
        workers.collect::<io::Result<Vec<_>>>().map(Self)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Where each of them runs what it is given.
    pub(super) fn handles(&self) -> impl Iterator<Item = &Handle> {
        self.0.iter().map(|worker| &worker.handle)
    }

    /// Ends them; what they still serve breaks off.
    pub(super) async fn end(self) {
        let ended = self.0.into_iter().map(|worker| worker.ended);
        let all = futures_util::future::join_all(ended);
        if tokio::time::timeout(END, all).await.is_err() {
            warn!("a worker is in the midst of a computation; it is not waited for");
        }
    }
}

impl Worker {
    fn start(number: usize, beside: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(beside)
            .thread_name(format!("beside-{number}"))
            .build()?;
        let handle = runtime.handle().clone();
        let (end, until) = oneshot::channel();
        let (gone, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name(format!("worker-{number}"));
        thread.spawn(move || run(runtime, until, gone))?;
        Ok(Self {
            handle,
            _end: end,
            ended,
        })
    }
}

/// A panic of a task ends with that task: the runtime sees to it.
fn run(runtime: Runtime, until: oneshot::Receiver<()>, gone: oneshot::Sender<()>) {
    let _ = runtime.block_on(until);
    // Tasks are dropped here; what runs beside and hangs does not hold the process up.
    runtime.shutdown_background();
    drop(gone);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_together_what_there_is() {
        for (total, workers) in [(1024, 1), (1024, 3), (2, 2), (1, 4), (0, 4), (7, 0)] {
            let parts: Vec<usize> = (0..workers).map(|worker| part(total, worker, workers)).collect();
            let most = parts.iter().max().copied().unwrap_or_default();
            let least = parts.iter().min().copied().unwrap_or_default();
            assert!(workers == 0 || parts.iter().sum::<usize>() == total, "{parts:?}");
            assert!(most - least <= 1, "{parts:?}");
        }
    }

    #[tokio::test]
    async fn what_runs_on_a_worker_ends_with_it() {
        let workers = Workers::start(2).unwrap();
        let threads = workers.handles().map(|handle| {
            let name = async { std::thread::current().name().map(str::to_owned) };
            handle.spawn(name)
        });
        let names = futures_util::future::join_all(threads).await;
        let names: Vec<_> = names.into_iter().map(|name| name.unwrap().unwrap()).collect();
        assert_eq!(names, ["worker-0", "worker-1"]);
        let endless: Vec<_> = workers
            .handles()
            .map(|handle| handle.spawn(std::future::pending::<()>()))
            .collect();
        workers.end().await;
        for task in endless {
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }

    #[tokio::test]
    async fn a_panic_ends_a_task_and_no_worker() {
        let workers = Workers::start(1).unwrap();
        let handle = workers.handles().next().unwrap().clone();
        assert!(
            handle
                .spawn(async { panic!("a bug") })
                .await
                .unwrap_err()
                .is_panic()
        );
        assert_eq!(handle.spawn(async { 7 }).await.unwrap(), 7);
        workers.end().await;
    }
}
