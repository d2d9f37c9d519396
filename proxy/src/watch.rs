//! Watches files: one signal for any number of changes that come together.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Editors and ConfigMap updates touch several files in a row: the signal comes once they rest this long.
const SETTLE: Duration = Duration::from_millis(300);

/// The signal comes after this time even if they never rest.
const SETTLE_AT_MOST: Duration = Duration::from_secs(3);

/// Watches the folders of files. Folders, because an editor's rename and the swap of a ConfigMap's `..data`
/// link both replace the file that a watch on it would hold on to.
pub struct FileWatch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeMap<PathBuf, Identity>,
    names: Arc<ArcSwap<Names>>,
    events: mpsc::Receiver<()>,
    /// Something changed, and it is not known yet whether it rests.
    unsettled: bool,
}

/// Device and inode: another folder under the same name needs a watch of its own.
type Identity = (u64, u64);

/// What in the watched folders counts: a log or the data folder may be beside the configuration.
#[derive(Debug, Default)]
struct Names(BTreeSet<PathBuf>);

impl FileWatch {
    /// A watch on nothing yet. Where the system gives no watch (its inotify limit is reached), `changed`
    /// never returns and SIGHUP remains.
    pub fn new() -> Self {
        let (sender, events) = mpsc::channel(1);
        let names = Arc::new(ArcSwap::from_pointee(Names::default()));
        let wanted = Arc::clone(&names);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // What cannot be told (the queue ran over) may have been a change.
            if event.map_or(true, |event| wanted.load().concern(&event)) {
                // A full channel holds a signal already.
                let _ = sender.try_send(());
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "files are not watched; reload with SIGHUP");
        }
        Self {
            watcher: watcher.ok(),
            folders: BTreeMap::new(),
            names,
            events,
            unsettled: false,
        }
    }

    /// Watches exactly these files, the links on the way to them, and what appears beside them that a
    /// configuration may include.
    pub fn watch<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) {
        let names: BTreeSet<PathBuf> = files.into_iter().flat_map(with_links).collect();
        let folders: BTreeMap<PathBuf, Identity> = names.iter().filter_map(|name| folder(name)).collect();
        self.names.store(Arc::new(Names(names)));
        let Some(watcher) = &mut self.watcher else { return };
        let is_in = |all: &BTreeMap<_, _>, folder, identity| all.get(folder) == Some(identity);
        for (gone, identity) in &self.folders {
            if !is_in(&folders, gone, identity) {
                let _ = watcher.unwatch(gone);
            }
        }
        for (new, identity) in &folders {
            if !is_in(&self.folders, new, identity)
                && let Err(error) = watcher.watch(new, RecursiveMode::NonRecursive)
            {
                tracing::warn!(folder = %new.display(), %error, "folder is not watched");
            }
        }
        self.folders = folders;
    }

    /// Returns once something changed and then rested. Dropped before that, it loses nothing.
    pub async fn changed(&mut self) {
        if !self.unsettled && self.events.recv().await.is_none() {
            return std::future::pending().await;
        }
        self.unsettled = true;
        let _ = tokio::time::timeout(SETTLE_AT_MOST, self.rest()).await;
        self.unsettled = false;
    }

    async fn rest(&mut self) {
        while let Ok(Some(())) = tokio::time::timeout(SETTLE, self.events.recv()).await {}
    }
}

impl Default for FileWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl Names {
    fn concern(&self, event: &notify::Event) -> bool {
        event.need_rescan() || (!event.kind.is_access() && event.paths.iter().any(|path| self.concerns(path)))
    }

    /// The files themselves, new files that an `include` may name, and the links of a mounted ConfigMap.
    fn concerns(&self, path: &Path) -> bool {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        self.0.contains(path) || name.ends_with(".toml") || name.starts_with("..")
    }
}

/// The file, and each symbolic link among the folders that lead to it: swapping one replaces the file.
fn with_links(file: &Path) -> Vec<PathBuf> {
    let Ok(file) = std::path::absolute(file) else {
        return Vec::new();
    };
    let links = file.ancestors().skip(1).filter(|folder| folder.is_symlink());
    links.map(Path::to_owned).chain([file.clone()]).collect()
}

fn folder(file: &Path) -> Option<(PathBuf, Identity)> {
    let folder = file.parent()?;
    let found = std::fs::metadata(folder).ok().filter(std::fs::Metadata::is_dir)?;
    Some((folder.to_owned(), (found.dev(), found.ino())))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Longer than it takes to settle.
    const WHILE: Duration = Duration::from_millis(1500);

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str) {
            fs::write(self.path(name), "x").unwrap();
        }
    }

    async fn tells(watch: &mut FileWatch) -> bool {
        tokio::time::timeout(WHILE, watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_log_beside_the_configuration_is_no_change_of_it() {
        let folder = Folder::new();
        folder.write("palisade.toml");
        let mut watch = FileWatch::new();
        watch.watch([folder.path("palisade.toml").as_path()]);
        folder.write("audit.log");
        fs::create_dir(folder.path("data")).unwrap();
        assert!(!tells(&mut watch).await);
        folder.write("palisade.toml");
        assert!(tells(&mut watch).await);
        folder.write("new-include.toml");
        assert!(tells(&mut watch).await);
    }

    #[tokio::test]
    async fn the_swap_of_a_mounted_config_map_is_a_change() {
        let folder = Folder::new();
        folder.write("..first");
        folder.write("..second");
        symlink("..first", folder.path("..data")).unwrap();
        symlink("..data", folder.path("tls.crt")).unwrap();
        let mut watch = FileWatch::new();
        watch.watch([folder.path("tls.crt").as_path()]);
        symlink("..second", folder.path("..data_tmp")).unwrap();
        fs::rename(folder.path("..data_tmp"), folder.path("..data")).unwrap();
        assert!(tells(&mut watch).await);
    }

    #[tokio::test]
    async fn a_linked_folder_is_watched_at_its_link_and_again_behind_it() {
        let folder = Folder::new();
        for version in ["1", "2"] {
            fs::create_dir(folder.path(version)).unwrap();
            folder.write(&format!("{version}/tls.crt"));
        }
        symlink("1", folder.path("current")).unwrap();
        let certificate = folder.path("current/tls.crt");
        let mut watch = FileWatch::new();
        watch.watch([certificate.as_path()]);
        symlink("2", folder.path("next")).unwrap();
        fs::rename(folder.path("next"), folder.path("current")).unwrap();
        assert!(tells(&mut watch).await);
        watch.watch([certificate.as_path()]);
        folder.write("2/tls.crt");
        assert!(tells(&mut watch).await);
    }

    #[tokio::test]
    async fn what_never_rests_is_told_all_the_same() {
        let folder = Folder::new();
        folder.write("palisade.toml");
        let mut watch = FileWatch::new();
        watch.watch([folder.path("palisade.toml").as_path()]);
        let writes = async {
            loop {
                folder.write("palisade.toml");
                tokio::time::sleep(SETTLE / 3).await;
            }
        };
        tokio::select! {
            () = writes => {}
            told = tokio::time::timeout(SETTLE_AT_MOST * 2, watch.changed()) => assert!(told.is_ok()),
        }
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_no_change() {
        let folder = Folder::new();
        let mut watch = FileWatch::new();
        watch.watch([folder.path("palisade.toml").as_path()]);
        folder.write("palisade.toml");
        assert!(tokio::time::timeout(SETTLE / 2, watch.changed()).await.is_err());
        assert!(tells(&mut watch).await);
    }
}
