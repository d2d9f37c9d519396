//! The store below `data_dir`:
//!
//! ```text
//! certificates/example.com/tls.crt  -> current/tls.crt    what other programs read
//! certificates/example.com/tls.key  -> current/tls.key
//! certificates/example.com/current  -> versions/3         renamed into place: chain and key change in one step
//! certificates/example.com/versions/{2,3}/{tls.crt,tls.key,directory}
//! certificates/example.com/state.json
//! acme/acme-v02.api.letsencrypt.org/{account.json,orders.json}
//! ```
//!
//! Two files cannot be renamed at once, but one link can: no crash leaves a key that does not fit its chain. (One
//! file with both would do for us, but not for the mail server that reads `tls.crt` as well.) Files are 0600,
//! folders 0700.
//!
//! The calls block: the files are small, and the service has no request to keep waiting.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use super::files;
use super::store::{Document, Pair, Store, StoreError};
use crate::secret::Secret;

const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";
const DIRECTORY: &str = "directory";
const CURRENT: &str = "current";
const VERSIONS: &str = "versions";

/// A store in a folder.
#[derive(Debug, Clone)]
pub struct DiskStore {
    data_dir: PathBuf,
}

impl DiskStore {
    /// The store below this folder. Folders are made when there is something to put into them.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
        }
    }

    fn certificate(&self, name: &str) -> PathBuf {
        self.data_dir.join("certificates").join(name)
    }

    fn place(&self, which: &Document) -> PathBuf {
        let account = |directory| self.data_dir.join("acme").join(directory_folder(directory));
        match which {
            Document::State { certificate } => self.certificate(certificate).join("state.json"),
            Document::Account { directory } => account(directory).join("account.json"),
            Document::History { directory } => account(directory).join("orders.json"),
        }
    }
}

#[async_trait]
impl Store for DiskStore {
    async fn names(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.data_dir.join("certificates");
        match folder.is_dir() {
            true => entries(&folder),
            false => Ok(Vec::new()),
        }
    }

    async fn pair(&self, name: &str) -> Result<Option<Pair>, StoreError> {
        let folder = self.certificate(name);
        // Looked up once: both files are of the same version.
        let Some(version) = version(&folder)? else {
            return Ok(None);
        };
        let (chain, key) = (
            files::read(&version.join(CHAIN))?,
            files::read(&version.join(KEY))?,
        );
        let directory = files::read(&version.join(DIRECTORY))?;
        Ok(chain.zip(key).map(|(chain, key)| Pair {
            chain,
            key: Secret::new(key),
            directory,
        }))
    }

    async fn install(&self, name: &str, pair: &Pair) -> Result<(), StoreError> {
        let folder = self.certificate(name);
        let before = current(&folder);
        let versions = folder.join(VERSIONS);
        files::folder(&versions)?;
        let number = numbers(&versions)?.last().map_or(1, |newest| newest + 1);
        let version = Path::new(VERSIONS).join(number.to_string());
        write_version(&folder.join(&version), pair)?;
        files::sync(&versions)?;
        publish(&folder, &version)?;
        remove_others(&folder, &[Some(version), before])
    }

    async fn set_pair_aside(&self, name: &str) -> Result<String, StoreError> {
        let folder = self.certificate(name);
        match version(&folder)? {
            Some(damaged) if damaged != folder => {
                let place = aside(&folder.join("damaged"));
                files::rename(&damaged, &place)?;
                files::remove(&folder.join(CURRENT))?;
                if let Some(before) = version(&folder)?
                    && let Ok(before) = before.strip_prefix(&folder)
                {
                    publish(&folder, before)?;
                }
                Ok(place.display().to_string())
            }
            _ => {
                for file in [CHAIN, KEY] {
                    if folder.join(file).exists() {
                        files::rename(&folder.join(file), &aside(&folder.join(file)))?;
                    }
                }
                Ok(folder.display().to_string())
            }
        }
    }

    async fn document(&self, which: &Document) -> Result<Option<String>, StoreError> {
        files::read(&self.place(which))
    }

    async fn keep(&self, which: &Document, text: &str) -> Result<(), StoreError> {
        let path = self.place(which);
        path.parent().map_or(Ok(()), files::folder)?;
        files::replace(&path, text.as_bytes())
    }

    async fn set_aside(&self, which: &Document) -> Result<String, StoreError> {
        let path = self.place(which);
        let place = aside(&path);
        files::rename(&path, &place)?;
        Ok(place.display().to_string())
    }
}

fn write_version(folder: &Path, pair: &Pair) -> Result<(), StoreError> {
    files::folder(folder)?;
    files::write(&folder.join(CHAIN), pair.chain.as_bytes())?;
    if let Some(directory) = &pair.directory {
        files::write(&folder.join(DIRECTORY), directory.as_bytes())?;
    }
    // Last, and in one step: a version that has a key is whole.
    files::replace(&folder.join(KEY), pair.key.expose().as_bytes())
}

/// What `current` names, if it is a link.
fn current(folder: &Path) -> Option<PathBuf> {
    files::target(&folder.join(CURRENT)).ok().flatten()
}

/// Where chain and key are: what `current` names; or the folder itself, where someone put files; or, if a crash of the
/// disk damaged the link or what it leads to, the newest version that has both.
fn version(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let whole = |version: &PathBuf| [CHAIN, KEY].iter().all(|file| version.join(file).exists());
    let linked = current(folder).map(|version| folder.join(version));
    if let Some(version) = linked.filter(whole) {
        return Ok(Some(version));
    }
    let own = |file| {
        folder
            .join(file)
            .symlink_metadata()
            .is_ok_and(|found| !found.is_symlink())
    };
    if own(CHAIN) {
        return Ok(Some(folder.to_owned()));
    }
    let versions = folder.join(VERSIONS);
    let numbers = numbers(&versions)?;
    let others = numbers
        .iter()
        .rev()
        .map(|number| versions.join(number.to_string()));
    Ok(others.into_iter().find(whole))
}

/// Makes a version the one that all read.
fn publish(folder: &Path, version: &Path) -> Result<(), StoreError> {
    files::link(version, &folder.join(CURRENT))?;
    for file in [CHAIN, KEY] {
        let target = Path::new(CURRENT).join(file);
        if files::target(&folder.join(file)).ok().flatten().as_ref() != Some(&target) {
            files::link(&target, &folder.join(file))?;
        }
    }
    Ok(())
}

/// The numbers of the versions, in order; one that a crash left half-written counts.
fn numbers(versions: &Path) -> Result<Vec<u64>, StoreError> {
    if !versions.is_dir() {
        return Ok(Vec::new());
    }
    let mut numbers: Vec<u64> = entries(versions)?
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The version before stays, for whoever has to go back by hand.
fn remove_others(folder: &Path, kept: &[Option<PathBuf>]) -> Result<(), StoreError> {
    for name in entries(&folder.join(VERSIONS))? {
        let version = Path::new(VERSIONS).join(name);
        if !kept.contains(&Some(version.clone())) {
            files::remove(&folder.join(version))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<String>, StoreError> {
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let names = std::fs::read_dir(folder).and_then(|found| found.map(|entry| entry.map(name)).collect());
    names.map_err(|source| StoreError::File {
        path: folder.to_owned(),
        source,
    })
}

/// Where something damaged goes: beside, with the time.
fn aside(path: &Path) -> PathBuf {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".damaged-{}", since.as_millis()));
    path.with_file_name(name)
}

/// A folder's name for a CA: its host. What else tells CAs on one host apart (a port, a path that is not the usual
/// `/directory`) follows.
fn directory_folder(directory: &str) -> String {
    let rest = directory.split_once("://").map_or(directory, |(_, rest)| rest);
    let rest = rest.strip_suffix("/directory").unwrap_or(rest);
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() || c == '-' || c == '.' => c,
        _ => '_',
    };
    rest.trim_start_matches('.').chars().map(safe).collect()
}

#[cfg(test)]
mod tests;
