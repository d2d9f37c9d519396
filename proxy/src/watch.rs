//! Watches files: one signal for any number of changes that come together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Editors and ConfigMap updates touch several files in a row: the signal comes once they rest this long.
const SETTLE: Duration = Duration::from_millis(300);

/// Watches the folders of files. Folders, because an editor's rename and the swap of a ConfigMap's `..data`
/// link both replace the file that a watch on it would hold on to.
pub struct FileWatch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    events: mpsc::Receiver<()>,
}

impl FileWatch {
    /// A watch on nothing yet. Where the system gives no watch (its inotify limit is reached), `changed`
    /// never returns and SIGHUP remains.
    pub fn new() -> Self {
        let (sender, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let reading = event.as_ref().is_ok_and(|event| event.kind.is_access());
            if !reading {
                // A full channel holds a signal already.
                let _ = sender.try_send(());
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "files are not watched; reload with SIGHUP");
        }
        Self {
            watcher: watcher.ok(),
            folders: BTreeSet::new(),
            events,
        }
    }

    /// Watches the folders of exactly these files.
    pub fn watch<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) {
        let wanted: BTreeSet<PathBuf> = files.into_iter().filter_map(folder).collect();
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.folders.difference(&wanted) {
            let _ = watcher.unwatch(gone);
        }
        for new in wanted.difference(&self.folders) {
            if let Err(error) = watcher.watch(new, RecursiveMode::NonRecursive) {
                tracing::warn!(folder = %new.display(), %error, "folder is not watched");
            }
        }
        self.folders = wanted;
    }

    /// Returns once something changed and then rested.
    pub async fn changed(&mut self) {
        if self.events.recv().await.is_none() {
            return std::future::pending().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(SETTLE, self.events.recv()).await {}
    }
}

impl Default for FileWatch {
    fn default() -> Self {
        Self::new()
    }
}

fn folder(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    folder.is_dir().then(|| folder.to_owned())
}
