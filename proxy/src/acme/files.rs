//! Files that a crash leaves as they were or as they are meant to be, never between.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use super::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Replaces a file: written beside it, synced, renamed, the folder synced.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let beside = beside(path);
    write(&beside, content)?;
    rename(&beside, path)
}

/// Writes a new file that nobody reads yet, for the owner alone.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<()> {
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(path)?;
        crash::within(&mut file, content)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|source| failed(path, source))
}

/// Replaces a link in one step.
pub(super) fn link(target: &Path, path: &Path) -> Result<()> {
    let beside = beside(path);
    remove(&beside)?;
    symlink(target, &beside).map_err(|source| failed(&beside, source))?;
    rename(&beside, path)
}

/// Renames within a folder, for good.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    let rename = || {
        crash::here()?;
        fs::rename(from, to)
    };
    rename().map_err(|source| failed(to, source))?;
    to.parent().map_or(Ok(()), sync)
}

/// Makes the names in a folder last.
pub(super) fn sync(folder: &Path) -> Result<()> {
    let sync = || {
        crash::here()?;
        File::open(folder)?.sync_all()
    };
    sync().map_err(|source| failed(folder, source))
}

/// A folder, and those above it, for the owner alone. Each is there for good before something is put into it.
pub(super) fn folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.map_or(Ok(()), folder)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => return Err(failed(path, source)),
        _ => {}
    }
    sync(above.unwrap_or(Path::new(".")))
}

/// A file's text; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<String>> {
    absent(fs::read_to_string(path)).map_err(|source| failed(path, source))
}

/// A link's target; `None` if there is no link.
pub(super) fn target(path: &Path) -> Result<Option<PathBuf>> {
    absent(fs::read_link(path)).map_err(|source| failed(path, source))
}

/// Removes what is there, if anything is.
pub(super) fn remove(path: &Path) -> Result<()> {
    let remove = || {
        crash::here()?;
        match absent(fs::symlink_metadata(path))? {
            None => Ok(()),
            Some(found) if found.is_dir() => fs::remove_dir_all(path),
            Some(_) => fs::remove_file(path),
        }
    };
    remove().map_err(|source| failed(path, source))
}

fn absent<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn failed(path: &Path, source: io::Error) -> StoreError {
    StoreError::File {
        path: path.to_owned(),
        source,
    }
}

/// Where a test may end the process: before each step, and in the middle of a file.
#[cfg(not(test))]
mod crash {
    use std::{fs::File, io};

    pub(super) fn here() -> io::Result<()> {
        Ok(())
    }

    pub(super) fn within(_: &mut File, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod crash {
    use std::cell::Cell;
    use std::fs::File;
    use std::io::{self, Write};

    thread_local! {
        static STEPS_LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    /// After so many steps this thread's writes fail, as if there were no process any more.
    pub(in crate::acme) fn after(steps: usize) {
        STEPS_LEFT.set(steps);
    }

    pub(super) fn here() -> io::Result<()> {
        let left = STEPS_LEFT.get();
        if left == 0 {
            return Err(io::Error::other("crashed"));
        }
        STEPS_LEFT.set(left - 1);
        Ok(())
    }

    pub(super) fn within(file: &mut File, content: &[u8]) -> io::Result<()> {
        here().inspect_err(|_| {
            let _ = file.write_all(&content[..content.len() / 2]);
        })
    }
}
